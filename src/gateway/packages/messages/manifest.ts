import type { PackageManifest } from '../../contract/manifest.js';
import type { Statuses } from '../../presence/statuses.js';
import { pinRpcs } from './pins/rpcs.js';
import { pinUpdates } from './pins/updates.js';
import { previewRpcs, type PreviewNeeds } from './previews/rpcs.js';
import { previewUpdates } from './previews/updates.js';
import { reportRpcs, reportUpdates, type ReportNeeds } from './reporting/rpcs.js';
import { messageRpcs, type MessageNeeds } from './rpcs.js';
import { unreadMentionRpcs } from './unreadMentions.js';
import { messageUpdates } from './updates.js';

/** Presence may be on another machine, so the status of an author is remembered and not asked for with each message. */
type MessageUpdatesNeeds = { readonly rememberedStatusOf: Statuses['of'] };

export const messagesPackage = {
  rpcs: (needs: MessageNeeds & PreviewNeeds & ReportNeeds) => ({
    ...messageRpcs(needs),
    ...pinRpcs(needs),
    ...previewRpcs(needs),
    ...reportRpcs(needs),
    ...unreadMentionRpcs(needs),
  }),
  updates: ({ rememberedStatusOf }: MessageUpdatesNeeds) => ({
    ...messageUpdates(rememberedStatusOf),
    ...pinUpdates,
    ...previewUpdates,
    ...reportUpdates,
  }),
} as const satisfies PackageManifest;
