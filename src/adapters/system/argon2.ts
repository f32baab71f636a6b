import { availableParallelism } from 'node:os';
import { passwordUnitsMax, type PasswordHasher } from '../../kernel/ports/system.js';
import { hashQueue } from './hashQueue.js';
import { hashThreads } from './hashThreads.js';

export const memoryKibibytes = 19_456;
export const passes = 2;
/** In each queue. About ten seconds of work for two threads. */
export const waitingMax = 500;

export type Argon2Options = {
  /** How many are computed at once; each takes a thread of its own and 19 MiB. Default: `hashesAtOnceMax`. */
  readonly atOnceMax?: number;
  /** How many may wait for their turn in each queue; those beyond are refused with `HasherBusy`. */
  readonly waitingMax?: number;
};

/** At most half of the cores, because a core that hashes is slow for others even when it stands back; and one in any case. */
export const hashesAtOnceMax = (cores: number): number => Math.max(1, Math.floor(cores / 2));

/** Hashes are PHC strings in UTF-8, so the parameters can be raised and old hashes still verify. */
export const argon2Hasher = (options: Argon2Options = {}): PasswordHasher => {
  const inTurn = hashQueue({
    atOnceMax: options.atOnceMax ?? hashesAtOnceMax(availableParallelism()),
    waitingMax: options.waitingMax ?? waitingMax,
    now: () => performance.now(),
  });
  const threads = hashThreads();
  return {
    hash: async (password, queue = 'others', of = '') => {
      if (password.length > passwordUnitsMax) throw new RangeError('a password is too long to be hashed');
      const work = { kind: 'hash', password, cost: { memoryCost: memoryKibibytes, timeCost: passes } } as const;
      const hash = await inTurn({ queue, of }, () => threads(work));
      return new TextEncoder().encode(String(hash));
    },
    verify: async (password, hashed, queue = 'others', of = '') => {
      if (password.length > passwordUnitsMax) return false;
      const work = { kind: 'verify', password, hashed: Buffer.from(hashed).toString() } as const;
      return (await inTurn({ queue, of }, () => threads(work))) === true;
    },
  };
};
