import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk } from '../../kernel/ports/system.js';

/** The disk that a folder is on. One that is not there yet will be on that of the folder above. */
export const diskOf = (folder: string): Disk => ({
  room: async () => {
    const { bavail, blocks, bsize } = await statfs(thereAbove(folder));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
});

/** Whether two folders share the room of one disk. */
export const areOnOneDisk = (one: string, other: string): boolean =>
  statSync(thereAbove(one)).dev === statSync(thereAbove(other)).dev;

const thereAbove = (folder: string): string => {
  const above = dirname(folder);
  return existsSync(folder) || above === folder ? folder : thereAbove(above);
};
