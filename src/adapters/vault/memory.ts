import type { Vault } from '../../kernel/ports/vault.js';

/** Secrets in memory, nothing kept: for tests. */
export const memoryVault = (): Vault => {
  const secrets = new Map<string, Uint8Array>();
  const gone = new Set<string>();
  const held = (name: string): Uint8Array | 'destroyed' | undefined =>
    gone.has(name) ? 'destroyed' : secrets.get(name)?.slice();
  return {
    get: (name) => Promise.resolve(held(name)),
    create: (name, secret) => {
      const former = held(name);
      if (former !== undefined) return Promise.resolve(former);
      secrets.set(name, secret.slice());
      return Promise.resolve(secret.slice());
    },
    put: (name, secret) => {
      if (gone.has(name)) return Promise.resolve('destroyed');
      secrets.get(name)?.fill(0);
      secrets.set(name, secret.slice());
      return Promise.resolve('stored');
    },
    replace: (name, former, secret) => {
      if (gone.has(name)) return Promise.resolve('destroyed');
      const now = secrets.get(name);
      if (now === undefined || Buffer.compare(now, former) !== 0) return Promise.resolve('changed');
      now.fill(0);
      secrets.set(name, secret.slice());
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
