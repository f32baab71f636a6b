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
  /** Only for the same text in the same place, and of no text above `sealedLatelyUnitsMax`. */
  of(this: void, sealed: string, place: SealedPlace): OpenedContent | undefined;
  keep(this: void, now: SealedNow): void;
  clear(this: void): void;
}

/** So many events are handed to the log by the time that the first of them is read, at most. */
const sealedLatelyMax = 1_024;

/** A longer text is opened again by those who read it, so that those remembered take some 32 MiB at most. */
export const sealedLatelyUnitsMax = 16_384;

export const sealedLately = (): SealedLately => {
  const byEvent = new Map<string, SealedNow>();
  return {
    of: (sealed, place) => {
      const now = byEvent.get(place.event);
      return now?.sealed === sealed && arePlacesEqual(now.place, place) ? now.content : undefined;
    },
    keep: (now) => {
      if (now.sealed.length > sealedLatelyUnitsMax) return;
      byEvent.set(now.place.event, now);
      if (byEvent.size <= sealedLatelyMax) return;
      const [oldest] = byEvent.keys();
      if (oldest !== undefined) byEvent.delete(oldest);
    },
    clear: () => {
      byEvent.clear();
    },
  };
};

const arePlacesEqual = (one: SealedPlace, other: SealedPlace): boolean =>
  one.stream === other.stream && one.type === other.type && one.scope === other.scope && one.subject === other.subject;
