import { statfs } from 'node:fs/promises';
import type { Disk } from '../../kernel/ports/system.js';

/** The disk that a folder is on. */
export const diskOf = (folder: string): Disk => ({
  room: async () => {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
});
