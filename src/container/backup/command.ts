import { lockFolder } from '../../adapters/dataFolder/lock.js';
import type { BackupWish, CommandSide, StoppedServer } from '../../admin/verb.js';
import type { Config } from '../../config.js';
import { jsonOf, textOf, type BackupReport } from './report.js';
import { restoreBackup } from './restore.js';
import { sealBackup } from './seal.js';
import { partsOf, takeBackup } from './take.js';
import { verifyBackup } from './verify.js';

/** The works of backups in the process of the command, for the server that the configuration describes. */
export const backupCommands = (config: Config): Pick<StoppedServer, 'takeBackup' | 'restoreBackup'> & CommandSide => ({
  takeBackup: async (folder, call) => {
    // Taking the lock makes a folder that is not there.
    partsOf(config);
    const lock = await lockFolder(config.dataDir);
    try {
      return await takeBackup({ config, folder, open: undefined, call });
    } finally {
      await lock.release();
    }
  },
  restoreBackup: async (wish, call) => shown(await restoreBackup({ ...wish, config, call }), wish),
  sealBackup: async (wish, call) => shown(await sealBackup({ ...wish, call }), wish),
  verifyBackup: async (wish, call) => shown(await verifyBackup({ ...wish, config, call }), wish),
});

const shown = (report: BackupReport, { json }: Pick<BackupWish, 'json'>): string => (json ? jsonOf : textOf)(report);
