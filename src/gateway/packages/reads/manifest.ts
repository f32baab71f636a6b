import type { PackageManifest } from '../../contract/manifest.js';
import { readUpdates } from './updates.js';

export const readsPackage = { updates: () => readUpdates } as const satisfies PackageManifest;
