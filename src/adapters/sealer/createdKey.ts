import type { Vault } from '../../kernel/ports/vault.js';

/**
 * The key that holds under the name, which is `made` where there was none. `made` is overwritten: the answer is another
 * copy, which its user overwrites in turn.
 */
export const createdKey = async (
  vault: Pick<Vault, 'create'>,
  name: string,
  made: Uint8Array,
): Promise<Uint8Array | 'destroyed'> => {
  try {
    return await vault.create(name, made);
  } finally {
    made.fill(0);
  }
};
