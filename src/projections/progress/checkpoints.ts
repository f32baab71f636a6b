import { collectionOf, type Projection } from '../../kernel/document.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';

/**
 * The name under which a projection's checkpoint is stored. It carries the versions of its documents: when one is raised
 * or another joins, there is no checkpoint of that name, and the log is folded again from its start. Documents that
 * were there before are not harmed by that, since each knows its position.
 */
export const checkpointOf = ({ name, documents }: Projection): string =>
  `${name} ${documents.map(collectionOf).join(' ')}`;

/**
 * Of a build by several workers: where the log ended when they were last let on. None of their documents is beyond it, though the
 * fastest of them may be far beyond the checkpoints, which are where the slowest is.
 */
export const workersCheckpoint = 'workers';

/** `value` reflects all events up to `position`, and none after it. */
export type AsOf<T> = { readonly value: T; readonly position: Position };

export const consistentReadsMax = 20;

/** The documents changed during each of `consistentReadsMax` reads. Asking again later may succeed. */
export class NeverAtRest extends Error {
  constructor(projection: string) {
    super(`the documents of ${projection} changed during every one of ${consistentReadsMax.toString()} reads`);
    this.name = 'NeverAtRest';
  }
}

/**
 * Reads several documents of one projection as of one checkpoint: the read is made again when a commit came between.
 * On an engine whose commits are not atomic a document may be newer than `position`; its own position tells.
 * Throws `NeverAtRest`.
 */
export const consistently = async <T>(
  store: DocumentStore,
  projection: Projection,
  read: () => Promise<T>,
): Promise<AsOf<T>> => {
  const name = checkpointOf(projection);
  let before = await store.checkpoint(name);
  for (let reads = 1; reads <= consistentReadsMax; reads += 1) {
    const value = await read();
    const after = await store.checkpoint(name);
    if (after === before) return { value, position: after };
    before = after;
  }
  throw new NeverAtRest(projection.name);
};
