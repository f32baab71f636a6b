import type { KeyObject } from 'node:crypto';
import { beforeAll, type Position } from '../../kernel/event.js';
import { shredded, type Shredded } from '../../kernel/opened.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { KeyDestroyed, KeysMissing, SealBroken, type SealBinding, type Sealer } from '../../kernel/ports/sealer.js';
import { keyCache } from './keyCache.js';
import { authorKeyName, scopeKeyName } from './keyNames.js';
import { lookupHashIn } from './lookupHash.js';
import { nobodysPeriod, nonceBytes, openPayload, packed, sealingKey, sealText, unpacked } from './sealedText.js';
import { scopeHashers } from './scopeHashers.js';
import { vaultKeys, type VaultKeys, type VaultKeysNeeds } from './vaultKeys.js';

export interface VaultSealer extends Sealer {
  /** Drops keys from memory. To be called on every node once they are destroyed in the vault; without it they stay for `keyLifeSeconds`. */
  forget(names: readonly string[]): void;
}

/** One for each author, month and chat: deriving takes eight times as long as opening. Half a kilobyte each. */
export const sealingKeysMax = 40_000;

export type VaultSealerNeeds = VaultKeysNeeds & {
  /**
   * The keys of everything up to here were given up, so a key of that name may have been made anew, and does not open
   * what the former one sealed. Absent: none were.
   */
  readonly givenUpTo?: Position | undefined;
};

/** Seals under keys of a vault. */
export const vaultSealer = async (needs: VaultSealerNeeds): Promise<VaultSealer> => {
  const { vault, timers, random, givenUpTo = beforeAll } = needs;
  const lookupHash = await lookupHashIn(vault, random);
  const keys = vaultKeys(needs);
  const sealing = sealingKeys(keys, timers);
  const hashers = scopeHashers(keys, timers);
  const listeners: (() => void)[] = [];
  return {
    seal: (plain, binding, period) => {
      const owned = binding.subject === undefined ? nobodysPeriod : period;
      const key = sealing.of(binding, owned);
      if (key instanceof KeysMissing) return key;
      if (typeof key === 'string') throw new KeyDestroyed(key);
      return sealText({ key, period: owned, binding }, plain, random.bytes(nonceBytes));
    },
    packed,
    heldUntil: (bytes, binding) => {
      const period = unpacked(bytes)?.period;
      if (period === undefined) return shredded;
      const held = sealing.until(binding, period);
      if (held > 0) return held;
      const key = sealing.ofStored(binding, period);
      if (key instanceof KeysMissing) return key;
      return key === 'shredded' ? shredded : sealing.until(binding, period);
    },
    onForgotten: (listener) => {
      listeners.push(listener);
    },
    open: (bytes, binding, at) => {
      const plain = opened(sealing, bytes, binding);
      if (plain !== 'broken') return plain;
      if (at !== undefined && at <= givenUpTo) return shredded;
      throw new SealBroken(binding.associated);
    },
    loadKeys: (names) => keys.load(names),
    makeKeys: (names) => keys.make(names),
    lookupHash,
    periodOf: (bytes) => {
      const period = unpacked(bytes)?.period;
      return period === nobodysPeriod ? undefined : period;
    },
    hasherOf: hashers.of,
    forget: (names) => {
      keys.forget(names);
      sealing.clear();
      hashers.clear();
      for (const listener of listeners) listener();
    },
  };
};

const opened = (
  sealing: SealingKeys,
  bytes: Uint8Array,
  binding: SealBinding,
): Uint8Array | Shredded | KeysMissing | 'broken' => {
  const parts = unpacked(bytes);
  if (parts === undefined) return 'broken';
  const { period, payload } = parts;
  if ((period === nobodysPeriod) !== (binding.subject === undefined)) return 'broken';
  const key = sealing.ofStored(binding, period);
  if (key instanceof KeysMissing) return key;
  if (key === 'shredded') return shredded;
  const plain = openPayload({ key, period, binding }, payload);
  return plain ?? 'broken';
};

type SealingKeys = {
  /** For sealing: the name of a destroyed key; a key that was never made is missing. */
  readonly of: (binding: SealBinding, period: string) => KeyObject | KeysMissing | string;
  /** For opening: a key that was never made counts as destroyed. */
  readonly ofStored: (binding: SealBinding, period: string) => KeyObject | KeysMissing | 'shredded';
  /** Until when a derived key is held, by the monotonic clock; 0 when it is not. */
  readonly until: (binding: SealBinding, period: string) => number;
  readonly clear: () => void;
};

/** Derived keys, each held as long as both keys that it is made of. */
const sealingKeys = (keys: VaultKeys, timers: Pick<Timers, 'now'>): SealingKeys => {
  const derived = keyCache<KeyObject>(sealingKeysMax, timers);
  const derive = (binding: SealBinding, period: string, names: readonly string[]): KeyObject | undefined => {
    const held = names.map((name) => keys.get(name)).filter((state) => typeof state === 'object');
    const scopeKey = held.at(-1);
    if (scopeKey === undefined || held.length !== names.length) return undefined;
    const author = binding.subject === undefined ? undefined : held[0];
    const key = sealingKey(author, scopeKey, { period, ...binding });
    const untils = names.map((name) => keys.until(name) ?? 0);
    derived.set(cacheKey(binding, period), key, Math.min(...untils));
    return key;
  };
  const missing = (names: readonly string[]): KeysMissing =>
    new KeysMissing(names.filter((name) => typeof keys.get(name) !== 'object'));
  return {
    of: (binding, period) => {
      const known = derived.get(cacheKey(binding, period));
      if (known !== undefined) return known;
      const names = namesOf(binding, period);
      const destroyed = names.find((name) => keys.get(name) === 'destroyed');
      return destroyed ?? derive(binding, period, names) ?? missing(names);
    },
    ofStored: (binding, period) => {
      const known = derived.get(cacheKey(binding, period));
      if (known !== undefined) return known;
      const names = namesOf(binding, period);
      if (names.some((name) => typeof keys.get(name) === 'string')) return 'shredded';
      return derive(binding, period, names) ?? missing(names);
    },
    until: (binding, period) => derived.until(cacheKey(binding, period)) ?? 0,
    clear: () => {
      derived.clear();
    },
  };
};

// Joined, as all texts by which caches know things: one that is made by a template keeps its parts.
const cacheKey = ({ subject = '-', scope }: Omit<SealBinding, 'associated'>, period: string): string =>
  [subject, period, scope].join(' ');

/** The author's first, the scope's last. */
export const namesOf = ({ subject, scope }: SealBinding, period: string): readonly string[] =>
  subject === undefined ? [scopeKeyName(scope)] : [authorKeyName(subject, period), scopeKeyName(scope)];
