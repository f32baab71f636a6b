import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { blockCollection, blockIdsOf, blockKey } from './documents.js';
import { noIds, placeIn, type MessageIds, type PostingHead } from './postings.js';

/** Newest first, or oldest first. */
export type Direction = 'down' | 'up';

/** The next message of a list from `from` on, inclusive, in its direction. A promise where a block has to be read first. */
export type PostingCursor = (from: bigint) => Found | Promise<Found>;
type Found = bigint | undefined;

/** Blocks that are read together, and those that are kept. */
export const blocksPerRead = 8;
const blocksKept = 2 * blocksPerRead;

export type PostingList = { readonly key: string; readonly head: PostingHead };

/** Through the messages that are in any of the lists. To be asked in its direction alone, where there are several. */
export const cursorOfAny = (
  reads: Pick<DocumentStore, 'getMany'>,
  lists: readonly PostingList[],
  direction: Direction,
): PostingCursor => {
  const cursors = lists.map((list) => postingCursor(reads, list, direction));
  const [first] = cursors;
  if (first !== undefined && cursors.length === 1) return first;
  const isDown = direction === 'down';
  const isBefore = (one: bigint, other: bigint): boolean => (isDown ? one > other : one < other);
  /** Of each list the message that was found last, which is the next one until it has been passed. */
  const known: Found[] = cursors.map(() => (isDown ? beyondAll : -1n));
  const find = (from: bigint, begin: number, best: Found): Found | Promise<Found> => {
    let nearest = best;
    for (let at = begin; at < cursors.length; at += 1) {
      let id = known[at];
      if (id !== undefined && isBefore(id, from)) {
        const next = cursors[at]?.(from);
        if (next instanceof Promise) {
          const [reached, soFar] = [at, nearest];
          return next.then((found) => {
            known[reached] = found;
            return find(from, reached, soFar);
          });
        }
        known[at] = id = next;
      }
      if (id !== undefined && (nearest === undefined || isBefore(id, nearest))) nearest = id;
    }
    return nearest;
  };
  return (from) => find(from, 0, undefined);
};

/** Above all ids. */
const beyondAll = 1n << 64n;

const postingCursor = (
  { getMany }: Pick<DocumentStore, 'getMany'>,
  { key, head }: PostingList,
  direction: Direction,
): PostingCursor => {
  const { ceilings } = head;
  const kept = new Map<number, MessageIds>([[ceilings.length, head.ids]]);
  const step = direction === 'down' ? -1 : 1;
  const isThere = (part: number): boolean => part >= 0 && part <= ceilings.length;
  const read = async (part: number): Promise<void> => {
    const parts = Array.from({ length: blocksPerRead }, (_, at) => part + step * at);
    const wanted = parts.filter((one) => one >= 0 && one < ceilings.length);
    const keys = wanted.map((one) => blockKey(key, ceilings[one] ?? 0n));
    if (kept.size > blocksKept) kept.clear();
    kept.set(ceilings.length, head.ids);
    const blocks = await getMany(blockCollection, keys);
    for (const [at, one] of wanted.entries()) {
      const document = blocks[at]?.document;
      kept.set(one, (document === undefined ? undefined : blockIdsOf(document)) ?? noIds);
    }
  };
  const inPart = nextIn(direction);
  const find = (from: bigint, first: number): Found | Promise<Found> => {
    for (let part = first; isThere(part); part += step) {
      const ids = kept.get(part);
      if (ids === undefined) return read(part).then(() => find(from, part));
      const found = inPart(ids, from);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return (from) => find(from, placeIn(ceilings, from));
};

/** Lists are mostly gone through step by step, so the place is first looked for near the last one. */
const nextIn = (direction: Direction): ((ids: MessageIds, from: bigint) => Found) => {
  let [of, place] = [noIds, 0];
  const placeNear = (ids: MessageIds, from: bigint): number => {
    if (ids !== of) [of, place] = [ids, placeIn(ids, from)];
    else {
      for (let steps = 0; ; steps += 1) {
        if (steps > nearSteps) {
          place = placeIn(ids, from);
          break;
        }
        if (place > 0 && (ids[place - 1] ?? 0n) >= from) place -= 1;
        else if (place < ids.length && (ids[place] ?? 0n) < from) place += 1;
        else break;
      }
    }
    return place;
  };
  if (direction === 'up') return (ids, from) => ids[placeNear(ids, from)];
  return (ids, from) => {
    const at = placeNear(ids, from);
    return ids[at] === from ? from : ids[at - 1];
  };
};
const nearSteps = 3;
