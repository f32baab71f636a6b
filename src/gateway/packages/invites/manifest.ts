import type { PackageManifest } from '../../contract/manifest.js';
import { inviteRpcs } from './rpcs.js';
import { inviteUpdates } from './updates.js';

export const invitesPackage = { rpcs: inviteRpcs, updates: () => inviteUpdates } as const satisfies PackageManifest;
