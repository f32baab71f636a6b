import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { adminSocketName } from '../../adapters/dataFolder/adminSocket.js';
import { lockFolder, lockName } from '../../adapters/dataFolder/lock.js';
import { dataFolderNames } from '../../adapters/dataFolder/modes.js';
import { syncPath } from '../../adapters/dataFolder/sync.js';
import { BackupRefused, type BackupPlace } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Config } from '../../config.js';
import { checkContents } from './contents.js';
import { checkEmpty, checkRoomFor, copyPrivately, plainly, syncFoldersTo } from './folders.js';
import { checkFile, describedFile, manifestIn, type Manifest } from './manifest.js';
import { backupParts } from './parts.js';
import type { BackupReport } from './report.js';
import { keyFileFor } from './verify.js';

export type RestoreNeeds = BackupPlace & {
  /** Of the server that is to go on with it; its data folder is empty. */
  readonly config: Config;
  readonly call: VerbCall;
};

/**
 * Puts a backup into an empty data folder, reads it whole there and opens all that is sealed. A folder in which this was
 * cut short holds `restoring`, and no server starts on it. Throws `BackupRefused`, after which the folder is empty again.
 */
export const restoreBackup = async (needs: RestoreNeeds): Promise<BackupReport> => {
  const { folder, config } = needs;
  const { dataDir } = config;
  const manifest = manifestIn(folder);
  const keyFile = keyFileFor({ ...needs, manifest });
  if (keyFile === undefined) throw new BackupRefused(noKey(manifest));
  checkEmpty(dataDir, socketNames);
  const lock = await lockFolder(dataDir);
  try {
    checkEmpty(dataDir, socketNames);
    const unfinished = join(dataDir, dataFolderNames.restoring);
    const report = await copied({ ...needs, manifest, keyFile }, unfinished).catch((error: unknown) => {
      rmSync(unfinished, { recursive: true, force: true });
      throw error;
    });
    putInPlace(unfinished, dataDir);
    return report;
  } catch (error) {
    throw plainly(error);
  } finally {
    await lock.release();
  }
};

/** Left behind by a process that was killed, they mean nothing. */
const socketNames: readonly string[] = [lockName, adminSocketName];

const noKey = ({ keyFile }: Manifest): string =>
  `the backup is without its master key, which was ${keyFile}: name a copy of it by --key`;

type Restoring = RestoreNeeds & { readonly manifest: Manifest; readonly keyFile: string };

const copied = async (needs: Restoring, unfinished: string): Promise<BackupReport> => {
  const { folder, config, manifest, keyFile, call } = needs;
  const { files, parts } = manifest;
  await checkRoomFor(config.dataDir, { bytes: files.reduce((sum, file) => sum + file.bytes, 0), floorBytes: 0 });
  mkdirSync(unfinished, { mode: 0o700 });
  syncPath(config.dataDir);
  for (const file of files) {
    if (call.signal.aborted) throw new BackupRefused('stopped');
    call.progress(`copying ${file.path}`);
    const target = join(unfinished, file.path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    copyPrivately(join(folder, file.path), target);
    checkFile(folder, file, await describedFile(unfinished, file.path));
  }
  syncFoldersTo(
    unfinished,
    files.map(({ path }) => path),
  );
  const { isOpened } = await checkContents({ folder: unfinished, parts, keyFile, call });
  putKey(needs, unfinished);
  return { folder, manifest, isOpened, restoredTo: config.dataDir };
};

/** The server looks for its key where its variables say, or in its data folder. */
const putKey = ({ config: { masterKeyFile }, keyFile }: Restoring, unfinished: string): void => {
  const inFolder = join(unfinished, dataFolderNames.masterKey);
  if (masterKeyFile === undefined) {
    copyPrivately(keyFile, inFolder);
    return;
  }
  rmSync(inFolder, { force: true });
  if (existsSync(masterKeyFile) && readFileSync(masterKeyFile).equals(readFileSync(keyFile))) return;
  throw new BackupRefused(
    `OSMIUM_MASTER_KEY_FILE names ${masterKeyFile}, which is not the key in ${keyFile}: put that one there first`,
  );
};

const putInPlace = (unfinished: string, dataDir: string): void => {
  const entries = [...Object.values(backupParts).map(({ entry }) => entry), dataFolderNames.masterKey];
  for (const entry of entries.filter((name) => existsSync(join(unfinished, name)))) {
    renameSync(join(unfinished, entry), join(dataDir, entry));
  }
  syncPath(dataDir);
  // From here on a server starts on the folder.
  rmdirSync(unfinished);
  syncPath(dataDir);
};
