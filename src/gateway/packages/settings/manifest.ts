import type { PackageManifest } from '../../contract/manifest.js';
import { settingsRpcs } from './rpcs.js';

export const settingsPackage = { rpcs: settingsRpcs } as const satisfies PackageManifest;
