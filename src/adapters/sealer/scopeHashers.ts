import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { shredded, type Shredded } from '../../kernel/opened.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { KeysMissing, type ScopeHasher } from '../../kernel/ports/sealer.js';
import { keyCache } from './keyCache.js';
import { scopeKeyName } from './keyNames.js';
import { keyBytes } from './sealedText.js';
import type { VaultKeys } from './vaultKeys.js';

const hashersMax = 10_000;
const hashBytes = 9;

interface ScopeHashers {
  of(this: void, scope: string): ScopeHasher | Shredded | KeysMissing;
  clear(this: void): void;
}

/** Hashes under a key that is made of a scope's key, for as long as that is held. */
export const scopeHashers = (keys: VaultKeys, timers: Pick<Timers, 'now'>): ScopeHashers => {
  const hashers = keyCache<ScopeHasher>(hashersMax, timers);
  return {
    of: (scope: string): ScopeHasher | Shredded | KeysMissing => {
      const known = hashers.get(scope);
      if (known !== undefined) return known;
      const name = scopeKeyName(scope);
      const key = keys.get(name);
      if (key === undefined) return new KeysMissing([name]);
      if (typeof key === 'string') {
        // A search asks also for chats in which nothing was written yet. The first message there, of another node, has to be
        // opened at once, which a remembered absence would prevent.
        if (key === 'absent') keys.forget([name]);
        return shredded;
      }
      const hasher = hasherUnder(searchKey(key, scope));
      hashers.set(scope, hasher, keys.until(name) ?? 0);
      return hasher;
    },
    clear: (): void => {
      hashers.clear();
    },
  };
};

const searchKey = (scopeKey: Uint8Array, scope: string): KeyObject =>
  createSecretKey(new Uint8Array(hkdfSync('sha256', scopeKey, '', `osmium search 1\n${scope}`, keyBytes)));

const hasherUnder =
  (key: KeyObject): ScopeHasher =>
  (value) =>
    createHmac('sha256', key).update(value).digest().toString('base64url', 0, hashBytes);
