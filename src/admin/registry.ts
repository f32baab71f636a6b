import type { Verb } from './verb.js';
import { backup, restore } from './verbs/backup.js';
import { botCreate, botDelete, botList, botToken } from './verbs/bot.js';
import { filesStats, filesSweep } from './verbs/files.js';
import { logCopy } from './verbs/logCopy.js';
import { metrics } from './verbs/metrics.js';
import { projectionsBuild } from './verbs/projectionsBuild.js';
import { projectionsDrop } from './verbs/projectionsDrop.js';
import { projectionsRead } from './verbs/projectionsRead.js';
import { projectionsStatus } from './verbs/projectionsStatus.js';
import { projectionsBack, projectionsSwitch } from './verbs/projectionsSwitch.js';
import { projectionsVerify } from './verbs/projectionsVerify.js';
import { status } from './verbs/status.js';
import { userPassword } from './verbs/user.js';
import { vaultKeep, vaultNew } from './verbs/vault.js';

/** Every verb that goes through the operator's door. The command line is made from this list. */
export const verbs: readonly Verb[] = [
  status,
  metrics,
  backup,
  restore,
  logCopy,
  vaultNew,
  vaultKeep,
  projectionsStatus,
  projectionsBuild,
  projectionsRead,
  projectionsVerify,
  projectionsSwitch,
  projectionsBack,
  projectionsDrop,
  botCreate,
  botList,
  botToken,
  botDelete,
  userPassword,
  filesStats,
  filesSweep,
];
