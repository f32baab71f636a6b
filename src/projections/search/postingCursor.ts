import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { blockCollection, blockIdsOf, blockKey } from './documents.js';
import { noIds, placeIn, type MessageIds, type PostingHead } from './postings.js';

/** Newest first, or oldest first. */
export type Direction = 'down' | 'up';

/** The next message of a list from `from` on, inclusive, in its direction. A promise where a block has to be read first. */
export type PostingCursor = (from: bigint) => Found | Promise<Found>;
type Found = bigint | undefined;

/** Blocks that are read together; those of two reads are kept. */
export const blocksPerRead = 8;
const keptPerRead = 2;

export type PostingList = { readonly key: string; readonly head: PostingHead };

/**
 * Through the messages that are in any of the lists. To be asked in its direction alone, where there are several. They are read at
 * the same time, and share the blocks that one list would have read and kept.
 */
export const cursorOfAny = (
  reads: Pick<DocumentStore, 'getMany'>,
  lists: readonly PostingList[],
  direction: Direction,
): PostingCursor => {
  const blocks = Math.max(1, Math.floor(blocksPerRead / lists.length));
  const cursors = lists.map((list) => postingCursor(reads, { blocks, ...list }, direction));
  const [first] = cursors;
  if (first !== undefined && cursors.length === 1) return first;
  const isDown = direction === 'down';
  const isBefore = (one: bigint, other: bigint): boolean => (isDown ? one > other : one < other);
  /** Of each list the message that was found last, which is the next one until it has been passed. */
  const known: Found[] = cursors.map(() => (isDown ? beyondAll : -1n));
  const nearest = (): Found => {
    let found: Found;
    for (const id of known) if (id !== undefined && (found === undefined || isBefore(id, found))) found = id;
    return found;
  };
  return (from) => {
    const reading: Promise<void>[] = [];
    for (const [at, cursor] of cursors.entries()) {
      const id = known[at];
      if (id === undefined || !isBefore(id, from)) continue;
      const next = cursor(from);
      if (next instanceof Promise) {
        reading.push(
          next.then((found) => {
            known[at] = found;
          }),
        );
      } else known[at] = next;
    }
    return reading.length === 0 ? nearest() : Promise.all(reading).then(nearest);
  };
};

/** Above all ids. */
const beyondAll = 1n << 64n;

const postingCursor = (
  { getMany }: Pick<DocumentStore, 'getMany'>,
  { key, head, blocks: together }: PostingList & { readonly blocks: number },
  direction: Direction,
): PostingCursor => {
  const { ceilings } = head;
  const kept = new Map<number, MessageIds>([[ceilings.length, head.ids]]);
  const step = direction === 'down' ? -1 : 1;
  const isThere = (part: number): boolean => part >= 0 && part <= ceilings.length;
  const read = async (part: number): Promise<void> => {
    const parts = Array.from({ length: together }, (_, at) => part + step * at);
    const wanted = parts.filter((one) => one >= 0 && one < ceilings.length);
    const keys = wanted.map((one) => blockKey(key, ceilings[one] ?? 0n));
    if (kept.size > keptPerRead * together) kept.clear();
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
