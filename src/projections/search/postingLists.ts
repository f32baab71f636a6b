import type { Position } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import {
  blockCollection,
  blockDocument,
  blockIdsOf,
  blockKey,
  headCollection,
  headDocument,
  headOf,
} from './documents.js';
import { heldDocuments, type HeldDocuments, type HeldNeeds } from './heldDocuments.js';
import {
  blockIdsMax,
  blockOf,
  emptyHead,
  noIds,
  withId,
  withoutId,
  type MessageIds,
  type PostingHead,
} from './postings.js';

/** The posting lists that are worked on, each named by the key of its head. */
export interface PostingLists {
  readonly heads: HeldDocuments<PostingHead>;
  readonly blocks: HeldDocuments<MessageIds>;
  /**
   * Does nothing in a list that has the event, or the message, already. The head must be loaded. Undefined, without a
   * promise, when the message went into the head: so it is for nearly each.
   */
  add(this: void, list: string, posting: Posting): Promise<void> | undefined;
  remove(this: void, list: string, posting: Posting): Promise<void>;
  /** Takes these messages out, after all events so far and before the next. */
  sweep(this: void, list: string, swept: SweptOut): Promise<void>;
}

/** All events up to `committed` are stored. */
export type SweptOut = { readonly messages: ReadonlySet<MessageId>; readonly committed: Position };

/** `position`: see `positionOfEvent`. */
export type Posting = { readonly message: MessageId; readonly position: Position };

/**
 * Positions of documents of the index are spread, so that nearly this many sweeps of one document have a place between two
 * events of the log: each takes out one message at least. No store takes a position of 2^63, and those of EventStoreDB may
 * come near to 2^54.
 */
export const sweepsBetweenEvents = 512n;
export const positionOfEvent = (position: Position): Position => sweepsBetweenEvents * position;
export const eventOfPosition = (position: Position): Position => position / sweepsBetweenEvents;

/** Of a document that a sweep changes, which comes after all events up to `committed`. Throws when there is no place left before the next one. */
export const sweptAfter = (position: Position, committed: Position): Position => {
  const last = positionOfEvent(committed);
  const next = (position > last ? position : last) + 1n;
  if (next % sweepsBetweenEvents === 0n)
    throw new Error('a document of the search was swept too often since the last event');
  return next;
};

export const postingLists = (needs: HeldNeeds): PostingLists => {
  const heads = heldDocuments<PostingHead>(needs, {
    collection: headCollection,
    parsed: headOf,
    plain: (head) => ({ document: headDocument(head), indexKeys: {} }),
    bytesOf: ({ ids, ceilings }) => ids.buffer.byteLength + ceilings.buffer.byteLength,
  });
  const blocks = heldDocuments<MessageIds>(needs, {
    collection: blockCollection,
    parsed: blockIdsOf,
    plain: (ids) => ({ document: blockDocument(ids), indexKeys: {} }),
    bytesOf: (ids) => ids.buffer.byteLength,
  });
  const held: HeldLists = { heads, blocks };
  return {
    heads,
    blocks,
    add: (list, posting) => {
      const { value: head = emptyHead, position } = heads.of(list);
      if (position >= posting.position) return undefined;
      const ceiling = blockOf(head, posting.message);
      // A node whose clock is behind sends messages with lower ids than those that are in the log.
      if (ceiling !== undefined) return addToBlock(held, blockKey(list, ceiling), posting);
      addToHead(held, list, { head, posting });
      return undefined;
    },
    remove: async (list, posting) => {
      const { value: head, position } = heads.of(list);
      if (head === undefined || position >= posting.position) return;
      const ceiling = blockOf(head, posting.message);
      if (ceiling === undefined) {
        const fewer = withoutId(head.ids, posting.message);
        if (fewer !== head.ids) setHead(held, list, { head: { ...head, ids: fewer }, position: posting.position });
      } else if (await isEmptyWithout(held, blockKey(list, ceiling), posting)) {
        const ceilings = withoutId(head.ceilings, ceiling);
        setHead(held, list, { head: { ...head, ceilings }, position: posting.position });
      }
    },
    sweep: async (list, swept) => {
      const { messages, committed } = swept;
      await heads.load([list]);
      const { value: head, position } = heads.of(list);
      if (head === undefined) return;
      const ids = head.ids.filter((id) => !messages.has(id as MessageId));
      const ceilings = await sweptBlocks(held, list, { head, swept });
      if (ids.length === head.ids.length && ceilings.length === head.ceilings.length) return;
      setHead(held, list, { head: { ids, ceilings }, position: sweptAfter(position, committed) });
    },
  };
};

type HeldLists = Pick<PostingLists, 'heads' | 'blocks'>;
type Placed<T> = { readonly head: PostingHead } & T;

const addToHead = (held: HeldLists, list: string, { head, posting }: Placed<{ readonly posting: Posting }>): void => {
  const [{ ids, ceilings }, { message, position }] = [head, posting];
  const highest = ids.at(-1);
  if (highest !== undefined && ids.length >= blockIdsMax && message > highest) {
    held.blocks.set(blockKey(list, highest), ids, position);
    held.heads.set(list, { ceilings: withId(ceilings, highest), ids: withId(noIds, message) }, position);
    return;
  }
  const more = withId(ids, message);
  if (more !== ids) held.heads.set(list, { ceilings, ids: more }, position);
};

const addToBlock = async ({ blocks }: HeldLists, key: string, { message, position }: Posting): Promise<void> => {
  await blocks.load([key]);
  const { value, position: stored } = blocks.of(key);
  const ids = withId(value ?? noIds, message);
  if (stored < position && ids !== value) blocks.set(key, ids, position);
};

/** Takes the message out of the block. Also true where a commit that came to no end has emptied it. */
const isEmptyWithout = async ({ blocks }: HeldLists, key: string, { message, position }: Posting): Promise<boolean> => {
  await blocks.load([key]);
  const { value, position: stored } = blocks.of(key);
  if (value === undefined) return true;
  const ids = withoutId(value, message);
  if (stored >= position || ids === value) return false;
  blocks.set(key, ids.length === 0 ? undefined : ids, position);
  return ids.length === 0;
};

const setHead = (
  { heads }: HeldLists,
  list: string,
  { head, position }: Placed<{ readonly position: Position }>,
): void => {
  const isEmpty = head.ids.length === 0 && head.ceilings.length === 0;
  heads.set(list, isEmpty ? undefined : head, position);
};

/** Sweeps the blocks that may have one of the messages. Answers the ceilings of those that have any left. */
const sweptBlocks = async (
  { blocks }: HeldLists,
  list: string,
  { head, swept: { messages, committed } }: Placed<{ readonly swept: SweptOut }>,
): Promise<MessageIds> => {
  // Most lists have no blocks, and there may be many messages.
  if (head.ceilings.length === 0) return head.ceilings;
  const concerned = new Set<bigint>();
  for (const message of messages) {
    const ceiling = blockOf(head, message);
    if (ceiling !== undefined) concerned.add(ceiling);
  }
  let { ceilings } = head;
  for (const ceiling of concerned) {
    const key = blockKey(list, ceiling);
    await blocks.load([key]);
    const { value, position } = blocks.of(key);
    const ids = value?.filter((id) => !messages.has(id as MessageId)) ?? noIds;
    if (value !== undefined && ids.length < value.length) {
      blocks.set(key, ids.length === 0 ? undefined : ids, sweptAfter(position, committed));
    }
    if (ids.length === 0) ceilings = withoutId(ceilings, ceiling);
  }
  return ceilings;
};
