import { boundedMap } from './boundedMap.js';
import type { Millis } from './ids.js';

/** A moment by the wall clock, and by the monotonic one, which nobody sets. */
export type AskedAt = { readonly now: Millis; readonly monotonic: number };

/** How long ago things happened that were recorded with a wall clock, which may have been wrong then or be wrong now. */
export interface Ages {
  /** Milliseconds, never negative. `name` is of this one thing for ever. */
  of(this: void, name: string, recordedAt: Millis, asked: AskedAt): number;
  /** It happens now, in this process: from here on no wall clock has a say. */
  begin(this: void, name: string, asked: Pick<AskedAt, 'monotonic'>): void;
}

type Seen = { readonly age: number; readonly monotonic: number };

/**
 * The wall clock is believed once for each thing, when its age is first asked for; a thing that seems to lie in the
 * future is then taken for new. From there on the age grows with the monotonic clock, so that a wait that depends on it lasts no
 * longer than it is set to, however wrong a clock is. Of more than `thingsMax` the ones not asked for lately are forgotten.
 */
export const ages = (thingsMax: number): Ages => {
  const seen = boundedMap<string, Seen>({ entriesMax: thingsMax });
  return {
    of: (name, recordedAt, { now, monotonic }) => {
      const before = seen.get(name);
      if (before !== undefined) return before.age + Math.max(0, monotonic - before.monotonic);
      const age = Math.max(0, now - recordedAt);
      seen.set(name, { age, monotonic });
      return age;
    },
    begin: (name, { monotonic }) => {
      seen.set(name, { age: 0, monotonic });
    },
  };
};
