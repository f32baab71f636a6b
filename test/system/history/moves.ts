import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { ChannelId, CommunityId, MessageId, UserId } from '../../../src/kernel/ids.js';
import { gone, type Thing, type Version, type Written } from './history.js';
import { channelIn, shownOf, type Player } from './player.js';
import { textOf } from './recording.js';

/** A chat as one player sees it. */
export type Place = { readonly chat: string; readonly ref: ChatRefInit; readonly audience?: ReadonlySet<string> };

/** A channel that one player alone renames. */
export type OwnChannel = { readonly thing: Thing; readonly id: ChannelId; version: Version };

export type Seat = {
  readonly player: Player;
  readonly community: CommunityId;
  readonly channels: readonly Place[];
  readonly partner: { readonly user: UserId; readonly place: Place };
  readonly others: readonly Player[];
  readonly ownChannels: readonly OwnChannel[];
  readonly renamed: readonly Thing[];
  readonly random: () => number;
  readonly own: OwnMessage[];
  readonly marks: Map<string, bigint[]>;
  sent: number;
  profile: Version;
};

type OwnMessage = { readonly thing: Thing; readonly place: Place; readonly id: MessageId; version: Version };

type Move = (seat: Seat) => Promise<void>;

/** One request of a player, at random. Rejects when it is refused or the connection goes. */
export const move: Move = async (seat) => {
  let roll = seat.random();
  for (const [share, one] of shares) {
    roll -= share;
    if (roll < 0) return one(seat);
  }
  return readHistory(seat);
};

const pick = <T>({ random }: Seat, from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
const placeFor = (seat: Seat): Place =>
  (seat.random() < directShare ? undefined : pick(seat, seat.channels)) ?? seat.partner.place;
const directShare = 0.2;

const writing = async <T>(
  { player: { name: session, table } }: Seat,
  write: Pick<Written, 'things' | 'telling' | 'audience'>,
  ask: () => Promise<T>,
): Promise<T> => {
  const { recording } = table;
  const begun = recording.moment();
  let acknowledged: number | undefined;
  try {
    const answer = await ask();
    acknowledged = recording.moment();
    return answer;
  } finally {
    recording.wrote({ session, begun, ...write, ...(acknowledged === undefined ? {} : { acknowledged }) });
  }
};

const audienceOf = ({ audience }: Place): Pick<Written, 'audience'> => (audience === undefined ? {} : { audience });

const send: Move = async (seat) => {
  const place = placeFor(seat);
  await say(seat, place);
};

export const say = async (seat: Seat, place: Place): Promise<string> => {
  const { player } = seat;
  const thing = `${player.name}.${(seat.sent += 1).toString()}`;
  const message = textOf(thing, 1);
  player.table.recording.sends(message, place.chat, player.name);
  const write = { things: new Map([[thing, 1]]), telling: 'each', ...audienceOf(place) } as const;
  const { messageId: id } = await writing(seat, write, () =>
    player.call('messages.sendMessage', { chatRef: place.ref, message }),
  );
  seat.own.push({ thing, place, id, version: 1 });
  if (seat.own.length > ownMax) seat.own.shift();
  return message;
};

/** Of so many of its latest messages a player changes some. */
const ownMax = 30;

const edit: Move = async (seat) => {
  const one = pick(seat, seat.own);
  if (one === undefined) return send(seat);
  const { thing, place, id } = one;
  one.version += 1;
  const { version } = one;
  const things = new Map([[thing, version]]);
  forget(seat, [one]);
  await writing(seat, { things, telling: 'each', ...audienceOf(place) }, () =>
    seat.player.call('messages.editMessage', { chatRef: place.ref, messageId: id, message: textOf(thing, version) }),
  );
  // Only what is certain is written again.
  seat.own.push(one);
};

const remove: Move = async (seat) => {
  const first = pick(seat, seat.own);
  if (first === undefined) return send(seat);
  const some = seat.own.filter(({ place }) => place.chat === first.place.chat).slice(-deletedAtOnce);
  const things = new Map(some.map(({ thing }) => [thing, gone]));
  forget(seat, some);
  await writing(seat, { things, telling: 'each', ...audienceOf(first.place) }, () =>
    seat.player.call('messages.deleteMessage', { chatRef: first.place.ref, messageIds: some.map(({ id }) => id) }),
  );
};
const deletedAtOnce = 3;

const forget = ({ own }: Seat, some: readonly OwnMessage[]): void => {
  for (const one of some) own.splice(own.indexOf(one), 1);
};

const rename: Move = async (seat) => {
  const { player, community: communityId } = seat;
  const channel = pick(seat, seat.ownChannels);
  if (channel === undefined) return send(seat);
  channel.version += 1;
  const { thing, id: channelId, version } = channel;
  await writing(seat, { things: new Map([[thing, version]]), telling: 'latest' }, () =>
    player.call('communities.editChannel', {
      channel: { communityId, channelId },
      name: `${thing}-${version.toString()}`,
    }),
  );
};

const editProfile: Move = async (seat) => {
  seat.profile += 1;
  const { player, profile } = seat;
  await writing(seat, { things: new Map([[profileOf(player), profile]]), telling: 'nobody' }, () =>
    player.call('settings.editProfile', { bio: profile.toString() }),
  );
};
const profileOf = ({ name }: Player): Thing => `profile of ${name}`;

const markRead: Move = async (seat) => {
  const place = placeFor(seat);
  const { player } = seat;
  const { messages } = await player.call('messages.getHistory', { chatRef: place.ref, limit: 1 });
  const [newest] = messages;
  const marks = seat.marks.get(place.chat) ?? [];
  if (newest === undefined || newest.messageId <= (marks.at(-1) ?? 0n)) return;
  marks.push(newest.messageId);
  seat.marks.set(place.chat, marks);
  await writing(seat, { things: new Map([[markerOf(player, place), marks.length]]), telling: 'nobody' }, () =>
    player.call('chats.markChatRead', { chatRef: place.ref, messageId: newest.messageId }),
  );
};
const markerOf = ({ name }: Player, { chat }: Place): Thing => `marker of ${name} in ${chat}`;

type Interval = { readonly session: string; readonly begun: number; readonly ended: number };

const reading = async <T>(
  { player: { name: session, table } }: Seat,
  ask: () => Promise<T>,
): Promise<readonly [T, Interval]> => {
  const begun = table.recording.moment();
  const answer = await ask();
  return [answer, { session, begun, ended: table.recording.moment() }];
};

const readHistory: Move = async (seat) => {
  const { chat, ref: chatRef } = placeFor(seat);
  const { player } = seat;
  const [{ messages }, interval] = await reading(seat, () =>
    player.call('messages.getHistory', { chatRef, limit: pageMax }),
  );
  player.table.recording.sawPage({
    ...interval,
    chat,
    messages: messages.map(shownOf),
    isWhole: messages.length < pageMax,
  });
};
const pageMax = 30;

type Conversation = { readonly lastReadMessageId: MessageId; readonly unreadCount: number };
type Last = Parameters<typeof shownOf>[0] | undefined;

const sawChat = (
  seat: Seat,
  place: Place,
  interval: Interval,
  { conversation, last }: { readonly conversation: Conversation; readonly last: Last },
): void => {
  const { player, marks } = seat;
  const { recording } = player.table;
  const { chat } = place;
  const { lastReadMessageId: marker, unreadCount: unread } = conversation;
  if (unread <= unreadMax) recording.count({ ...interval, chat, unread, marker });
  const version = (marks.get(chat) ?? []).filter((id) => id <= marker).length;
  recording.saw({ ...interval, things: new Map([[markerOf(player, place), version]]) });
  if (last !== undefined) recording.sawPage({ ...interval, chat, messages: [shownOf(last)], isWhole: false });
};
/** More are rounded. */
const unreadMax = 90;

const readChat: Move = async (seat) => {
  const place = pick(seat, seat.channels);
  if (place === undefined) return;
  const [{ chat: conversation, message: last }, interval] = await reading(seat, () =>
    seat.player.call('chats.getChat', { chatRef: place.ref }),
  );
  if (conversation !== undefined) sawChat(seat, place, interval, { conversation, last });
};

const readChats: Move = async (seat) => {
  const [{ chats, messages }, interval] = await reading(seat, () => seat.player.call('chats.getChats', {}));
  const { user, place } = seat.partner;
  const conversation = chats.find(({ chatRef }) => chatRef?.user?.userId === user);
  if (conversation === undefined) return;
  const last = messages.find(({ messageId }) => messageId === conversation.lastMessageId);
  sawChat(seat, place, interval, { conversation, last });
};

const readChannels: Move = async (seat) => {
  const { player, community: communityId, renamed } = seat;
  const [{ channels }, interval] = await reading(seat, () => player.call('communities.getChannels', { communityId }));
  const things = new Map<Thing, Version>(renamed.map((thing) => [thing, 0]));
  for (const { name } of channels) {
    const named = channelIn(name);
    if (named !== undefined) things.set(named.thing, named.version);
  }
  player.table.recording.saw({ ...interval, things });
};

const readProfile: Move = async (seat) => {
  const other = pick(seat, seat.others);
  if (other === undefined) return;
  const { player } = seat;
  const [{ bio }, interval] = await reading(seat, () =>
    player.call('users.getProfile', { ref: { userId: other.user } }),
  );
  player.table.recording.saw({ ...interval, things: new Map([[profileOf(other), Number(bio || '0')]]) });
};

/** The rest reads histories. */
const shares: readonly (readonly [number, Move])[] = [
  [0.32, send],
  [0.1, edit],
  [0.06, remove],
  [0.05, rename],
  [0.05, editProfile],
  [0.05, markRead],
  [0.06, readChat],
  [0.05, readChats],
  [0.05, readChannels],
  [0.05, readProfile],
];
