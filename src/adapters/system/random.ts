import { randomBytes, randomFillSync } from 'node:crypto';
import type { Random } from '../../kernel/ports/system.js';

const poolBytes = 1_024;

/** Asking the operating system costs as much as sealing a message, so short answers are cut from a pool. No byte is given twice. */
export const systemRandom = (): Random => {
  const pool = Buffer.alloc(poolBytes);
  let at = poolBytes;
  return {
    bytes: (length) => {
      if (length > poolBytes / 8) return new Uint8Array(randomBytes(length));
      if (at + length > poolBytes) {
        randomFillSync(pool);
        at = 0;
      }
      const bytes = Uint8Array.prototype.slice.call(pool, at, at + length);
      // Bytes that were given out may be a key, so they are wiped from the pool.
      pool.fill(0, at, at + length);
      at += length;
      return bytes;
    },
  };
};
