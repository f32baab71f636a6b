import { chmodSync, copyFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncPath } from '../../adapters/dataFolder/sync.js';
import { BackupRefused } from '../../admin/backups.js';

/** Throws `BackupRefused` where the folder holds anything, `except` files of these names. */
export const checkEmpty = (folder: string, except: readonly string[] = []): void => {
  const held = entriesOf(folder).find((name) => !except.includes(name));
  if (held !== undefined) throw new BackupRefused(`${folder} is not empty, it holds ${held}: name a new folder`);
};

const entriesOf = (folder: string): readonly string[] => {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) throw new BackupRefused(`${folder} is no folder`);
  return readdirSync(folder);
};

export type Room = {
  /** To be written, in bytes. */
  readonly bytes: number;
  /** That have to stay free afterwards. */
  readonly floorBytes: number;
};

/** LMDB and the file system take some more than the files have. */
const roomShare = 1.02;
const roomBytesMin = 1_048_576;

/** Throws `BackupRefused`, which says how much is needed, when the disk of the folder has less room. */
export const checkRoomFor = async (folder: string, { bytes, floorBytes }: Room): Promise<void> => {
  const { bavail, bsize } = await statfs(existing(folder));
  const [needed, free] = [Math.ceil(bytes * roomShare) + roomBytesMin + floorBytes, bavail * bsize];
  if (free >= needed) return;
  const kept = floorBytes === 0 ? '' : `, ${inMebibytes(floorBytes)} of which stay free for the server`;
  throw new BackupRefused(
    `${folder} needs ${inMebibytes(needed)} on its disk${kept}, and ${inMebibytes(free)} are free`,
  );
};

export const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / bytesPerMebibyte).toString()} MiB`;
const bytesPerMebibyte = 1_048_576;

/** The folder, or the nearest one above it that is there. */
export const existing = (folder: string): string =>
  statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder
    ? existing(dirname(folder))
    : folder;

/** Removes everything in a folder that was empty before. */
export const emptied = (folder: string): void => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
};

/** For the owner alone, also where the file was open to others, and on the disk when it returns. */
export const copyPrivately = (from: string, to: string): void => {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  syncPath(to);
};

/** The folders on the way from one folder to files below it are on the disk when it returns, with the names in them. */
export const syncFoldersTo = (folder: string, paths: readonly string[]): void => {
  const folders = new Set([folder]);
  for (const path of paths) {
    for (let inner = dirname(path); inner !== '.'; inner = dirname(inner)) folders.add(join(folder, inner));
  }
  for (const one of folders) syncPath(one);
};

/** An error of the system is told as it is: it names the file. */
export const plainly = (error: unknown): unknown => {
  const isOfSystem = error instanceof Error && !(error instanceof BackupRefused) && 'code' in error;
  return isOfSystem ? new BackupRefused(error.message, { cause: error }) : error;
};
