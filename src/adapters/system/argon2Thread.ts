import { platform, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';

/** KiB that it fills, and how many times. */
export type Cost = { readonly memoryCost: number; readonly timeCost: number };

/** Work for a thread that hashes, one at a time. */
export type HashWork =
  | { readonly kind: 'hash'; readonly password: string; readonly cost: Cost }
  | { readonly kind: 'verify'; readonly password: string; readonly hashed: string };

export type HashDone = { readonly value: string | boolean } | { readonly error: Error };

/** Far enough behind the thread of the clients, and still a quarter of a core that this one is busy on. */
const niceness = 5;

/** On Linux a priority belongs to a thread, and 0 is the one that asks. Elsewhere this would slow the whole process down. */
const standBack = (): void => {
  if (platform() !== 'linux') return;
  try {
    setPriority(0, niceness);
  } catch {
    // A sandbox may forbid it. Hashes are done all the same.
  }
};

// Argon2id is 2 in the library's table, which exists for the compiler alone.
const argon2id = 2;

const done = (work: HashWork): HashDone => {
  try {
    if (work.kind === 'verify') return { value: verifySync(work.hashed, work.password) };
    const settings = { algorithm: argon2id, parallelism: 1, ...work.cost };
    return { value: hashSync(work.password, settings) };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
};

standBack();
parentPort?.on('message', (work: HashWork) => {
  parentPort?.postMessage(done(work));
});
