import { rmSync } from 'node:fs';

const removalsMax = 50;

/**
 * Hooks run in the order in which they were made, so a server of another process may still be at work in the folder, and
 * make a file between the removal of the files and that of the folder.
 */
export const removeFolder = (folder: string): void => {
  for (let tries = 1; ; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === removalsMax) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
};
