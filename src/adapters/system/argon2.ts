import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { HasherBusy, type PasswordHasher } from '../../kernel/ports/system.js';

export const memoryKibibytes = 19_456;
export const passes = 2;
/** About ten seconds of work for two cores. */
export const waitingMax = 500;

// Argon2id is 2 in the library's table, which exists for the compiler alone.
const argon2id = 2;

export type Argon2Options = {
  /** How many are computed at once; each takes a core and 19 MiB. Default: as many as there are cores. */
  readonly atOnceMax?: number;
  /** How many may wait for their turn; those beyond are refused with `HasherBusy`. */
  readonly waitingMax?: number;
};

/** Hashes are PHC strings in UTF-8, so the parameters can be raised and old hashes still verify. */
export const argon2Hasher = (options: Argon2Options = {}): PasswordHasher => {
  const inTurn = turns(options.atOnceMax ?? availableParallelism(), options.waitingMax ?? waitingMax);
  return {
    hash: async (password) => {
      const settings = { algorithm: argon2id, memoryCost: memoryKibibytes, timeCost: passes, parallelism: 1 };
      return new TextEncoder().encode(await inTurn(() => hash(password, settings)));
    },
    verify: (password, hashed) => inTurn(() => verify(Buffer.from(hashed).toString(), password)),
  };
};

const turns = (atOnceMax: number, waitingAllowed: number) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < atOnceMax) running += 1;
    else {
      if (waiting.length >= waitingAllowed) throw new HasherBusy();
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      // The place passes to the next one who waits, or is free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
};
