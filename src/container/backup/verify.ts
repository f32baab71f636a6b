import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderNames } from '../../adapters/dataFolder/modes.js';
import type { BackupPlace } from '../../admin/backups.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Config } from '../../config.js';
import { checkContents } from './contents.js';
import { plainly } from './folders.js';
import { checkFile, describedFile, manifestIn, type Manifest } from './manifest.js';
import type { BackupReport } from './report.js';

export type VerifyNeeds = BackupPlace & {
  readonly config: Pick<Config, 'masterKeyFile'>;
  readonly call: VerbCall;
};

/** Reads a backup whole, and compares it with its manifest. Throws `BackupRefused`. */
export const verifyBackup = async ({ folder, key, config, call }: VerifyNeeds): Promise<BackupReport> => {
  const manifest = manifestIn(folder);
  try {
    for (const file of manifest.files) {
      call.progress(`reading ${file.path}`);
      checkFile(folder, file, await describedFile(folder, file.path));
    }
  } catch (error) {
    throw plainly(error);
  }
  const keyFile = keyFileFor({ folder, key, config, manifest });
  const { isOpened } = await checkContents({ folder, parts: manifest.parts, keyFile, call });
  return { folder, manifest, isOpened };
};

type KeyNeeds = BackupPlace & { readonly config: Pick<Config, 'masterKeyFile'>; readonly manifest: Manifest };

/** The one that was named, else that of the server's variables, else the one in the backup. */
export const keyFileFor = ({ folder, key, config, manifest }: KeyNeeds): string | undefined => {
  if (key !== undefined) return key;
  if (config.masterKeyFile !== undefined && existsSync(config.masterKeyFile)) return config.masterKeyFile;
  return manifest.withKey ? join(folder, dataFolderNames.masterKey) : undefined;
};
