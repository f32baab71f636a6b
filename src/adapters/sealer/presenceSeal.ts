import { randomBytes, type KeyObject } from 'node:crypto';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { PresenceSeal } from '../../kernel/ports/presence.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { createdKey } from './createdKey.js';
import { keyBytes, nobodysPeriod, nonceBytes, openPayload, partsOf, sealingKey, sealText } from './sealedText.js';

/** The vault's name for the key. */
const presenceKeyName = 'presence';

/** Derived keys in memory, half a kilobyte each: deriving takes longer than sealing. */
export const presenceKeysMax = 10_000;

/** The same on all nodes that share the vault. Makes the key at the first call. */
export const presenceSeal = async (vault: Pick<Vault, 'create'>): Promise<PresenceSeal> => {
  const found = await createdKey(vault, presenceKeyName, randomBytes(keyBytes));
  // All that was sealed under it is gone within minutes, so a key of this process alone does as well.
  const key = found === 'destroyed' ? randomBytes(keyBytes) : found;
  const keys = boundedMap<string, KeyObject>({ entriesMax: presenceKeysMax });
  const keyOf = (scope: string): KeyObject => {
    const derived = keys.get(scope) ?? sealingKey(undefined, key, { period: nobodysPeriod, scope });
    keys.set(scope, derived);
    return derived;
  };
  const sealingOf = (about: string) => {
    const scope = `presence.${about}`;
    const binding = { scope, associated: about };
    // One for each user and each session: so no key seals more than a random nonce is safe for.
    return { key: keyOf(scope), period: nobodysPeriod, binding };
  };
  return {
    seal: (about, plain) => sealText(sealingOf(about), Buffer.from(plain), randomBytes(nonceBytes)),
    open: (about, sealed) => {
      const parts = partsOf(sealed);
      const plain = parts?.period === nobodysPeriod ? openPayload(sealingOf(about), parts.payload) : undefined;
      return plain && Buffer.from(plain).toString();
    },
  };
};
