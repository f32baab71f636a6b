import type { PackageManifest } from '../../contract/manifest.js';
import { interactionRpcs } from './rpcs.js';

export const interactionsPackage = { rpcs: interactionRpcs } as const satisfies PackageManifest;
