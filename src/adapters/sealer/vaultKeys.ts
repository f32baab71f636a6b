import type { Timers } from '../../kernel/ports/leases.js';
import { KeyDestroyed } from '../../kernel/ports/sealer.js';
import type { Random } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { createdKey } from './createdKey.js';
import { keyCache } from './keyCache.js';
import { keyBytes } from './sealedText.js';

/** The answer of the vault for a name, whose bytes are the asker's own. `absent` is for a name under which no key was ever made. */
export type KeyState = Uint8Array | 'destroyed' | 'absent';

/** The data keys of the vault, as far as they are in memory. */
export interface VaultKeys {
  /** A key is for this tick: it is overwritten once it is held no longer. */
  get(name: string): KeyState | undefined;
  /** When the vault is to be asked again, by the monotonic clock. */
  until(name: string): number | undefined;
  load(names: readonly string[]): Promise<void>;
  /** Throws `KeyDestroyed`; the other names may have been made. */
  make(names: readonly string[]): Promise<void>;
  forget(names: readonly string[]): void;
}

export type VaultKeysNeeds = {
  readonly vault: Vault;
  readonly timers: Pick<Timers, 'now'>;
  readonly random: Random;
};

/** A key that was destroyed elsewhere is used no longer than this, even if nobody tells us. */
export const keyLifeSeconds = 60;
/**
 * A key is stored before anything sealed with it, so one that is absent was lost with the vault, or is not visible yet
 * where the vault has several copies. That may change, so it is believed only briefly.
 */
export const absenceLifeSeconds = 5;
export const keysMax = 20_000;

export const vaultKeys = ({ vault, timers, random }: VaultKeysNeeds): VaultKeys => {
  const states = keyCache<KeyState>(keysMax, timers, wipe);
  let forgotten = 0;
  const enter = (name: string, state: KeyState): void => {
    // A slow answer to an earlier question must not hide a key that was made meanwhile.
    if (state === 'absent' && states.get(name) !== undefined) return;
    const seconds = state === 'absent' ? absenceLifeSeconds : keyLifeSeconds;
    states.set(name, state, timers.now() + seconds * 1_000);
  };
  /** Asks again when a key was forgotten while the answer was under way: it may have been of before. */
  const asked = async (name: string, ask: () => Promise<KeyState>): Promise<void> => {
    for (;;) {
      const before = forgotten;
      const state = await ask();
      if (forgotten === before) {
        enter(name, state);
        return;
      }
      wipe(state);
    }
  };
  const load = shared((name) => asked(name, async () => (await vault.get(name)) ?? 'absent'));
  const make = shared((name) => asked(name, () => createdKey(vault, name, random.bytes(keyBytes))));
  return {
    get: (name) => states.get(name),
    until: (name) => states.until(name),
    load: async (names) => {
      await Promise.all(names.filter((name) => states.get(name) === undefined).map(load));
    },
    make: async (names) => {
      await Promise.all(names.filter((name) => typeof states.get(name) !== 'object').map(make));
      const destroyed = names.find((name) => states.get(name) === 'destroyed');
      if (destroyed !== undefined) throw new KeyDestroyed(destroyed);
    },
    forget: (names) => {
      forgotten += 1;
      for (const name of names) states.delete(name);
    },
  };
};

/** Memory that was let go of is not cleared before something else is written there, which may be never. */
const wipe = (state: KeyState): void => {
  if (typeof state === 'object') state.fill(0);
};

/** Calls for one name that overlap are one call. */
const shared = (work: (name: string) => Promise<void>): ((name: string) => Promise<void>) => {
  const running = new Map<string, Promise<void>>();
  return (name) => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const started = work(name).finally(() => running.delete(name));
    running.set(name, started);
    return started;
  };
};
