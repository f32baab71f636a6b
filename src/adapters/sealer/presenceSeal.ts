import { randomBytes } from 'node:crypto';
import type { PresenceSeal } from '../../kernel/ports/presence.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { keyBytes, nobodysPeriod, nonceBytes, openPayload, partsOf, sealingKey, sealText } from './sealedText.js';

/** The vault's name for the key. */
const presenceKeyName = 'presence';

/** The same on all nodes that share the vault. Makes the key at the first call. */
export const presenceSeal = async (vault: Pick<Vault, 'create'>): Promise<PresenceSeal> => {
  const found = await vault.create(presenceKeyName, randomBytes(keyBytes));
  // All that was sealed under it is gone within minutes, so a key of this process alone does as well.
  const key = found === 'destroyed' ? randomBytes(keyBytes) : found;
  const sealingOf = (about: string) => {
    const scope = `presence.${about}`;
    const binding = { scope, associated: about };
    // One for each session: so no key seals more than a random nonce is safe for.
    return { key: sealingKey(undefined, key, { period: nobodysPeriod, scope }), period: nobodysPeriod, binding };
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
