// How many messages were sent in each channel on each day. Copy it, and name the copy in OSMIUM_PROJECTIONS.

/** In universal time: a server has no other for all its users. */
const dayOf = (at) => new Date(at).toISOString().slice(0, 10);

/** A chat is `channel.<community>.<channel>`, or begins with `dm.`, `self.` or `group.`, which are nobody's business here. */
const keysOf = ({ data, at }) => (data.chat.startsWith('channel.') ? [`${data.chat} ${dayOf(at)}`] : []);

const counted = (document, { data, at }) => ({
  channel: data.chat,
  day: dayOf(at),
  messages: (document?.messages ?? 0) + 1,
});

/** @type {import('osmium-server/projections').OwnProjection} */
export const projection = {
  name: 'activity',
  // Raise it when the folds below make something else of events that have happened: then all of them are folded again.
  version: 1,
  documents: {
    days: {
      keys: { MessageSent: keysOf, MessageForwarded: keysOf },
      fold: { MessageSent: counted, MessageForwarded: counted },
      indexes: {
        byDay: ({ day }) => [[day]],
        byChannel: ({ channel, day }) => [[channel, day]],
      },
    },
  },
};
