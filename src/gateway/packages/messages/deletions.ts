import type { MergeUpdates } from '../../contract/updates.js';

/** Messages that one update tells to be deleted. */
export const deletedTogetherMax = 1_000;

/** Clients that delete many messages of a chat at once are told of them in few updates. */
export const mergeDeletions: MergeUpdates = (earlier, later) => {
  if (!('messageDeleted' in earlier) || !('messageDeleted' in later)) return undefined;
  const messageIds = [...(earlier.messageDeleted.messageIds ?? []), ...(later.messageDeleted.messageIds ?? [])];
  if (messageIds.length > deletedTogetherMax) return undefined;
  return { messageDeleted: { ...later.messageDeleted, messageIds } };
};
