import { boundedMap } from './boundedMap.js';
import { heldBytes } from './heldBytes.js';
import type { SealedValue } from './sealed.js';

/** The personal fields of one event, open. Those that are absent in the event are absent here. */
export type OpenedContent = Readonly<Record<string, unknown>>;

/** OpenedContent that was sealed or opened lately. It is no proof that its keys are still there: ask for them first. */
export interface OpenedContents {
  /** Only for the very value that it was opened from: the same bytes in the same place. */
  of(value: SealedValue): OpenedContent | undefined;
  keep(value: SealedValue, content: OpenedContent): void;
  clear(): void;
}

/** About, with the sealed values that it was opened from. */
export const openedBytesMax = 33_554_432;

export const openedContents = (bytesMax = openedBytesMax): OpenedContents => {
  const kept = boundedMap<string, Kept>({ bytesMax, bytesOf });
  return {
    of: (value) => {
      const found = kept.get(nameOf(value));
      return found !== undefined && isSame(found.value, value) ? found.content : undefined;
    },
    keep: (value, content) => {
      kept.set(nameOf(value), { value: withOwnBytes(value), content });
    },
    clear: () => {
      kept.clear();
    },
  };
};

/** A value of a document shares the memory of all of its values. */
const withOwnBytes = (value: SealedValue): SealedValue =>
  value.sealed.buffer.byteLength === value.sealed.length ? value : { ...value, sealed: new Uint8Array(value.sealed) };

type Kept = { readonly value: SealedValue; readonly content: OpenedContent };

/** Joined, because a text that is made by a template keeps its parts. */
const nameOf = ({ event, type }: SealedValue): string => [event, type].join(' ');

/** Of the texts of a value, which are mostly its own. */
const placeBytes = 512;
const bytesOf = ({ value, content }: Kept): number => placeBytes + value.sealed.length + heldBytes(content);

/** The position is no part of what a value is bound to. */
const isSame = (one: SealedValue, other: SealedValue): boolean =>
  one.stream === other.stream &&
  one.scope === other.scope &&
  one.subject === other.subject &&
  areEqual(one.sealed, other.sealed);

const areEqual = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false;
  // From the end, where values differ: all of one form begin alike.
  for (let at = one.length - 1; at >= 0; at -= 1) if (one[at] !== other[at]) return false;
  return true;
};
