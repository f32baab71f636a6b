import { randomBytes } from 'node:crypto';
import { readSync } from 'node:fs';
import { chmod, copyFile, open } from 'node:fs/promises';
import { syncLarge } from '../dataFolder/sync.js';
import { saltBytes } from './wrapping.js';

/**
 * A salt for each secret, in a plain file that is overwritten in place. A database that copies on write keeps old
 * pages, so a secret removed from it may lie in the file for long; without its salt it cannot be unwrapped.
 */
export interface Salts {
  /** A new salt; durable when resolved. */
  add(): Promise<Salt>;
  read(number: number): Uint8Array;
  /** How many there have ever been. */
  count(): number;
  /** Overwrites salts; durable when resolved. */
  wipe(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

export type Salt = { readonly number: number; readonly bytes: Uint8Array };

/** Throws the system's error when the file is not there and must be. It is never truncated. */
export const openSalts = async (path: string, presence: 'may be made' | 'must be there'): Promise<Salts> => {
  if (presence === 'may be made') await (await open(path, 'a', 0o600)).close();
  const file = await open(path, 'r+');
  let count = Math.ceil((await file.stat()).size / saltBytes);
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const salts = batch.map((_, index) => ({ number: count + index, bytes: randomBytes(saltBytes) }));
      const at = count * saltBytes;
      count += batch.length;
      try {
        await file.write(Buffer.concat(salts.map(({ bytes }) => bytes)), 0, salts.length * saltBytes, at);
        await file.datasync();
        batch.forEach(({ resolve }, index) => resolve(salts[index] as Salt)); // One salt was made for each.
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    writing = undefined;
  };
  return {
    add: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        writing ??= writeAll();
      }),
    read: (number) => {
      const bytes = new Uint8Array(saltBytes);
      readSync(file.fd, bytes, 0, saltBytes, number * saltBytes);
      return bytes;
    },
    count: () => count,
    wipe: async (numbers) => {
      if (numbers.length === 0) return;
      for (const number of numbers) await file.write(new Uint8Array(saltBytes), 0, saltBytes, number * saltBytes);
      await file.datasync();
    },
    close: async () => {
      await writing;
      await file.close();
    },
  };
};

/** Copies the file, which may grow meanwhile; on the disk and for the owner alone when resolved. */
export const copySalts = async (path: string, target: string): Promise<void> => {
  await copyFile(path, target);
  await chmod(target, 0o600);
  await syncLarge(target);
};

type Waiting = { readonly resolve: (salt: Salt) => void; readonly reject: (error: unknown) => void };
