import assert from 'node:assert/strict';
import { forRunner, type DocumentType } from '../../src/kernel/document.js';
import type { Event, Recorded } from '../../src/kernel/event.js';
import { asPersonal, type Bare } from '../support/bare.js';
import { metadata, now } from './setting.js';

/** The documents that events are folded into, by key, as the runner folds them. */
export const folded = <Doc, E extends Event>(
  type: DocumentType<Doc, E>,
  ...events: readonly Bare<E>[]
): Readonly<Record<string, Bare<Doc>>> => {
  const { keysOf, fold } = forRunner(type);
  const documents = new Map<string, Bare<Doc>>();
  for (const [index, event] of events.entries()) {
    const recorded = recordedAs(asPersonal<E>(event), index);
    for (const key of keysOf(recorded)) {
      // A document type makes documents of its own kind.
      const after = fold(documents.get(key), recorded, key) as Bare<Doc> | undefined;
      if (after === undefined) documents.delete(key);
      else documents.set(key, after);
    }
  }
  return Object.fromEntries(documents);
};

export const recordedAs = <E extends Event>(event: E, index: number): Recorded<E> => ({
  ...event,
  stream: 'some-1',
  revision: BigInt(index),
  position: BigInt(index + 1),
  id: `event ${index.toString()}`,
  at: now,
  metadata: { ...metadata, about: 'nobody' },
});

/** `given(users)(registered, renamed).then({ '1': … })`: these documents, and no others. */
export const given =
  <Doc, E extends Event>(type: DocumentType<Doc, E>) =>
  (...events: readonly Bare<E>[]) => ({
    then: (documents: Readonly<Record<string, Bare<Doc>>>): void => {
      assert.deepEqual(folded(type, ...events), documents);
    },
  });
