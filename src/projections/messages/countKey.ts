import type { ChatKey } from '../../kernel/chat.js';

/**
 * Messages are counted per span of time, on three levels: 2^17 ms (131 s), 2^24 ms (4.7 h), 2^31 ms (25 days) of the
 * time part of their ids. Each span holds 128 of the level below. So the messages after any one are counted by
 * looking at one finest span message by message, at no more than 127 documents on each of the lower levels, and at
 * one document for every 25 days since.
 */
export const levels = [17, 24, 31] as const;
export type Level = 0 | 1 | 2;
export const finest: Level = 0;
export const coarsest: Level = 2;

/** Far above what a log takes for one chat within the 131 seconds of a finest span. */
export const finestMessagesMax = 5_000_000;

/** How many spans an id can be in at the coarsest level: its time part has 41 bits. */
export const coarsestSpansMax = 2 ** (41 - levels[coarsest]);
/** How many spans of one level are in a span of the next. */
export const spansPerSpan = 2 ** 7;

const timeShift = 22n;
const millisIn = (id: bigint): number => Number(id >> timeShift);

/** Which span of the level the id is in, counted from the epoch of ids. */
export const spanOf = (id: bigint, level: Level): number => Math.floor(millisIn(id) / 2 ** levels[level]);

/** The lowest id of a span. */
export const firstIdOf = (span: number, level: Level): bigint => BigInt(span) << (BigInt(levels[level]) + timeShift);

// As wide as the finest level needs.
const spanDigits = (41 - levels[finest]) / 4;

/** All keys of one chat and level begin so. */
export const countPrefix = (chat: ChatKey, level: Level): string => `${chat}/${level.toString()}/`;

/** The key of a MessageCountDocument. Within a chat and level the keys sort as the spans do. */
export const countKey = (chat: ChatKey, level: Level, span: number): string =>
  countPrefix(chat, level) + span.toString(16).padStart(spanDigits, '0');

/** The keys of all documents that count a message: one for each level. */
export const countKeys = (chat: ChatKey, id: bigint): readonly string[] => {
  const millis = millisIn(id);
  const keyAt = (level: Level): string => countKey(chat, level, Math.floor(millis / 2 ** levels[level]));
  return [keyAt(0), keyAt(1), keyAt(2)];
};
