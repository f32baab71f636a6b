import { setTimeout as pause } from 'node:timers/promises';
import type { Engines } from '../../../src/engines.js';
import type { DocumentStore, DocumentWrite, IndexRange } from '../../../src/kernel/ports/documentStore.js';
import type { EventLog, StoredEvent } from '../../../src/kernel/ports/eventLog.js';
import type { Violation } from './history.js';

/** Something that is wrong with a server on purpose, and as what it has to be found. */
export type Fault = {
  readonly name: string;
  readonly found: readonly Violation['kind'][];
  readonly plant: () => Planted;
};

export type Planted = {
  readonly engines: (opened: Engines) => Engines;
  /** Until then all is well, so that a town can be founded. */
  readonly begin: () => void;
};

type Named = Omit<Fault, 'plant'>;
type IsBegun = () => boolean;

const fault = (named: Named, wrong: (opened: Engines, isBegun: IsBegun) => Partial<Engines>): Fault => ({
  ...named,
  plant: () => {
    let begun = false;
    return {
      engines: (opened) => ({ ...opened, ...wrong(opened, () => begun) }),
      begin: () => {
        begun = true;
      },
    };
  },
});

const ofDocuments = (named: Named, wrong: (store: DocumentStore, isBegun: IsBegun) => Partial<DocumentStore>): Fault =>
  fault(named, ({ documents }, isBegun) => ({ documents: { ...documents, ...wrong(documents, isBegun) } }));

type Batch = readonly StoredEvent[];

const ofUpdates = (named: Named, wrong: () => (batch: Batch) => readonly Batch[]): Fault =>
  fault(named, ({ log }, isBegun) => {
    const changed = wrong();
    return { log: tellingWrongly(log, (batch) => (isBegun() ? changed(batch) : [batch])) };
  });

/** Only the subscription of the updates is wrong. A log does not hear who subscribes, so the calls on the stack say it. */
const tellingWrongly = (log: EventLog, wrong: (batch: Batch) => readonly Batch[]): EventLog => ({
  ...log,
  subscribe: (after) => {
    const subscription = log.subscribe(after);
    if (!(new Error('asked by').stack ?? '').includes('/updates/fanOut.')) return subscription;
    async function* batches(): AsyncGenerator<Batch> {
      for await (const batch of subscription) yield* wrong(batch).filter(({ length }) => length > 0);
    }
    return {
      close: () => {
        subscription.close();
      },
      [Symbol.asyncIterator]: batches,
    };
  },
});

/** True once in so many times. */
const every = (times: number): (() => boolean) => {
  let count = 0;
  return () => (count += 1) % times === 0;
};
const often = 8;

const isMessage = ({ stream }: StoredEvent): boolean => stream.startsWith('message-');

const lateMillis = 20;

const late = ofDocuments({ name: 'a read 20 ms late', found: ['missed'] }, (store, isBegun) => {
  let before: Promise<unknown> = Promise.resolve();
  return {
    commit: async (...batch) => {
      if (!isBegun()) return store.commit(...batch);
      const due = pause(lateMillis);
      before = before
        .then(() => due)
        .then(() => store.commit(...batch))
        // In the end the server may have closed it.
        .catch(() => undefined);
    },
  };
});

const isDeletion = ({ collection, document }: DocumentWrite): boolean =>
  document === undefined && collection.startsWith('messages');

/** Of several deletions the first is stored, and the others a moment after that was said. */
const half = ofDocuments({ name: 'a read that shows half of a request', found: ['half'] }, (store, isBegun) => {
  let before: Promise<unknown> = Promise.resolve();
  return {
    commit: async (writes, checkpoints) => {
      await before;
      const [, ...late] = isBegun() ? writes.filter(isDeletion) : [];
      await store.commit(
        writes.filter((write) => !late.includes(write)),
        checkpoints,
      );
      if (late.length > 0) before = pause(lateMillis).then(() => store.commit(late, []).catch(() => undefined));
    },
  };
});

const back = ofDocuments({ name: 'a session that goes back', found: ['back'] }, (store, isBegun) => {
  const remembered = new Map<string, Awaited<ReturnType<DocumentStore['range']>>>();
  const isStale = every(often);
  const nameOf = ({ collection, index, within, limit }: IndexRange): string =>
    [collection, index, limit, ...within].join(' ');
  return {
    range: async (range) => {
      const found = await store.range(range);
      const name = nameOf(range);
      const before = remembered.get(name);
      if (before !== undefined && isBegun() && isStale()) return before;
      remembered.set(name, found);
      return found;
    },
  };
});

const twice = ofUpdates({ name: 'an update twice', found: ['twice'] }, () => {
  const isRepeated = every(often);
  return (batch) => (batch.some(isMessage) && isRepeated() ? [batch, batch.filter(isMessage)] : [batch]);
});

const misplaced = ofUpdates({ name: 'an update out of order', found: ['order'] }, () => {
  const isHeld = every(often);
  let held: Batch = [];
  return (batch) => {
    const before = held;
    const late = batch.find(isMessage);
    held = late !== undefined && isHeld() ? [late] : [];
    return [[...batch.filter((stored) => !held.includes(stored)), ...before]];
  };
});

const lost = ofUpdates({ name: 'a lost update', found: ['lost'] }, () => {
  const isLost = every(often);
  return (batch) => [batch.filter((stored) => !(isMessage(stored) && isLost()))];
});

export const faults: readonly Fault[] = [late, half, back, twice, misplaced, lost];
