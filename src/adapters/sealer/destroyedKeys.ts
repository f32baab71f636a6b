import type { DestroyedKey } from '../../kernel/ports/sealer.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { authorKeyName, scopeKeyName } from './keyNames.js';

const namesPerRead = 500;

/** All data keys that the register of the vault names, in its order. */
export const destroyedKeys = async function* (vault: Pick<Vault, 'destroyed'>): AsyncGenerator<DestroyedKey> {
  let after: string | undefined;
  for (;;) {
    const names = await vault.destroyed(after, namesPerRead);
    for (const name of names) {
      const key = keyNamed(name);
      if (key !== undefined) yield key;
    }
    after = names.at(-1);
    if (names.length < namesPerRead) return;
  }
};

const authorStart = authorKeyName('', '').slice(0, -1);
const scopeStart = scopeKeyName('');

/** Undefined for the name of another secret. */
const keyNamed = (name: string): DestroyedKey | undefined => {
  if (name.startsWith(scopeStart)) return { kind: 'scope', scope: name.slice(scopeStart.length) };
  if (!name.startsWith(authorStart)) return undefined;
  const [subject, period] = name.slice(authorStart.length).split('.');
  return subject === undefined || period === undefined ? undefined : { kind: 'author', subject, period };
};
