import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderNames } from '../../adapters/dataFolder/modes.js';
import { blobBytesIn, blobPathsIn, copyBlobs } from '../../adapters/blobs/files.js';
import { checkpointFilesIn, copyCheckpoints } from '../../adapters/documents/workflowCheckpoints/files.js';
import { copyClosedLog, hasLmdbLog, logFilesIn } from '../../adapters/eventLog/lmdb.js';
import { copyClosedVault, hasLmdbVault, saltsFileIn, vaultFileIn } from '../../adapters/vault/lmdbFiles.js';
import type { BackupPartName } from '../../admin/backups.js';
import type { EngineParts } from '../../engines.js';
import { copyPrivately } from './folders.js';

/** The parts of a running server, or `undefined` where none runs and the caller holds the lock of the data folder. */
export type OpenParts = Pick<EngineParts, 'log' | 'vault'> | undefined;

/** One part of a data folder, which lies in a backup as it lies in the data folder. */
export type BackupPart = {
  /** Below the data folder and below the backup: a file, or a folder. */
  readonly entry: string;
  /** Whether the folder has it. */
  readonly isIn: (folder: string) => boolean;
  /** The files of it that are copied, absolute. Of files there may be very many: for a copy, which nobody is served from. */
  readonly filesIn: (folder: string) => readonly string[];
  /** Absent: those of `filesIn`. */
  readonly bytesIn?: (folder: string, signal: AbortSignal) => Promise<number>;
  /** From one folder into another one, as of one moment, on the disk when resolved. Parts that may be large give up when the signal is raised. */
  readonly copy: (open: OpenParts, from: string, to: string, signal: AbortSignal) => Promise<void>;
};

const stateIn = (folder: string): string => join(folder, dataFolderNames.state);
const logIn = (folder: string): string => join(folder, dataFolderNames.log);
const vaultIn = (folder: string): string => join(folder, dataFolderNames.vault);
const filesIn = (folder: string): string => join(folder, dataFolderNames.files);
const idMarkIn = (folder: string): string => join(folder, dataFolderNames.idMark);

/**
 * Every part that a backup has. They are copied in the order of `backupPartNames`, so that together they are as the
 * deployment was when the log was copied: keys are stored before what is sealed with them, and the mark is raised before
 * an id is made, so both are copied after the log. The bytes of files are stored before an event names them, and none is removed while
 * a server copies, so they come last. How far workflows are is copied before it: they meet a few events again,
 * and miss none. Which generation serves is left out, as its documents are.
 */
export const backupParts: Readonly<Record<BackupPartName, BackupPart>> = {
  state: {
    entry: dataFolderNames.state,
    isIn: (folder) => checkpointFilesIn(stateIn(folder)).length > 0,
    filesIn: (folder) => checkpointFilesIn(stateIn(folder)),
    copy: (_, from, to) => copyCheckpoints(stateIn(from), stateIn(to)),
  },
  log: {
    entry: dataFolderNames.log,
    isIn: (folder) => hasLmdbLog(logIn(folder)),
    filesIn: (folder) => logFilesIn(logIn(folder)),
    copy: (open, from, to) => open?.log.copyTo?.(logIn(to)) ?? copyClosedLog(logIn(from), logIn(to)),
  },
  vault: {
    entry: dataFolderNames.vault,
    isIn: (folder) => hasLmdbVault(vaultIn(folder)),
    filesIn: (folder) => [vaultFileIn(vaultIn(folder)), saltsFileIn(vaultIn(folder))],
    copy: (open, from, to) => open?.vault.copyTo?.(vaultIn(to)) ?? copyClosedVault(vaultIn(from), vaultIn(to)),
  },
  idMark: {
    entry: dataFolderNames.idMark,
    isIn: (folder) => existsSync(idMarkIn(folder)),
    filesIn: (folder) => [idMarkIn(folder)],
    copy: (_, from, to) => {
      copyPrivately(idMarkIn(from), idMarkIn(to));
      return Promise.resolve();
    },
  },
  files: {
    entry: dataFolderNames.files,
    isIn: (folder) => existsSync(filesIn(folder)),
    filesIn: (folder) => blobPathsIn(filesIn(folder)),
    bytesIn: (folder, signal) => blobBytesIn(filesIn(folder), signal),
    copy: (_, from, to, signal) => copyBlobs(filesIn(from), filesIn(to), signal),
  },
};

export const bytesOf = async (
  parts: readonly BackupPartName[],
  folder: string,
  signal: AbortSignal,
): Promise<number> => {
  let bytes = 0;
  for (const name of parts) {
    const { bytesIn = bytesOfFiles(name) } = backupParts[name];
    bytes += await bytesIn(folder, signal);
  }
  return bytes;
};

const bytesOfFiles =
  (name: BackupPartName) =>
  (folder: string): Promise<number> => {
    const sizes = backupParts[name].filesIn(folder).map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    return Promise.resolve(sizes.reduce((sum, size) => sum + size, 0));
  };
