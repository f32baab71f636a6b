import type { PackageManifest } from '../../contract/manifest.js';
import { chatRpcs } from './rpcs.js';

export const chatsPackage = { rpcs: chatRpcs } as const satisfies PackageManifest;
