import type { Position } from '../../kernel/event.js';
import type { DocumentStore, Peek } from '../../kernel/ports/documentStore.js';
import { deferred, withDeadline, type Deferred } from '../../kernel/timing.js';
import { underWay } from '../../kernel/underWay.js';
import type { Projections } from './runner.js';

/** Documents that are open in this process and follow the log. */
export type FollowedDocuments = { readonly store: DocumentStore; readonly projections: Projections };

/** The documents that were to serve did not come to the end of the log while reads were held for them. Nothing was changed. */
export class NotLevel extends Error {
  constructor() {
    super(`they did not come to the end of the log within ${holdMillisMax.toString()} ms`);
    this.name = 'NotLevel';
  }
}

/** Reads are held so long at most, which is well below the time that a request may take. */
export const holdMillisMax = 2_000;

/** The documents that serve, which can be exchanged for others of the same types while they are read. */
export interface SwitchableDocuments {
  /** Those of the documents that serve. Writes are for the store itself. */
  readonly documents: DocumentStore;
  /** To be called once, before anything waits. */
  follow(this: void, projections: Projections): Projections;
  /**
   * From then on `next` serves, and no read sees less than one before it: reads that begin meanwhile are held until those
   * under way have ended and `next` has stored all that was in the log then. Rejects with `NotLevel`, and with what waiting for
   * `next` rejects with; then nothing was changed.
   */
  switchTo(this: void, next: FollowedDocuments, end: () => Promise<Position>): Promise<void>;
}

type Serving = { readonly store: DocumentStore; readonly projections: Projections | undefined };

export const switchableDocuments = (first: DocumentStore): SwitchableDocuments => {
  const reads = underWay();
  let serving: Serving = { store: first, projections: undefined };
  let hold: Deferred<undefined> | undefined;
  const following = (): Projections => {
    if (serving.projections === undefined) throw new Error('the documents do not follow the log yet');
    return serving.projections;
  };
  const read = <T>(ask: (store: DocumentStore) => Promise<T>): Promise<T> =>
    hold === undefined ? reads.add(ask(serving.store)) : hold.promise.then(() => read(ask));
  // A wait that ends after the documents were exchanged says nothing of those that are read then.
  const waited = (ask: (projections: Projections) => Promise<void> | undefined): Promise<void> | undefined => {
    if (hold !== undefined) return hold.promise.then(() => waited(ask));
    const asked = following();
    const isOld = (): boolean => hold !== undefined || serving.projections !== asked;
    return ask(asked)?.then(
      () => (isOld() ? waited(ask) : undefined),
      (error: unknown) => {
        if (isOld()) return waited(ask);
        throw error;
      },
    );
  };
  // Documents in memory of the former ones must not be mixed with stored ones of the next.
  const peek: Peek = (collection, key) => (hold === undefined ? following().peek(collection, key) : undefined);
  return {
    documents: readOf(() => serving.store, read),
    follow: (projections) => {
      serving = { ...serving, projections };
      return {
        reached: (position, names) => waited((of) => of.reached(position, names)),
        position: () => following().position(),
        folded: {
          position: () => following().folded.position(),
          reached: (position, names) => waited((of) => of.folded.reached(position, names)),
        },
        peek,
        role: () => following().role(),
        status: () => following().status(),
        close: () => following().close(),
      };
    },
    switchTo: async (next, end) => {
      if (hold !== undefined) throw new Error('the documents are exchanged already');
      // While nobody waits: holding reads is for the last few events.
      await next.projections.reached(await end());
      const held = (hold = deferred<undefined>());
      const level = async (): Promise<void> => {
        await reads.ended();
        await next.projections.reached(await end());
      };
      try {
        await withDeadline(level(), holdMillisMax, () => new NotLevel());
        serving = next;
      } finally {
        hold = undefined;
        held.resolve(undefined);
      }
    },
  };
};

const readOf = (
  store: () => DocumentStore,
  read: <T>(ask: (store: DocumentStore) => Promise<T>) => Promise<T>,
): DocumentStore => ({
  get: (collection, key) => read((from) => from.get(collection, key)),
  getMany: (collection, keys) => read((from) => from.getMany(collection, keys)),
  range: (range) => read((from) => from.range(range)),
  count: (range) => read((from) => from.count(range)),
  scan: (scan) => read((from) => from.scan(scan)),
  open: (collections) => store().open(collections),
  owner: () => store().owner(),
  collections: () => store().collections(),
  belongTo: (deployment) => store().belongTo(deployment),
  commit: (writes, checkpoints) => store().commit(writes, checkpoints),
  removePrefix: (collection, prefix) => store().removePrefix(collection, prefix),
  forget: (collection, keys) => store().forget(collection, keys),
  checkpoint: (projection) => store().checkpoint(projection),
  close: () => store().close(),
});
