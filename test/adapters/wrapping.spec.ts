import assert from 'node:assert/strict';
import crypto, { randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { it } from 'node:test';
import { DamagedSecret, saltBytes, wrapping } from '../../src/adapters/vault/wrapping.js';

/** All buffers that ciphers are given as keys, and all that they give back opened, while the work is done. */
const buffersOf = (work: () => void): readonly Uint8Array[] => {
  const seen: Uint8Array[] = [];
  const { createCipheriv, createDecipheriv } = crypto;
  const noted = <Make extends typeof createCipheriv | typeof createDecipheriv>(make: Make): Make =>
    // The kinds of arguments are those of the function that is called.
    ((...made: Parameters<typeof createDecipheriv>) => {
      seen.push(made[1] as Uint8Array);
      const cipher = make(...made);
      const update = cipher.update.bind(cipher);
      cipher.update = ((bytes: Uint8Array) => {
        const given = update(bytes);
        if (make === createDecipheriv) seen.push(given);
        return given;
      }) as typeof cipher.update;
      return cipher;
    }) as Make;
  crypto.createCipheriv = noted(createCipheriv);
  crypto.createDecipheriv = noted(createDecipheriv);
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
    syncBuiltinESMExports();
  }
  return seen;
};

it('leaves nothing of a secret or its key in memory but what it gives', () => {
  const { wrap, unwrap } = wrapping(randomBytes(32));
  const salt = randomBytes(saltBytes);
  const secret = randomBytes(32);
  const seen = buffersOf(() => {
    const wrapped = wrap('name', salt, secret);
    assert.deepEqual(unwrap('name', salt, wrapped), Uint8Array.from(secret));
    assert.throws(() => unwrap('another', salt, wrapped), DamagedSecret);
  });
  // Three keys, and the secret opened twice.
  assert.equal(seen.length, 5);
  for (const bytes of seen) assert.ok(bytes.every((byte) => byte === 0));
});
