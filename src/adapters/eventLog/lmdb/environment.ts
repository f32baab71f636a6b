import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { underWay } from '../../../kernel/underWay.js';
import { copyLmdb } from '../../dataFolder/copyLmdb.js';
import { checkLmdbFile } from '../../dataFolder/lmdbFile.js';
import { openTables } from '../../dataFolder/lmdbTables.js';
import { checkRoom } from '../../dataFolder/room.js';
import { syncPath } from '../../dataFolder/sync.js';

/** An LMDB environment that can be opened again when its disk has failed it. */
export interface LmdbEnvironment<Tables> {
  /** Replaced by `reopen`, so ask for it anew each time. */
  readonly tables: Tables;
  /** Runs `puts` as one transaction. Resolves when it is on disk and reads see it; rejects when nothing of it was kept. */
  commit(puts: (tables: Tables) => void): Promise<void>;
  reopen(): Promise<void>;
  /** Copies all that is durable, as of one moment, into a folder of the same form. */
  copyTo(folder: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes the folder when it is not there. `tablesOf` names the tables. Throws `DamagedFile`. */
export const openEnvironment = <Tables>(
  folder: string,
  tablesOf: (root: RootDatabase) => Tables,
): LmdbEnvironment<Tables> => {
  makeFolder(folder);
  let root = openRoot(folder);
  let tables = openTables(root, tablesOf);
  let isOpen = true;
  const copies = underWay();
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    // LMDB does not look after a copy that is under way.
    await copies.ended();
    await root.close();
  };
  // LMDB syncs the file; that the folder has the file is for us to sync.
  syncPath(folder);
  return {
    get tables() {
      return tables;
    },
    commit: async (puts) => {
      try {
        await root.batch(() => {
          puts(tables);
        });
      } catch (error) {
        throw await causeOf(error);
      }
      // The snapshot that reads share in one turn of the event loop may be from before this commit.
      root.resetReadTxn();
    },
    reopen: async () => {
      await close();
      root = openRoot(folder);
      isOpen = true;
      tables = openTables(root, tablesOf);
    },
    copyTo: (target) => copies.add(copyLmdb(root, { path: target, file: dataFileIn(target) })),
    close,
  };
};

// Without overlapping syncs a commit is on disk before any reader sees it, and there is one promise for both.
const openRoot = (folder: string): RootDatabase => {
  checkLmdbFile(dataFileIn(folder));
  checkRoom(folder);
  return open({ path: folder, noSubdir: false, encoding: 'binary', overlappingSync: false });
};

export const dataFileIn = (folder: string): string => join(folder, 'data.mdb');

// lmdb rejects with a stand-in whose `commitError` is a promise that rejects, a little later, with the reason.
const causeOf = async (error: unknown): Promise<Error> => {
  const stand = error as { readonly commitError?: Promise<unknown> }; // The errors of lmdb have no type.
  try {
    await stand.commitError;
  } catch (cause) {
    return new Error('the log could not write to its disk', { cause });
  }
  return new Error('the log could not write to its disk', { cause: error });
};

const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return;
  const parent = dirname(resolve(folder));
  makeFolder(parent);
  mkdirSync(folder);
  syncPath(parent);
};
