import type { PackageManifest } from '../../contract/manifest.js';
import { memberUpdates, prefetchedMembers, type MemberUpdatesNeeds } from './members/updates.js';
import { communityRpcs } from './rpcs.js';
import { communityUpdates, type CommunityUpdatesNeeds } from './updates.js';

export const communitiesPackage = {
  rpcs: communityRpcs,
  updates: (needs: CommunityUpdatesNeeds & MemberUpdatesNeeds) => ({
    ...communityUpdates(needs),
    ...memberUpdates(needs),
  }),
  prefetched: prefetchedMembers,
} as const satisfies PackageManifest;
