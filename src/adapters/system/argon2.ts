import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { passwordUnitsMax, type PasswordHasher } from '../../kernel/ports/system.js';
import { hashQueue } from './hashQueue.js';
import { threadPoolSize } from './threadPool.js';

export const memoryKibibytes = 19_456;
export const passes = 2;
/** In each queue. About ten seconds of work for two threads. */
export const waitingMax = 500;

// Argon2id is 2 in the library's table, which exists for the compiler alone.
const argon2id = 2;

export type Argon2Options = {
  /** How many are computed at once; each takes a core, a thread of the pool and 19 MiB. Default: `hashesAtOnceMax`. */
  readonly atOnceMax?: number;
  /** How many may wait for their turn in each queue; those beyond are refused with `HasherBusy`. */
  readonly waitingMax?: number;
};

/**
 * At most half of the threads of the pool, because the log is flushed and files are read on the same ones; and one of
 * them in any case.
 */
export const hashesAtOnceMax = (poolThreads: number, cores: number): number =>
  Math.max(1, Math.min(cores, Math.floor(poolThreads / 2)));

/** Hashes are PHC strings in UTF-8, so the parameters can be raised and old hashes still verify. */
export const argon2Hasher = (options: Argon2Options = {}): PasswordHasher => {
  const inTurn = hashQueue({
    atOnceMax: options.atOnceMax ?? hashesAtOnceMax(threadPoolSize(process.env), availableParallelism()),
    waitingMax: options.waitingMax ?? waitingMax,
    now: () => performance.now(),
  });
  return {
    hash: async (password, queue = 'others', of = '') => {
      if (password.length > passwordUnitsMax) throw new RangeError('a password is too long to be hashed');
      const settings = { algorithm: argon2id, memoryCost: memoryKibibytes, timeCost: passes, parallelism: 1 };
      return new TextEncoder().encode(await inTurn({ queue, of }, () => hash(password, settings)));
    },
    verify: async (password, hashed, queue = 'others', of = '') =>
      password.length <= passwordUnitsMax &&
      (await inTurn({ queue, of }, () => verify(Buffer.from(hashed).toString(), password))),
  };
};
