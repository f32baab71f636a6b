import type { Vault } from '../../kernel/ports/vault.js';
import type { DeploymentRecord } from './record.js';

/** The log hears of a vault's keys with every so many. */
export const keysPerCount = 1_000;

export type CountedVault = {
  readonly vault: Vault;
  /** Records in the log how many keys there are. To be called when the server stops, while both are open. */
  readonly countNow: () => Promise<void>;
};

export type KeyCountNeeds = {
  readonly vault: Vault;
  readonly record: Pick<DeploymentRecord, 'countKeys'>;
  readonly deployment: string;
  /** A count that did not reach the log; the next one makes up for it. */
  readonly onTrouble: (error: unknown) => void;
};

/**
 * The vault, whose number of keys is recorded in the log in the background. Each secret that this process stores is
 * taken for a new name, which is too many where a secret was replaced, so the vault itself is asked before the number
 * is recorded.
 */
export const countedVault = async ({ vault, record, deployment, onTrouble }: KeyCountNeeds): Promise<CountedVault> => {
  let sinceCount = (await vault.names()) % keysPerCount;
  let counting: Promise<void> | undefined;
  const count = async (): Promise<void> => {
    try {
      const names = await vault.names();
      await record.countKeys(deployment, names);
    } catch (error) {
      onTrouble(error);
    }
    counting = undefined;
  };
  const stored = (): void => {
    sinceCount += 1;
    if (sinceCount < keysPerCount || counting !== undefined) return;
    sinceCount = 0;
    counting = count();
  };
  return {
    vault: {
      ...vault,
      create: async (name, secret) => {
        const held = await vault.create(name, secret);
        if (held !== 'destroyed' && Buffer.from(held).equals(secret)) stored();
        return held;
      },
      put: async (name, secret) => {
        const outcome = await vault.put(name, secret);
        if (outcome === 'stored') stored();
        return outcome;
      },
    },
    countNow: async () => {
      await counting;
      await count();
    },
  };
};
