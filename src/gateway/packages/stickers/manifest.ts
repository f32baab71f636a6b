import type { PackageManifest } from '../../contract/manifest.js';
import { stickerRpcs } from './rpcs.js';
import { stickerUpdates } from './updates.js';

export const stickersPackage = { rpcs: stickerRpcs, updates: () => stickerUpdates } as const satisfies PackageManifest;
