import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { UserId } from '../../kernel/ids.js';
import { id, list } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

const bot = id<UserId>('user');
const fields = { owner: id<UserId>('user'), bot, bots: list(bot) };

export const botStreams = streamFamily('bots');
export const botStream = (owner: UserId): string => botStreams.named(owner.toString());

type OfOwner = { readonly owner: UserId };
const stream = (data: OfOwner): string => botStream(data.owner);
const about = (data: OfOwner): string => userTopic(data.owner);

/** Streams: `bots-<owner>`: the bots of one user. Each event says all of them, so that the latest alone counts. */
export const botEvents = declareEvents(
  'bots',
  { stream, about },
  {
    BotCreated: {
      says: 'The operator made a bot for a user. `bots` are all bots of that owner from then on, the oldest first. Its account and profile come after.',
      mints: { field: 'bot' },
      fields,
    },
    BotDeleted: {
      says: 'The operator deleted a bot, whose account was closed before. `bots` are those that the owner has left.',
      fields,
    },
  },
);
export type BotEvent = EventsOf<typeof botEvents>;
