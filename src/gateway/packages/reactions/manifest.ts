import type { PackageManifest } from '../../contract/manifest.js';
import { reactionsInHistory } from './history.js';
import { reactionRpcs } from './rpcs.js';
import { reactionUpdates } from './updates.js';

export const reactionsPackage = {
  rpcs: reactionRpcs,
  updates: reactionUpdates,
  inHistory: reactionsInHistory,
} as const satisfies PackageManifest;
