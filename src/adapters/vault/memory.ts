import type { Vault } from '../../kernel/ports/vault.js';

/** Secrets in memory, nothing kept: for tests. */
export const memoryVault = (): Vault => {
  const secrets = new Map<string, Uint8Array>();
  const gone = new Set<string>();
  const held = (name: string): Uint8Array | 'destroyed' | undefined =>
    gone.has(name) ? 'destroyed' : copyOf(secrets.get(name));
  return {
    get: (name) => Promise.resolve(held(name)),
    create: (name, secret) => {
      const former = held(name);
      if (former !== undefined) return Promise.resolve(former);
      secrets.set(name, new Uint8Array(secret));
      return Promise.resolve(new Uint8Array(secret));
    },
    put: (name, secret) => {
      if (gone.has(name)) return Promise.resolve('destroyed');
      secrets.get(name)?.fill(0);
      secrets.set(name, new Uint8Array(secret));
      return Promise.resolve('stored');
    },
    replace: (name, former, secret) => {
      if (gone.has(name)) return Promise.resolve('destroyed');
      const now = secrets.get(name);
      if (now === undefined || Buffer.compare(now, former) !== 0) return Promise.resolve('changed');
      now.fill(0);
      secrets.set(name, new Uint8Array(secret));
      return Promise.resolve('stored');
    },
    destroy: (name) => {
      secrets.get(name)?.fill(0);
      secrets.delete(name);
      gone.add(name);
      return Promise.resolve();
    },
    destroyed: (after, limit) =>
      Promise.resolve(
        [...gone]
          .filter((name) => after === undefined || name > after)
          .sort()
          .slice(0, limit),
      ),
    names: () => Promise.resolve(secrets.size + gone.size),
    close: () => Promise.resolve(),
  };
};

/** `slice` of a Buffer would be the same bytes. */
const copyOf = (secret: Uint8Array | undefined): Uint8Array | undefined => secret && new Uint8Array(secret);
