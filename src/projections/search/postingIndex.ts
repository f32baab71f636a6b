import type { ChatKey } from '../../kernel/chat.js';
import type { Position } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import { removalsPerCommitMax, type DocumentStore, type DocumentWrite } from '../../kernel/ports/documentStore.js';
import {
  blockCollection,
  chatPrefixOf,
  headCollection,
  headKey,
  recordCollection,
  recordKey,
  searchCheckpoint,
  type ChatPrefix,
  type HashedTerm,
  type RecordDocument,
} from './documents.js';
import { inTurns, type HeldDocuments, type HeldNeeds } from './heldDocuments.js';
import { messageRecords } from './messageRecords.js';
import {
  positionOfEvent,
  postingLists,
  sweptAfter,
  type Posting,
  type PostingLists,
  type SweptOut,
} from './postingLists.js';

/** The message in the index, as an event leaves it. */
export type IndexedChange = {
  readonly position: Position;
  readonly message: MessageId;
  readonly chat: ChatKey;
} & (
  | ({ readonly kind: 'sent' } & Indexed)
  | ({ readonly kind: 'edited'; readonly former: FormerTerms } & Indexed)
  | { readonly kind: 'deleted'; readonly former: FormerTerms }
);

type Indexed = RecordDocument & { readonly terms: readonly HashedTerm[] };

/** The terms of the message before the event. `closed`: nobody can tell, because a key is gone or the event before does not read. */
export type FormerTerms = readonly HashedTerm[] | 'closed';

export type SearchStore = Pick<
  DocumentStore,
  'getMany' | 'range' | 'scan' | 'commit' | 'checkpoint' | 'removePrefix' | 'forget'
>;

/** The posting lists and the records of messages, as one process works on them. */
export interface PostingIndex {
  /** Begins at the stored checkpoint, which it answers. Changes that were folded and not committed are forgotten. */
  begin(): Promise<Position>;
  /** Changes in the order of the log, each event after all before. Nothing is stored. */
  fold(changes: readonly IndexedChange[]): Promise<void>;
  /** Stores all that was folded: the index holds all events up to `position`. */
  commit(position: Position): Promise<void>;
  /** The stored checkpoint. */
  committed(): Position;
  /** Whether something was folded that is not stored. */
  isDirty(): boolean;
  /**
   * Takes messages, with their records, out of all lists of their chat, whichever those are, and commits. Only when
   * nothing is dirty.
   */
  sweep(chat: ChatPrefix, messages: ReadonlySet<MessageId>): Promise<void>;
  /** The same of those of `takeClosed`. One that was edited since stays in the lists of its newest words. */
  sweepClosed(chat: ChatPrefix, closed: Standing): Promise<void>;
  /** Takes out all that there is of a chat. Only when nothing is dirty. */
  drop(chat: ChatKey): Promise<void>;
  /** Messages that were deleted or edited since this was asked last, and whose former terms nobody could tell. To be swept. */
  takeClosed(): ReadonlyMap<ChatPrefix, Standing>;
}

export type PostingIndexNeeds = Pick<HeldNeeds, 'onDamaged'> & {
  readonly store: SearchStore;
  /** As of the lease under which this process writes. */
  readonly commit: DocumentStore['commit'];
  /** Lets others have the thread when it was held for long enough. */
  readonly breath: () => Promise<void> | undefined;
};

export const listsPerScan = 100;
export const writesPerCommit = 200;

export const postingIndex = (needs: PostingIndexNeeds): PostingIndex => {
  const { store, breath } = needs;
  const held: Held = { lists: postingLists(needs), records: messageRecords(needs), closed: new Map() };
  const { lists, records, closed } = held;
  let committed: Position = 0n;
  let isDirty = false;
  const clear = (): void => {
    for (const one of [lists.heads, lists.blocks, records]) one.clear();
    isDirty = false;
  };
  const commit = async (position: Position): Promise<void> => {
    await committing(needs, held, { from: committed, to: position });
    committed = position;
    isDirty = false;
    await forgetRemoved(needs, held);
  };
  const sweep = (prefix: ChatPrefix, messages: ReadonlySet<MessageId>, standing: Standing): Promise<void> => {
    const commitSwept = (): Promise<void> => commit(committed);
    return sweepOut(needs, held, { prefix, messages, standing, committed, commitSwept });
  };
  return {
    committed: () => committed,
    isDirty: () => isDirty,
    begin: async () => {
      clear();
      return (committed = await store.checkpoint(searchCheckpoint));
    },
    fold: async (changes) => {
      if (changes.length === 0) return;
      isDirty = true;
      await records.load(recordsOfClosed(changes));
      const plans = await plansOf(held, changes, breath);
      await lists.heads.load(plans.flatMap(({ added, removed }) => [...added, ...removed]));
      for (const plan of plans) await carryOut(lists, plan, breath);
    },
    commit,
    sweep: (prefix, messages) => sweep(prefix, messages, nowhere),
    sweepClosed: (prefix, standing) => sweep(prefix, new Set(standing.keys()), standing),
    drop: async (chat) => {
      clear();
      for (const collection of [blockCollection, headCollection, recordCollection]) {
        while ((await store.removePrefix(collection, chatPrefixOf(chat))) >= removalsPerCommitMax) await breath();
      }
    },
    takeClosed: () => {
      const taken = new Map(closed);
      closed.clear();
      return taken;
    },
  };
};

/** Whether such a message is in the index at all, only its record tells. */
const recordsOfClosed = (changes: readonly IndexedChange[]): readonly string[] =>
  changes
    .filter((change) => change.kind !== 'sent' && change.former === 'closed')
    .map(({ chat, message }) => recordKey(chatPrefixOf(chat), message));

type Held = {
  readonly lists: PostingLists;
  readonly records: HeldDocuments<RecordDocument>;
  readonly closed: Map<ChatPrefix, Map<MessageId, Lists>>;
};

/** The effect of a change on the posting lists, which are named by the keys of their heads. */
type Plan = { readonly posting: Posting; readonly added: readonly string[]; readonly removed: readonly string[] };

const plansOf = async (
  held: Held,
  changes: readonly IndexedChange[],
  breath: PostingIndexNeeds['breath'],
): Promise<readonly Plan[]> => {
  const plans: Plan[] = [];
  for (const change of changes) {
    plans.push(planOf(held, change));
    const resting = breath();
    if (resting !== undefined) await resting;
  }
  return plans;
};

/** Notes the change in the message's record, and says what it does to the lists. */
const planOf = (held: Held, change: IndexedChange): Plan => {
  const { message, chat } = change;
  const [prefix, position] = [chatPrefixOf(chat), positionOfEvent(change.position)];
  const listsOf = (terms: readonly HashedTerm[]): readonly string[] => terms.map((term) => headKey(prefix, term));
  const added = change.kind === 'deleted' ? [] : listsOf(change.terms);
  const key = recordKey(prefix, message);
  const former = formerOf(held, change, key);
  const isClosed = noteClosed(held, prefix, { message, former, added });
  if (change.kind !== 'deleted') {
    const { subject, period } = change;
    held.records.set(key, { subject, period }, position);
    // The record is the only trace of a message that nobody can take out of its lists, until it is swept.
  } else if (!isClosed) held.records.set(key, undefined, position);
  const posting = { message, position };
  if (former === 'closed' || former.length === 0) return { posting, added, removed: [] };
  const has = new Set(added);
  return { posting, added, removed: listsOf(former).filter((list) => !has.has(list)) };
};

/** A message without a record is in no list: its words were never indexed, or were swept out. */
const formerOf = ({ records }: Held, change: IndexedChange, key: string): FormerTerms => {
  if (change.kind === 'sent') return [];
  return change.former === 'closed' && records.of(key).value === undefined ? [] : change.former;
};

type Closing = { readonly message: MessageId; readonly former: FormerTerms; readonly added: readonly string[] };

/** Whether the message is to be swept, from this event on or from an earlier one. */
const noteClosed = ({ closed }: Held, prefix: ChatPrefix, { message, former, added }: Closing): boolean => {
  const known = closed.get(prefix);
  if (former !== 'closed' && known?.has(message) !== true) return false;
  closed.set(prefix, (known ?? new Map<MessageId, Lists>()).set(message, new Set(added)));
  return true;
};

const carryOut = async (
  lists: PostingLists,
  { posting, added, removed }: Plan,
  breath: PostingIndexNeeds['breath'],
): Promise<void> => {
  await inTurns(added, breath, (list) => lists.add(list, posting));
  await inTurns(removed, breath, (list) => lists.remove(list, posting));
  const resting = breath();
  if (resting !== undefined) await resting;
};

type Commit = { readonly from: Position; readonly to: Position };

/**
 * A commit is several, in an order in which each may be the last, or half done, before a crash. Records of messages come first, so
 * that no posting is without one. Then full blocks, before the heads that name them; then heads; at last the removal of
 * records, and the checkpoint. The content of a document follows from the events up to its position alone, so a former
 * holder of the lease that still writes puts there what is there.
 */
const committing = async (
  needs: Pick<PostingIndexNeeds, 'commit' | 'breath'>,
  { lists: { heads, blocks }, records }: Held,
  { from, to }: Commit,
): Promise<void> => {
  const write = async (writes: Iterable<DocumentWrite>, position: Position): Promise<void> => {
    // A store prepares a commit in one go, so a large one would keep the thread from everybody else.
    for (const some of inGroups(writes, writesPerCommit)) {
      await needs.commit(some, [{ projection: searchCheckpoint, position: from }]);
      await needs.breath();
    }
    if (position !== from) await needs.commit([], [{ projection: searchCheckpoint, position }]);
  };
  await write(records.writes('kept'), from);
  await write(blocks.writes(), from);
  await write(heads.writes(), from);
  await write(records.writes('removed'), to);
};

function* inGroups<T>(all: Iterable<T>, countMax: number): Generator<readonly T[]> {
  let group: T[] = [];
  for (const one of all) {
    group.push(one);
    if (group.length < countMax) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Nothing that was removed comes again once the checkpoint has passed it, so nothing needs to show that it was there. */
const forgetRemoved = async (
  { store, breath }: PostingIndexNeeds,
  { lists: { heads, blocks }, records }: Pick<Held, 'lists' | 'records'>,
): Promise<void> => {
  const removed = [
    [headCollection, await heads.settle()],
    [blockCollection, await blocks.settle()],
    [recordCollection, await records.settle()],
  ] as const;
  for (const [collection, keys] of removed) {
    for (let at = 0; at < keys.length; at += writesPerCommit) {
      await store.forget(collection, keys.slice(at, at + writesPerCommit));
      await breath();
    }
  }
};

/** The keys of lists, by their heads. */
type Lists = ReadonlySet<string>;
/** Messages, and the lists in which each stands rightly. */
export type Standing = ReadonlyMap<MessageId, Lists>;

const nowhere: Standing = new Map();

type Swept = SweptOut & {
  readonly standing: Standing;
  readonly prefix: ChatPrefix;
  readonly commitSwept: () => Promise<void>;
};

const sweepOut = async (needs: PostingIndexNeeds, { lists, records }: Held, swept: Swept): Promise<void> => {
  const { prefix, messages, standing, committed, commitSwept } = swept;
  await sweepLists(needs, lists, swept);
  const gone = [...messages].filter((message) => (standing.get(message)?.size ?? 0) === 0);
  const keys = gone.map((message) => recordKey(prefix, message));
  await records.load(keys);
  for (const key of keys) {
    const { value, position } = records.of(key);
    if (value !== undefined) records.set(key, undefined, sweptAfter(position, committed));
  }
  await commitSwept();
};

const sweepLists = async (
  { store, breath }: PostingIndexNeeds,
  lists: PostingLists,
  { prefix, commitSwept, messages, standing, committed }: Swept,
): Promise<void> => {
  const edited = [...messages].filter((message) => (standing.get(message)?.size ?? 0) > 0);
  let after = {};
  for (;;) {
    const found = await store.scan({ collection: headCollection, prefix, limit: listsPerScan, ...after });
    for (const { key } of found) {
      const staying = new Set(edited.filter((message) => standing.get(message)?.has(key)));
      const leaving = staying.size === 0 ? messages : new Set([...messages].filter((one) => !staying.has(one)));
      if (leaving.size > 0) await lists.sweep(key, { messages: leaving, committed });
      await breath();
    }
    await commitSwept();
    const last = found.at(-1);
    if (last === undefined || found.length < listsPerScan) return;
    after = { after: last.key };
  }
};
