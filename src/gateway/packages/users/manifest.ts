import type { PackageManifest } from '../../contract/manifest.js';
import type { StatusOf } from '../../rendering/user.js';
import { userRpcs } from './rpcs.js';
import { userUpdates } from './updates.js';

type UserUpdatesNeeds = { readonly statusOf: StatusOf };

export const usersPackage = {
  rpcs: userRpcs,
  updates: ({ statusOf }: UserUpdatesNeeds) => userUpdates(statusOf),
} as const satisfies PackageManifest;
