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

/** Holds at most `entriesMax`. */
export const keyCache = <Value>(entriesMax: number, { now }: Pick<Timers, 'now'>): KeyCache<Value> => {
  // There are two generations. A key that was asked for moves into the young one; when that is full, the old one is let
  // go.
  let young = new Map<string, Entry<Value>>();
  let old = new Map<string, Entry<Value>>();
  const keep = (name: string, entry: Entry<Value>): void => {
    young.set(name, entry);
    if (young.size < entriesMax / 2) return;
    old = young;
    young = new Map();
  };
  const find = (name: string): Entry<Value> | undefined => {
    const entry = young.get(name) ?? old.get(name);
    if (entry === undefined || now() < entry.until) return entry;
    young.delete(name);
    old.delete(name);
    return undefined;
  };
  return {
    get: (name) => {
      const entry = find(name);
      if (entry !== undefined && !young.has(name)) keep(name, entry);
      return entry?.value;
    },
    until: (name) => find(name)?.until,
    set: (name, value, until) => {
      old.delete(name);
      keep(name, { value, until });
    },
    delete: (name) => {
      young.delete(name);
      old.delete(name);
    },
    clear: () => {
      young.clear();
      old.clear();
    },
  };
};

type Entry<Value> = { readonly value: Value; readonly until: number };
