import type { SealBinding } from '../../kernel/ports/sealer.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { openPayload, unpacked, sealingKey } from './sealedText.js';
import { namesOf } from './vault.js';

/**
 * Whether the vault has the keys that a sealed value takes. A destroyed key is one that the vault knows, because the
 * value under it was erased, and not lost.
 */
export const isKnownTo = async (
  vault: Pick<Vault, 'get'>,
  packed: Uint8Array,
  binding: SealBinding,
): Promise<boolean> => {
  const parts = unpacked(packed);
  if (parts === undefined) return false;
  const { period, payload } = parts;
  const keys = await Promise.all(namesOf(binding, period).map((name) => vault.get(name)));
  if (keys.includes('destroyed')) return true;
  const [author, scope] = binding.subject === undefined ? [undefined, keys[0]] : keys;
  if (!(scope instanceof Uint8Array) || typeof author === 'string') return false;
  if (binding.subject !== undefined && author === undefined) return false;
  const key = sealingKey(author, scope, { period, ...binding });
  return openPayload({ key, period, binding }, payload) !== undefined;
};

/** The names of the keys that a sealed value takes; none for one that is damaged. */
export const keysFor = (packed: Uint8Array, binding: SealBinding): readonly string[] => {
  const parts = unpacked(packed);
  return parts === undefined ? [] : namesOf(binding, parts.period);
};
