import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { makeFolder } from './makeFolder.js';
import { syncLarge } from './sync.js';

/** An environment is a folder with `data.mdb`, or a file by itself. */
export type LmdbCopy = {
  /** As LMDB is given it: the folder, or the file. */
  readonly path: string;
  /** The file that the copy is, which must not be there yet. */
  readonly file: string;
};

/**
 * Copies the environment as it is at one moment, while others read it and write to it: LMDB keeps the pages of that
 * moment until the copy has ended. The thread is not blocked. On the disk, and for the owner alone, when resolved;
 * after a failure a part of the file may be there.
 */
export const copyLmdb = async (root: Pick<RootDatabase, 'backup'>, { path, file }: LmdbCopy): Promise<void> => {
  makeFolder(dirname(file));
  await root.backup(path, false);
  chmodSync(file, 0o600);
  await syncLarge(file);
  await syncLarge(dirname(file));
};

/** The same for an environment that no process has open: the caller holds the lock of its data folder. */
export const copyClosedLmdb = async (from: LmdbCopy, to: LmdbCopy): Promise<void> => {
  const root = open({ path: from.path, noSubdir: from.path === from.file, readOnly: true });
  try {
    await copyLmdb(root, to);
  } finally {
    await root.close();
  }
};
