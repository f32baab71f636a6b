import { heldBytes } from './heldBytes.js';
import type { OpenedContent } from './openedContents.js';
import type { SealedValue } from './sealed.js';

/** The event that a sealed value stands in, and whose it is: everything that it is bound to. */
export type SealedPlace = Omit<SealedValue, 'sealed' | 'position'>;

type SealedNow = {
  /** As it stands in the event's body. */
  readonly sealed: string;
  readonly place: SealedPlace;
  readonly content: OpenedContent;
};

/** The contents that this node sealed last, so that those who follow the log need not open them again. */
export interface SealedLately {
  /** Only for the same text in the same place. */
  of(this: void, sealed: string, place: SealedPlace): OpenedContent | undefined;
  keep(this: void, now: SealedNow): void;
  clear(this: void): void;
}

/** So many events are handed to the log by the time that the first of them is read, at most. Up to twice as many are remembered. */
const sealedLatelyMax = 1_024;

/** About, of all texts with their contents. Those beyond it are opened once, by the first who reads them. */
export const sealedLatelyBytesMax = 33_554_432;

export const sealedLately = (): SealedLately => {
  // Two generations instead of an exact order: a Map that is always full and always deletes is slow.
  let young = new Map<string, SealedNow>();
  let old = new Map<string, SealedNow>();
  let youngBytes = 0;
  return {
    of: (sealed, place) => {
      const name = nameOf(place);
      const now = young.get(name) ?? old.get(name);
      return now?.sealed === sealed && arePlacesEqual(now.place, place) ? now.content : undefined;
    },
    keep: (now) => {
      const bytes = bytesOf(now);
      if (young.size >= sealedLatelyMax || youngBytes + bytes > sealedLatelyBytesMax / 2) {
        old = young;
        young = new Map();
        youngBytes = 0;
      }
      young.set(nameOf(now.place), now);
      youngBytes += bytes;
    },
    clear: () => {
      young = new Map();
      old = new Map();
      youngBytes = 0;
    },
  };
};

/** Of the texts of a place, which are mostly its own. */
const placeBytes = 512;
const bytesOf = ({ sealed, content }: SealedNow): number => placeBytes + sealed.length + heldBytes(content);

/** An event may have two values, each of a type of its own. */
const nameOf = ({ event, type }: SealedPlace): string => [event, type].join(' ');

const arePlacesEqual = (one: SealedPlace, other: SealedPlace): boolean =>
  one.stream === other.stream && one.type === other.type && one.scope === other.scope && one.subject === other.subject;
