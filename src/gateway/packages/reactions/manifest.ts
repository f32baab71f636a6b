import type { PackageManifest } from '../../contract/manifest.js';
import { reactionRpcs } from './rpcs.js';
import { reactionUpdates } from './updates.js';

export const reactionsPackage = { rpcs: reactionRpcs, updates: reactionUpdates } as const satisfies PackageManifest;
