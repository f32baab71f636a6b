import type { PackageManifest } from '../../contract/manifest.js';
import { coreRpcs } from './rpcs.js';

export const corePackage = { rpcs: coreRpcs } as const satisfies PackageManifest;
