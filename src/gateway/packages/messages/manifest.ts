import type { PackageManifest } from '../../contract/manifest.js';
import type { Statuses } from '../../presence/statuses.js';
import { messageRpcs } from './rpcs.js';
import { messageUpdates } from './updates.js';

/** Presence may be on another machine, so the status of an author is remembered and not asked for with each message. */
type MessageUpdatesNeeds = { readonly rememberedStatusOf: Statuses['of'] };

export const messagesPackage = {
  rpcs: messageRpcs,
  updates: ({ rememberedStatusOf }: MessageUpdatesNeeds) => messageUpdates(rememberedStatusOf),
} as const satisfies PackageManifest;
