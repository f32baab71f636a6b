import { randomBytes, randomFillSync } from 'node:crypto';
import type { Random } from '../../kernel/ports/system.js';

const poolBytes = 1_024;

/** Asking the operating system costs as much as sealing a message, so short answers are cut from a pool. No byte is given twice. */
export const systemRandom = (): Random => {
  const pool = new Uint8Array(poolBytes);
  let at = poolBytes;
  return {
    bytes: (length) => {
      if (length > poolBytes / 8) return new Uint8Array(randomBytes(length));
      if (at + length > poolBytes) {
        randomFillSync(pool);
        at = 0;
      }
      const bytes = pool.slice(at, at + length);
      // Bytes that were given out may be a key, so they are wiped from the pool.
      pool.fill(0, at, at + length);
      at += length;
      return bytes;
    },
  };
};
