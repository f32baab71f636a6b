import { chmodSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The names of everything that the server keeps below its data folder. */
export const dataFolderNames = {
  log: 'log',
  documents: 'documents',
  state: 'state',
  search: 'search',
  own: 'own',
  vault: 'vault',
  masterKey: 'master.key',
  idMark: 'ids.mark',
  presence: 'presence.sealed',
  files: 'files',
  /** The part of a backup that a restore has copied so far. */
  restoring: 'restoring',
} as const;

/** The folder is another user's, and is open to others than its owner. */
export class OpenToOthers extends Error {
  constructor(path: string, mode: number) {
    super(
      `${path} has the mode ${mode.toString(8)} and belongs to another user: others can read what is in it. ` +
        'Give it to the user who runs the server',
    );
    this.name = 'OpenToOthers';
  }
}

/** Read, write and enter, for the group and for others. */
const othersBits = 0o077;

/**
 * Closes the data folder to others, with all that the server keeps in it: former releases made some of that under the
 * umask of their user. Files of other programs beside it are left as they are. Throws `OpenToOthers`.
 */
export const closeToOthers = (folder: string): void => {
  // Windows has no such bits.
  if (process.platform === 'win32') return;
  // Whether a folder is closed to others counts before its files do.
  closeOne(folder);
  for (const name of Object.values(dataFolderNames)) {
    const path = join(folder, name);
    // Below it there may be millions, each of which was made for its owner alone.
    if (name !== dataFolderNames.files) closeBelow(path);
    else if (statSync(path, { throwIfNoEntry: false }) !== undefined) closeOne(path);
  }
};

const closeBelow = (path: string): void => {
  // An entry may be a link to a folder on another disk. A file behind a link is not in the data folder.
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || (!found.isDirectory() && lstatSync(path).isSymbolicLink())) return;
  closeOne(path);
  if (!found.isDirectory()) return;
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    if (!lstatSync(inner).isSymbolicLink()) closeBelow(inner);
  }
};

const closeOne = (path: string): void => {
  const mode = statSync(path).mode & 0o7777;
  if ((mode & othersBits) === 0) return;
  try {
    chmodSync(path, mode & ~othersBits);
  } catch (error) {
    const isOthers = error instanceof Error && 'code' in error && error.code === 'EPERM';
    throw isOthers ? new OpenToOthers(path, mode) : error;
  }
};
