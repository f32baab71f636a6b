import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId } from '../../kernel/ids.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { chatPrefixOf, headCollection, headKey, headOf, type ChatPrefix, type HashedTerm } from './documents.js';
import type { TermHasher } from './messageChanges.js';
import { cursorOfAny, type Direction, type PostingCursor, type PostingList } from './postingCursor.js';
import type { Narrowing, Term } from './terms.js';

export { isFoundBy, queryOf, termsExpected, termsExpectedOf, type Query, type Searchable } from './terms.js';

/** Of lists and blocks, each of which the caller of a search is charged for before it is read. */
export type PostingReads = Pick<DocumentStore, 'getMany' | 'scan'>;

export type SearchReads = {
  readonly store: PostingReads;
  /** In the order of the terms; none where the key of the chat is destroyed. */
  readonly hashed: TermHasher;
};

/** The messages of some chats that have all of the terms. At most one of `since` and `before`. */
export type CandidateRange = {
  readonly chats: readonly ChatKey[];
  readonly terms: readonly Term[];
  readonly narrowing?: Narrowing;
  /** Only newer ones than this, the oldest first. */
  readonly since?: bigint;
  /** Only older ones than this, the newest first; so it is without either. */
  readonly before?: bigint;
};

export type Candidate = { readonly chat: ChatKey; readonly message: MessageId };

/** The bound of one slice of a search. */
export interface Slice {
  /** Counts steps through posting lists. */
  spend(this: void, steps: number): void;
  isOver(this: void): boolean;
  /** Lets others have the thread where it is their turn. */
  breath(this: void): Promise<void> | undefined;
}

/** Messages that may be found, in order. They were right when the index was read, so each has to be looked at. */
export interface Candidates {
  /** The next ones, at most `limit`. Fewer where the slice is over, or there are no more: see `isExhausted`. */
  next(this: void, limit: number, slice: Slice): Promise<readonly Candidate[]>;
  isExhausted(this: void): boolean;
}

export const chatsAtOnceMax = 16;
/**
 * Words that a beginning is narrowed down to. Where a chat has more, the list of a shorter beginning leads on: then many
 * of its messages have one of them.
 */
export const wordsMax = 64;
/** The same for each of many chats, so that the lists of a search in all of them are not too many either. */
const wordsMaxOf = (chats: number): number =>
  Math.max(wordsMin, Math.min(wordsMax, Math.floor(wordsOfSearchMax / chats)));
const wordsMin = 8;
const wordsOfSearchMax = 512;
/** Of each chat so many are looked for ahead of their turn. */
const aheadMax = 16;
const stepsPerBreath = 256;

/** Finds the lists, so that the chats are known in which all terms are. */
export const candidatesIn = async (
  reads: SearchReads,
  range: CandidateRange,
  breath: Slice['breath'],
): Promise<Candidates> => {
  const direction: Direction = range.since === undefined ? 'down' : 'up';
  const streams: ChatStream[] = [];
  for (let at = 0; at < range.chats.length; at += chatsAtOnceMax) {
    const chats = range.chats.slice(at, at + chatsAtOnceMax);
    const lists = await listsOf(reads, chats, range);
    for (const [index, chat] of chats.entries()) {
      const found = lists[index];
      if (found !== undefined) streams.push(chatStream(reads, { chat, lists: found, direction, from: firstOf(range) }));
    }
    await breath();
  }
  return merged(streams, direction);
};

const idMax = (1n << 63n) - 1n;
const firstOf = ({ since, before }: CandidateRange): bigint => {
  if (since !== undefined) return since + 1n;
  return before === undefined ? idMax : before - 1n;
};

/** The lists for one term, in any of which a message may be: several where it was narrowed down to words. */
type Alternatives = readonly PostingList[];

/**
 * For each chat the lists of all terms, the shortest first; undefined where one is empty. A term is looked up only where
 * those before it are: the first ones are rare, and most chats have none of them.
 */
const listsOf = async (
  { store, hashed }: SearchReads,
  chats: readonly ChatKey[],
  { chats: all, terms, narrowing }: Pick<CandidateRange, 'chats' | 'terms' | 'narrowing'>,
): Promise<readonly (readonly Alternatives[] | undefined)[]> => {
  const wanted = narrowing === undefined ? terms : [...terms, narrowing.words];
  const hashes = await Promise.all(chats.map(async (chat) => hashed(chat, wanted)));
  let left: readonly Sought[] = chats
    .map((chat, at) => ({ at, prefix: chatPrefixOf(chat), hashes: hashes[at] ?? [], lists: [] }))
    .filter((one) => one.hashes.length > 0);
  for (const at of terms.keys()) left = await withTerm(store, left, at);
  if (narrowing !== undefined)
    left = await narrowed(store, left, {
      of: terms.indexOf(narrowing.of),
      by: terms.length,
      wordsMax: wordsMaxOf(all.length),
    });
  const found = new Map(left.map(({ at, lists }) => [at, lists]));
  return chats.map((_, at) => found.get(at)?.toSorted((first, second) => lengthOf(first) - lengthOf(second)));
};

/** A chat in which terms are looked up, in their order. */
type Sought = {
  /** Its place among the chats. */
  readonly at: number;
  readonly prefix: ChatPrefix;
  readonly hashes: readonly HashedTerm[];
  readonly lists: readonly Alternatives[];
};

/** The chats that have the next term too. */
const withTerm = async (store: PostingReads, sought: readonly Sought[], next: number): Promise<readonly Sought[]> => {
  const keys = sought.map(({ prefix, hashes }) => headKey(prefix, hashes[next] ?? ''));
  const stored = await store.getMany(headCollection, keys);
  return sought.flatMap((one, index) => {
    const { key = '', document } = stored[index] ?? {};
    const head = document === undefined ? undefined : headOf(document);
    return head === undefined ? [] : [{ ...one, lists: [...one.lists, [{ key, head }]] }];
  });
};

/** `of`: the place of the term that is narrowed down; `by`: that of what leads to the words. */
type NarrowedPlaces = { readonly of: number; readonly by: number; readonly wordsMax: number };

/** The chats that have one of the words. */
const narrowed = async (
  store: PostingReads,
  sought: readonly Sought[],
  { of, by, wordsMax: max }: NarrowedPlaces,
): Promise<readonly Sought[]> => {
  const words = await Promise.all(
    sought.map(({ prefix, hashes }) => wordLists(store, headKey(prefix, hashes[by] ?? ''), max)),
  );
  return sought.flatMap((one, index) => {
    const lists = words[index];
    if (lists === undefined) return [one];
    return lists.length === 0 ? [] : [{ ...one, lists: one.lists.with(of, lists) }];
  });
};

/** Undefined when there are too many. */
const wordLists = async (store: PostingReads, prefix: string, max: number): Promise<Alternatives | undefined> => {
  const found = await store.scan({ collection: headCollection, prefix, limit: max + 1 });
  if (found.length > max) return undefined;
  return found.flatMap(({ key, document }) => {
    const head = headOf(document);
    return head === undefined ? [] : [{ key, head }];
  });
};

/** About. */
const lengthOf = (lists: Alternatives): number =>
  lists.reduce((length, { head: { ceilings, ids } }) => length + ceilings.length * 512 + ids.length, 0);

type StreamOf = {
  readonly chat: ChatKey;
  readonly lists: readonly Alternatives[];
  readonly direction: Direction;
  readonly from: bigint;
};

/** The candidates of one chat. */
type ChatStream = {
  readonly chat: ChatKey;
  /** Found and not given out, in order. */
  readonly ahead: bigint[];
  /** No later one comes before this id; undefined when there is none. */
  bound: bigint | undefined;
  readonly fill: (slice: Slice) => Promise<void>;
};

const chatStream = (reads: SearchReads, { chat, lists, direction, from }: StreamOf): ChatStream => {
  const cursors = lists.map((any) => cursorOfAny(reads.store, any, direction));
  const listsPerStep = lists.flat().length / lists.length;
  const past = direction === 'down' ? -1n : 1n;
  const stream: ChatStream = {
    chat,
    ahead: [],
    bound: direction === 'down' ? lower(from, highestIn(lists)) : from,
    fill: async (slice) => {
      while (stream.ahead.length < aheadMax && stream.bound !== undefined && !slice.isOver()) {
        const met = await meeting({ cursors, listsPerStep }, stream.bound, slice);
        stream.bound = met.at;
        if (!met.isAgreed || met.at === undefined) continue;
        stream.ahead.push(met.at);
        stream.bound = met.at + past;
      }
    },
  };
  return stream;
};

const lower = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const higher = (one: bigint, other: bigint): bigint => (one > other ? one : other);

/** No message is above the lowest of the highest ids. An emptied head says nothing. */
const highestIn = (lists: readonly Alternatives[]): bigint =>
  lists.reduce(
    (lowest, any) =>
      lower(
        lowest,
        any.reduce((highest, list) => higher(highest, highestOf(list)), 0n),
      ),
    idMax,
  );

const highestOf = ({ head: { ids, ceilings } }: PostingList): bigint => ids.at(-1) ?? ceilings.at(-1) ?? 0n;

/** Of each term one cursor, which goes through so many lists on an average. */
type Met = { readonly cursors: readonly PostingCursor[]; readonly listsPerStep: number };
type Meeting = { readonly at: bigint | undefined; readonly isAgreed: boolean };

/** The next message that is in all lists, or how far they came in the slice. */
const meeting = async ({ cursors, listsPerStep }: Met, from: bigint, slice: Slice): Promise<Meeting> => {
  let [at, agreed] = [from, 0];
  for (let steps = 1; agreed < cursors.length; steps += 1) {
    const cursor = cursors[steps % cursors.length];
    const next = cursor?.(at);
    const found = typeof next === 'bigint' || next === undefined ? next : await next;
    if (found === undefined) return { at: undefined, isAgreed: false };
    agreed = found === at ? agreed + 1 : 1;
    at = found;
    if (steps % stepsPerBreath !== 0) continue;
    slice.spend(stepsPerBreath * listsPerStep);
    await slice.breath();
    if (slice.isOver()) return { at, isAgreed: false };
  }
  slice.spend(cursors.length * listsPerStep);
  return { at, isAgreed: true };
};

const merged = (streams: readonly ChatStream[], direction: Direction): Candidates => {
  const isBefore = (one: bigint, other: bigint): boolean => (direction === 'down' ? one > other : one < other);
  const firstIn = ({ ahead: [first], bound }: ChatStream): bigint | undefined => first ?? bound;
  /** Of all streams the one that comes first. */
  const foremost = (): ChatStream | undefined => {
    let best: ChatStream | undefined;
    let bestId: bigint | undefined;
    for (const stream of streams) {
      const id = firstIn(stream);
      if (id === undefined || (bestId !== undefined && !isBefore(id, bestId))) continue;
      [best, bestId] = [stream, id];
    }
    return best;
  };
  return {
    isExhausted: () => foremost() === undefined,
    next: async (limit, slice) => {
      const found: Candidate[] = [];
      while (found.length < limit && !slice.isOver()) {
        const stream = foremost();
        if (stream === undefined) break;
        slice.spend(streams.length);
        const id = stream.ahead.shift();
        // MessageIds of messages are what the index holds.
        if (id !== undefined) found.push({ chat: stream.chat, message: id as MessageId });
        else await stream.fill(slice);
        await slice.breath();
      }
      return found;
    },
  };
};
