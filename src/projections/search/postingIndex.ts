import type { ChatKey } from '../../kernel/chat.js';
import type { Position } from '../../kernel/event.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { after } from '../../kernel/timing.js';
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
} from './documents.js';
import type { HeldNeeds } from './heldDocuments.js';
import { messageRecords, type MessageRecords, type RecordSealer } from './messageRecords.js';
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
  | {
      /** `sent`: nothing was there before. */
      readonly kind: 'sent' | 'edited';
      /** The user whose key seals the message. */
      readonly subject: UserId;
      /** Of that key. */
      readonly period: string;
      readonly terms: readonly HashedTerm[];
    }
  | { readonly kind: 'deleted' }
);

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
  /** The same of those of `takeClosed`. One that was edited since has a record again, and stays in the lists that this names. */
  sweepClosed(chat: ChatPrefix, messages: ReadonlySet<MessageId>): Promise<void>;
  /** Takes out all that there is of a chat. Only when nothing is dirty. */
  drop(chat: ChatKey): Promise<void>;
  /** Deleted or edited messages whose records did not open, or are damaged, since this was asked last. To be swept. */
  takeClosed(): ReadonlyMap<ChatPrefix, ReadonlySet<MessageId>>;
}

export type PostingIndexNeeds = Pick<HeldNeeds, 'onDamaged'> & {
  readonly store: SearchStore;
  /** As of the lease under which this process writes. */
  readonly commit: DocumentStore['commit'];
  readonly sealer: RecordSealer;
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
      await records.held.load(formerRecords(changes));
      const plans = await plansOf(held, changes, { committed, breath });
      await lists.heads.load(plans.flatMap(({ added, removed }) => [...added, ...removed]));
      for (const plan of plans) await carryOut(lists, plan, breath);
    },
    commit,
    sweep: (prefix, messages) => sweep(prefix, messages, nowhere),
    sweepClosed: async (prefix, messages) => {
      await sweep(prefix, messages, await standingIn(records, { prefix, messages, committed }));
    },
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

/** A message that is only now sent has no record, so none is read for it. */
const formerRecords = (changes: readonly IndexedChange[]): readonly string[] =>
  changes.filter(({ kind }) => kind !== 'sent').map(({ chat, message }) => recordKey(chatPrefixOf(chat), message));

type Held = {
  readonly lists: PostingLists;
  readonly records: MessageRecords;
  readonly closed: Map<ChatPrefix, Set<MessageId>>;
};

/** The effect of a change on the posting lists, which are named by the keys of their heads. */
type Plan = { readonly posting: Posting; readonly added: readonly string[]; readonly removed: readonly string[] };

const plansOf = async (
  held: Held,
  changes: readonly IndexedChange[],
  { committed, breath }: Pick<PostingIndexNeeds, 'breath'> & { readonly committed: Position },
): Promise<readonly Plan[]> => {
  const plans: Plan[] = [];
  for (const change of changes) {
    const plan = planOf(held, change, committed);
    plans.push(plan instanceof Promise ? await plan : plan);
    const resting = breath();
    if (resting !== undefined) await resting;
  }
  return plans;
};

/** Notes the change in the message's record, and says what it does to the lists. */
const planOf = (held: Held, change: IndexedChange, committed: Position): Plan | Promise<Plan> => {
  if (change.kind === 'sent') return planned(held, change, []);
  const key = recordKey(chatPrefixOf(change.chat), change.message);
  return held.records.termsIn(key, positionOfEvent(committed)).then((found) => planned(held, change, found));
};

/** `found`: the terms that the message has. */
const planned = (
  { records, closed }: Held,
  change: IndexedChange,
  found: readonly HashedTerm[] | 'closed',
): Plan | Promise<Plan> => {
  const { message, chat } = change;
  const [prefix, position] = [chatPrefixOf(chat), positionOfEvent(change.position)];
  const key = recordKey(prefix, message);
  if (found === 'closed') closed.set(prefix, (closed.get(prefix) ?? new Set()).add(message));
  const former = found === 'closed' || found.length === 0 ? [] : [...new Set(found)];
  const listsOf = (terms: readonly HashedTerm[]): readonly string[] => terms.map((term) => headKey(prefix, term));
  const removal = (): Plan => {
    // A record that does not open is the only trace of its message, until the message is swept.
    if (found !== 'closed') records.remove(key, position);
    return { posting: { message, position }, added: [], removed: listsOf(former) };
  };
  if (change.kind === 'deleted') return removal();
  const { subject, period } = change;
  const has = new Set(change.terms);
  const [terms, leaving] = [[...has], former.filter((term) => !has.has(term))];
  return after(records.put(key, { message, chat, subject, period, terms, leaving }, position), (isPut) =>
    isPut ? { posting: { message, position }, added: listsOf(terms), removed: listsOf(leaving) } : removal(),
  );
};

const carryOut = async (
  lists: PostingLists,
  { posting, added, removed }: Plan,
  breath: PostingIndexNeeds['breath'],
): Promise<void> => {
  for (const list of added) {
    const adding = lists.add(list, posting);
    if (adding !== undefined) await adding;
  }
  for (const list of removed) await lists.remove(list, posting);
  const resting = breath();
  if (resting !== undefined) await resting;
};

type Commit = { readonly from: Position; readonly to: Position };

/**
 * A commit is several, in an order in which each may be the last, or half done, before a crash. Records of messages come first: they
 * name the terms that a message has and those that it loses, so that folding the same events again finds both. Then
 * full blocks, before the heads that name them; then heads; at last the removal of records, and the checkpoint. The
 * content of a document follows from the events up to its position alone, so a former holder of the lease that still
 * writes puts there what is there.
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
  await write(records.held.writes('kept'), from);
  await write(blocks.writes(), from);
  await write(heads.writes(), from);
  await write(records.held.writes('removed'), to);
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

/** The lists of each message that was edited since its record did not open. */
type Standing = ReadonlyMap<MessageId, ReadonlySet<string>>;

const nowhere: Standing = new Map();

const standingIn = async (
  records: MessageRecords,
  { prefix, messages, committed }: SweptOut & { readonly prefix: ChatPrefix },
): Promise<Standing> => {
  const standing = new Map<MessageId, ReadonlySet<string>>();
  await records.held.load([...messages].map((message) => recordKey(prefix, message)));
  for (const message of messages) {
    const terms = await records.termsIn(recordKey(prefix, message), positionOfEvent(committed));
    if (terms === 'closed' || terms.length === 0) continue;
    standing.set(message, new Set(terms.map((term) => headKey(prefix, term))));
  }
  return standing;
};

type Swept = SweptOut & {
  readonly standing: Standing;
  readonly prefix: ChatPrefix;
  readonly commitSwept: () => Promise<void>;
};

const sweepOut = async (needs: PostingIndexNeeds, { lists, records }: Held, swept: Swept): Promise<void> => {
  const { prefix, messages, standing, committed, commitSwept } = swept;
  await sweepLists(needs, lists, swept);
  const gone = [...messages].filter((message) => !standing.has(message)).map((message) => recordKey(prefix, message));
  await records.held.load(gone);
  for (const key of gone) {
    const { value, position } = records.held.of(key);
    if (value !== undefined) records.remove(key, sweptAfter(position, committed));
  }
  await commitSwept();
};

const sweepLists = async (
  { store, breath }: PostingIndexNeeds,
  lists: PostingLists,
  { prefix, commitSwept, messages, standing, committed }: Swept,
): Promise<void> => {
  let after = {};
  for (;;) {
    const found = await store.scan({ collection: headCollection, prefix, limit: listsPerScan, ...after });
    for (const { key } of found) {
      const leaving = new Set([...messages].filter((message) => standing.get(message)?.has(key) !== true));
      if (leaving.size > 0) await lists.sweep(key, { messages: leaving, committed });
      await breath();
    }
    await commitSwept();
    const last = found.at(-1);
    if (last === undefined || found.length < listsPerScan) return;
    after = { after: last.key };
  }
};
