import { createHmac, createSecretKey } from 'node:crypto';
import type { Random } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { createdKey } from './createdKey.js';
import { keyBytes } from './sealedText.js';
import { KeyDestroyed } from '../../kernel/ports/sealer.js';

const lookupKeyName = 'lookup';

/** The same on all nodes that share the vault: 32 bytes as lower-case hex. Makes the key at the first call; throws `KeyDestroyed`. */
export const lookupHashIn = async (
  vault: Pick<Vault, 'create'>,
  random: Random,
): Promise<(value: string) => string> => {
  const secret = await createdKey(vault, lookupKeyName, random.bytes(keyBytes));
  if (secret === 'destroyed') throw new KeyDestroyed(lookupKeyName);
  const key = createSecretKey(secret);
  secret.fill(0);
  return (value) => createHmac('sha256', key).update(value).digest('hex');
};
