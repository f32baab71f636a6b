import { statSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { makeFolder } from '../../adapters/dataFolder/makeFolder.js';
import { BackupRefused, backupPartNames, type BackupPartName, type TakenBackup } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { isServer, withoutSecrets, type Config } from '../../config.js';
import { masterKeyFileOf } from '../../engines.js';
import { HeldTooLong, type FileRemovals } from '../../gateway/files/removals.js';
import { floorOf } from '../../gateway/operations/freeDisk.js';
import { diskOf } from '../../adapters/system/disk.js';
import { version } from '../version.js';
import { checkEmpty, checkRoomFor, emptied, existing, inMebibytes, plainly } from './folders.js';
import { backupParts, bytesOf, type OpenParts } from './parts.js';

export type TakeNeeds = {
  readonly config: Config;
  /** Absolute. It is made, or empty. */
  readonly folder: string;
  readonly open: OpenParts;
  readonly call: VerbCall;
  /** Where a server runs: keeps it from removing files that the log still names as it is copied. */
  readonly heldWhile?: FileRemovals['heldWhile'];
};

/**
 * Copies all parts of the data folder into an empty folder, as of one moment. The copies are no backup yet: that takes a
 * manifest. Throws `BackupRefused`; then the folder is as empty as it was.
 */
export const takeBackup = async (needs: TakeNeeds): Promise<TakenBackup> => {
  const { config, folder, heldWhile = unheld } = needs;
  const parts = partsOf(config);
  checkPlace(folder, config.dataDir);
  const { signal } = needs.call;
  const bytes = await bytesOf(parts, config.dataDir, signal).catch((error: unknown) => {
    throw signal.aborted ? new BackupRefused('stopped', { cause: error }) : error;
  });
  const began = new Date().toISOString();
  try {
    await checkRoomFor(folder, { bytes, floorBytes: await floorFor(folder, config) });
    makeFolder(folder);
  } catch (error) {
    throw plainly(error);
  }
  try {
    await heldWhile(() => copied(needs, parts));
  } catch (error) {
    emptied(folder);
    if (signal.aborted) throw new BackupRefused('stopped', { cause: error });
    if (error instanceof HeldTooLong) throw new BackupRefused(error.message, { cause: error });
    throw isDiskFull(error) ? fullDisk(folder, bytes, error) : plainly(error);
  }
  const ended = new Date().toISOString();
  return { release: version, began, ended, parts, elsewhere: elsewhereOf(config), keyFile: masterKeyFileOf(config) };
};

/** Where no server runs, nobody removes anything. */
const unheld: FileRemovals['heldWhile'] = (work) => work();

const copied = async ({ config, folder, open, call }: TakeNeeds, parts: readonly BackupPartName[]): Promise<void> => {
  for (const name of parts) {
    call.signal.throwIfAborted();
    call.progress(`copying ${backupParts[name].entry}`);
    await backupParts[name].copy(open, config.dataDir, folder, call.signal);
  }
};

/**
 * The parts that the data folder has to have, by the configuration, and those that it may have. Throws `BackupRefused`
 * where one is missing, or there is nothing to copy.
 */
export const partsOf = (config: Config): readonly BackupPartName[] => {
  const elsewhere = elsewhereOf(config).map(({ part }) => part);
  if (elsewhere.includes('log') && elsewhere.includes('vault')) {
    throw new BackupRefused(
      'log and vault are on servers of their own, so there is nothing to copy here: back up EventStoreDB first and the ' +
        "vault's database of MongoDB after it, as docs/operating.md says",
    );
  }
  return backupPartNames.filter((name) => {
    const isThere = backupParts[name].isIn(config.dataDir);
    if (name === 'idMark') return isThere && !isServer(config.documents);
    // A log that was copied before by other means may end before the places of the workflows.
    if (name === 'state') return isThere && !isServer(config.documents) && !isServer(config.eventLog);
    if (elsewhere.includes(name)) return false;
    // Nobody may have uploaded anything yet.
    if (isThere || name === 'files') return isThere;
    throw new BackupRefused(`there is no ${name} in ${config.dataDir}: give the command the variables of the server`);
  });
};

const elsewhereOf = ({ eventLog, vault, blobs }: Config): TakenBackup['elsewhere'] =>
  (
    [
      ['log', eventLog],
      ['vault', vault],
      ['files', blobs],
    ] as const
  ).flatMap(([part, engine]) => (isServer(engine) ? [{ part, where: withoutSecrets(engine.url) }] : []));

const checkPlace = (folder: string, dataDir: string): void => {
  if (!isAbsolute(folder)) throw new BackupRefused(`${folder} is not the whole path of a folder`);
  const inside = relative(dataDir, folder);
  if (!inside.startsWith('..') && !isAbsolute(inside)) {
    throw new BackupRefused(`${folder} is in the data folder: a backup is lost with what it is in`);
  }
  checkEmpty(folder);
};

/** On the disk of the server itself a backup must not take the room that the server needs to go on writing. */
const floorFor = async (folder: string, { dataDir, freeDiskBytesMin }: Config): Promise<number> => {
  if (statSync(existing(folder)).dev !== statSync(dataDir).dev) return 0;
  return Math.floor(floorOf(freeDiskBytesMin, await diskOf(dataDir).room()));
};

const isDiskFull = (error: unknown): error is Error =>
  error instanceof Error && /No space left|ENOSPC|EDQUOT|quota exceeded/i.test(error.message);

const fullDisk = (folder: string, bytes: number, cause: Error): BackupRefused =>
  new BackupRefused(`the disk of ${folder} became full: ${inMebibytes(bytes)} are needed, others write to it too`, {
    cause,
  });
