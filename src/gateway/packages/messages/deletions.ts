import type { MergeUpdates } from '../../contract/updates.js';

/** Deleted messages that one update names. */
export const deletedTogetherMax = 1_000;

/** Clients are sent few updates when many messages of a chat are deleted at once. */
export const mergeDeletions: MergeUpdates = (earlier, later) => {
  if (!('messageDeleted' in earlier) || !('messageDeleted' in later)) return undefined;
  const messageIds = [...(earlier.messageDeleted.messageIds ?? []), ...(later.messageDeleted.messageIds ?? [])];
  if (messageIds.length > deletedTogetherMax) return undefined;
  return { messageDeleted: { ...later.messageDeleted, messageIds } };
};
