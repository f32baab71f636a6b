import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The text of a file; undefined where there is none. */
export const textIn = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** The name of a file that `replaceText` was writing when its process ended. */
export const isUnfinished = (name: string): boolean => /\.[0-9a-f]{8}$/.test(name);

/** Writes the text in place of a former one. A reader sees the one or the other; durable when resolved. */
export const replaceText = async (path: string, text: string): Promise<void> => {
  const next = `${path}.${randomUUID().slice(0, 8)}`;
  try {
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
};

/** Names in the folder are on the disk when resolved. */
export const syncFolder = async (folder: string): Promise<void> => {
  // Windows opens no folders, and keeps names by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
