import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { dataFolderNames } from '../../adapters/dataFolder/modes.js';
import { BackupRefused, type BackupPlace, type TakenBackup } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { defined } from '../../kernel/defined.js';
import { parsedJson } from '../../kernel/json.js';
import { checkContents, type Contents } from './contents.js';
import { copyPrivately, plainly, syncFoldersTo } from './folders.js';
import { describedFile, takenSchema, withFormat, writeManifest, type BackupFile, type Manifest } from './manifest.js';
import { backupParts } from './parts.js';
import type { BackupReport } from './report.js';

export type SealNeeds = BackupPlace & {
  /** `TakenBackup` as JSON. */
  readonly taken: string;
  readonly withKey: boolean;
  readonly call: VerbCall;
};

/**
 * Reads the copies whole, takes the key along when asked to, and makes a backup of them by writing the manifest. The
 * copies are left as they are when they are not in order. Throws `BackupRefused`.
 */
export const sealBackup = async ({ folder, key, taken, withKey, call }: SealNeeds): Promise<BackupReport> => {
  const copied = takenIn(taken);
  const { parts } = copied;
  const keyFile = key ?? (existsSync(copied.keyFile) ? copied.keyFile : undefined);
  const contents = await checkContents({ folder, parts, keyFile, call });
  try {
    if (withKey) takeKey(keyFile, folder, copied);
    const paths = [
      ...parts.flatMap((name) => backupParts[name].filesIn(folder).map((file) => relative(folder, file))),
      ...(withKey ? [dataFolderNames.masterKey] : []),
    ];
    const files: BackupFile[] = [];
    for (const path of paths) files.push(await describedFile(folder, path));
    syncFoldersTo(folder, paths);
    const manifest = manifestOf({ copied, contents, withKey, files });
    writeManifest(folder, manifest);
    return { folder, manifest, isOpened: contents.isOpened };
  } catch (error) {
    throw plainly(error);
  }
};

/** The answer of a server, which may be of another release. */
const takenIn = (text: string): TakenBackup => {
  const read = takenSchema.safeParse(parsedJson(text));
  if (!read.success) throw new BackupRefused('the server gave an answer of another form: is it of another release?');
  return read.data;
};

const takeKey = (keyFile: string | undefined, folder: string, { keyFile: where }: TakenBackup): void => {
  if (keyFile === undefined) throw new BackupRefused(`the master key is not in ${where}: name its file by --key`);
  copyPrivately(keyFile, join(folder, dataFolderNames.masterKey));
};

type Parts = {
  readonly copied: TakenBackup;
  readonly contents: Contents;
  readonly withKey: boolean;
  readonly files: readonly BackupFile[];
};

const manifestOf = ({ copied, contents: { log, vaultNames }, withKey, files }: Parts): Manifest =>
  withFormat({
    ...copied,
    ...defined({
      deployment: log?.deployment,
      log: log && { events: log.events, position: log.position.toString() },
      vault: vaultNames === undefined ? undefined : { names: vaultNames },
    }),
    withKey,
    files,
  });
