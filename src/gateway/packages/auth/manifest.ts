import type { PackageManifest } from '../../contract/manifest.js';
import { authRpcs } from './rpcs.js';
import { accountUpdates } from './updates.js';

export const authPackage = { rpcs: authRpcs, updates: () => accountUpdates } as const satisfies PackageManifest;
