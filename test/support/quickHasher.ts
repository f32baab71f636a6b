import type { PasswordHasher } from '../../src/kernel/ports/system.js';

/** Keeps passwords as they are. The real one is slow on purpose. */
export const quickHasher: PasswordHasher = {
  hash: (password) => Promise.resolve(Buffer.from(`quick ${password}`)),
  verify: (password, hash) => Promise.resolve(Buffer.from(hash).toString() === `quick ${password}`),
};
