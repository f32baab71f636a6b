import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The bytes that opening an LMDB file for the first time takes, its table of readers included, with room to spare. */
export const roomBytesMin = 524_288;

/**
 * Throws the system's error when the folder cannot be written to, or its disk has no room for what LMDB needs when it
 * opens a file: LMDB would end the process by a signal.
 */
export const checkRoom = (folder: string): void => {
  const probe = join(folder, `room.${randomUUID().slice(0, 8)}`);
  try {
    writeFileSync(probe, new Uint8Array(roomBytesMin), { mode: 0o600, flag: 'wx' });
  } finally {
    rmSync(probe, { force: true });
  }
};
