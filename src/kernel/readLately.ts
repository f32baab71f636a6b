import type { StoredEvent } from './ports/eventLog.js';

/** Made of the events that were read last, so that all who follow the log share it. */
export interface ReadLately<Made> {
  /** Of this very record. A part that is put into it is there for the next one who asks, for as long as it is remembered. */
  of(this: void, stored: StoredEvent): Made;
  clear(this: void): void;
}

/** A power of two. So many events are remembered at least, if they are small, and up to twice as many. */
const eventsMin = 1_024;

/**
 * Of events as they lie in the log, which with what is made of them takes about four times as much. Those who follow the
 * log are close to each other: no more than this is handed to them from memory.
 */
export const readLatelyBytesMax = 8_388_608;

/**
 * Several followers of the log on one node are given the same records within a short time, and each would parse them
 * again. A weak map would do, but costs a fifth of reading the log from its beginning.
 */
export const readLately = <Made>(make: (stored: StoredEvent) => Made): ReadLately<Made> => {
  let young = slotsOf<Made>();
  let old = slotsOf<Made>();
  let youngBytes = 0;
  const keep = (slot: number, stored: StoredEvent): Made => {
    const bytes = stored.data.length + stored.metadata.length;
    if (youngBytes + bytes > readLatelyBytesMax / 2) {
      [young, old] = [old.fill(undefined), young];
      youngBytes = 0;
    }
    // One that gives way to this one still counts: so the bound is met early, and never late.
    youngBytes += bytes;
    const made = make(stored);
    young[slot] = { stored, made };
    return made;
  };
  return {
    of: (stored) => {
      const slot = Number(stored.position & slotMask);
      const known = young[slot];
      if (known?.stored === stored) return known.made;
      const older = old[slot];
      return older?.stored === stored ? older.made : keep(slot, stored);
    },
    clear: () => {
      young.fill(undefined);
      old.fill(undefined);
      youngBytes = 0;
    },
  };
};

const slotMask = BigInt(eventsMin - 1);

type Slot<Made> = { readonly stored: StoredEvent; readonly made: Made };

const slotsOf = <Made>(): (Slot<Made> | undefined)[] => new Array<Slot<Made> | undefined>(eventsMin);
