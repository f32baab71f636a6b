import type { Reaction } from '../../../domain/reactions/events.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { MessageId } from '../../../kernel/ids.js';
import { reactionsTo } from '../../../projections/reactions/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { Call } from '../../contract/call.js';
import { sharedTurns } from './sharedTurns.js';

/** Different emoji on one message. */
export const emojiPerMessageMax = 20;

export type Adding = { readonly message: MessageId; readonly reaction: Reaction };

/** Runs `add` unless it would bring one emoji too many to the message; then it answers `TOO_MANY`. */
export type EmojiBound = <T>(call: Call, adding: Adding, add: () => Promise<T>) => Promise<T | Rejection>;

/** How often a request looks whether another one has brought its emoji meanwhile, before it is added alone. */
const attemptsMax = 3;

/**
 * The bound is over the streams of many users, which no rule sees together. So on one node a new emoji has the message
 * to itself while it is looked for and added; emoji that are there already are added side by side. Nodes know nothing
 * of each other here: as many new emoji as nodes add at the same moment may go beyond the bound.
 */
export const emojiBound = (reads: Reads): EmojiBound => {
  const turns = sharedTurns();
  // The read model may be behind. An emoji in it was there not long ago, and a new emoji waits for this turn to end.
  const join = <T>({ message, reaction }: Adding, add: () => Promise<T>): Promise<Admitted<T> | undefined> =>
    turns.share(message.toString(), async () =>
      (await emojiOn(reads, message)).includes(reaction) ? { outcome: await add() } : undefined,
    );
  // Many bring the same new emoji at once. All but the first of them leave this turn as soon as it is there.
  const begin = <T>(call: Call, { message, reaction, isLast }: Beginning, add: () => Promise<T>): Promise<Begun<T>> =>
    turns.alone(message.toString(), async () => {
      if (!isLast && (await emojiOn(reads, message)).includes(reaction)) return undefined;
      await call.upToDateWithLog('reactions');
      const there = await emojiOn(reads, message);
      if (!isLast && there.includes(reaction)) return undefined;
      if (there.includes(reaction) || there.length < emojiPerMessageMax) return { outcome: await add() };
      return { outcome: reject('TOO_MANY', `a message has at most ${emojiPerMessageMax.toString()} different emoji`) };
    });
  return async (call, adding, add) => {
    for (let attempt = 1; ; attempt += 1) {
      const admitted =
        (await join(adding, add)) ?? (await begin(call, { ...adding, isLast: attempt === attemptsMax }, add));
      if (admitted !== undefined) return admitted.outcome;
    }
  };
};

type Admitted<T> = { readonly outcome: T };
type Begun<T> = Admitted<T | Rejection> | undefined;
type Beginning = Adding & { readonly isLast: boolean };

const emojiOn = async (reads: Reads, message: MessageId): Promise<readonly Reaction[]> =>
  (await reactionsTo(reads, message)).emoji.map(({ emoji }) => emoji);
