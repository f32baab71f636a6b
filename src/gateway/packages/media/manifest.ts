import type { PackageManifest } from '../../contract/manifest.js';
import { mediaRpcs } from './rpcs.js';
import { mediaUpdates } from './updates.js';

export const mediaPackage = { rpcs: mediaRpcs, updates: () => mediaUpdates } as const satisfies PackageManifest;
