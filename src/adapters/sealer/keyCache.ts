import { boundedMap } from '../../kernel/boundedMap.js';
import type { Timers } from '../../kernel/ports/leases.js';

/** Remembers values for a time that each of them brings along; of too many it forgets those that were not asked for lately. */
export interface KeyCache<Value> {
  get(name: string): Value | undefined;
  /** When the value ends, in milliseconds of the monotonic clock; `undefined` when it is not held. */
  until(name: string): number | undefined;
  set(name: string, value: Value, until: number): void;
  delete(name: string): void;
  clear(): void;
}

/** Holds at most `entriesMax`. `dropped` is given each value that is held no longer. */
export const keyCache = <Value>(
  entriesMax: number,
  { now }: Pick<Timers, 'now'>,
  dropped?: (value: Value) => void,
): KeyCache<Value> => {
  const entries = boundedMap<string, Entry<Value>>({ entriesMax }, dropped && (({ value }) => dropped(value)));
  const find = (name: string): Entry<Value> | undefined => {
    const entry = entries.get(name);
    if (entry === undefined || now() < entry.until) return entry;
    entries.delete(name);
    return undefined;
  };
  return {
    get: (name) => find(name)?.value,
    until: (name) => find(name)?.until,
    set: (name, value, until) => {
      entries.set(name, { value, until });
    },
    delete: (name) => {
      entries.delete(name);
    },
    clear: () => {
      entries.clear();
    },
  };
};

type Entry<Value> = { readonly value: Value; readonly until: number };
