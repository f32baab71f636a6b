import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderNames } from '../../adapters/dataFolder/modes.js';
import { copiedCheckpoints } from '../../adapters/documents/workflowCheckpoints/files.js';
import { loadMasterKey } from '../../adapters/vault/masterKey.js';
import { checkVaultFiles, lmdbVaultReader, type VaultReader } from '../../adapters/vault/lmdbReader.js';
import { WrongMasterKey } from '../../adapters/vault/wrapping.js';
import { BackupRefused, type BackupPartName } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Position } from '../../kernel/event.js';
import { checkLog, type LogCheck } from './checkLog.js';
import { plainly } from './folders.js';

export type ContentsNeeds = {
  /** Laid out as a data folder. */
  readonly folder: string;
  readonly parts: readonly BackupPartName[];
  /** The file of the master key. Absent: nothing is opened. */
  readonly keyFile: string | undefined;
  readonly call: VerbCall;
};

export type Contents = {
  readonly log: LogCheck | undefined;
  /** How many names the vault holds, destroyed ones included. */
  readonly vaultNames: number | undefined;
  /** Every secret and every sealed value was opened. */
  readonly isOpened: boolean;
};

/**
 * Reads the copied parts whole. With the key every secret of the vault has to open, and under these every sealed value
 * of the log. Throws `BackupRefused`.
 */
export const checkContents = async (needs: ContentsNeeds): Promise<Contents> => {
  const { folder, parts, keyFile, call } = needs;
  const [logFolder, vaultFolder] = [join(folder, dataFolderNames.log), join(folder, dataFolderNames.vault)];
  const hasVault = parts.includes('vault');
  let vault: VaultReader | undefined;
  try {
    const vaultNames = hasVault ? await checkVaultFiles(vaultFolder) : undefined;
    if (hasVault && keyFile !== undefined) vault = await openedVault(vaultFolder, keyFile);
    const log = parts.includes('log') ? await checkLog({ folder: logFolder, vault, call }) : undefined;
    if (log !== undefined) await checkState(join(folder, dataFolderNames.state), log.position);
    return { log, vaultNames, isOpened: vault !== undefined };
  } catch (error) {
    throw told(error);
  } finally {
    await vault?.close();
    withoutReaders(folder);
  }
};

/** A workflow that went on from beyond the log would leave out what happens next. */
const checkState = async (state: string, end: Position): Promise<void> => {
  for (const [name, position] of await copiedCheckpoints(state)) {
    if (position > end) {
      throw new BackupRefused(`${name} is at ${position.toString()}, and the log ends at ${end.toString()}`);
    }
  }
};

/** Opens a vault and all that is in it, with the key of a file. */
const openedVault = async (folder: string, keyFile: string): Promise<VaultReader> => {
  const vault = await lmdbVaultReader({ folder, masterKey: keyIn(keyFile) }).catch((error: unknown) => {
    throw error instanceof WrongMasterKey ? wrongKey(keyFile, error) : error;
  });
  try {
    for (const name of vault.secretNames()) await vault.get(name);
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
};

const wrongKey = (file: string, cause: WrongMasterKey): BackupRefused =>
  new BackupRefused(`${file} is not the master key of this backup: the vault was made under another one`, { cause });

const keyIn = (file: string): Uint8Array => loadMasterKey(file, { mayMake: false }).key;

/** LMDB leaves the table of its readers beside each file that it has opened. */
const withoutReaders = (folder: string): void => {
  for (const file of [
    join(folder, dataFolderNames.log, 'log', 'lock.mdb'),
    join(folder, dataFolderNames.vault, 'vault.mdb-lock'),
  ])
    rmSync(file, { force: true });
};

const toldNames: ReadonlySet<string> = new Set(['NoMasterKey', 'DamagedFile', 'DamagedSecret', 'NoLog']);

const told = (error: unknown): unknown =>
  error instanceof Error && toldNames.has(error.name)
    ? new BackupRefused(error.message, { cause: error })
    : plainly(error);
