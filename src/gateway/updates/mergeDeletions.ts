import type { Delivery } from '../contract/updates.js';

/** Clients that delete many messages at once are told of as many in one update, at most. */
export const deletedTogetherMax = 1_000;

/** What two deletions are told as when they are told together; `undefined` when they cannot be. */
export const mergeDeletions = (
  first: readonly Delivery[],
  second: readonly Delivery[],
): readonly Delivery[] | undefined => {
  if (first.length !== second.length) return undefined;
  const joined: Delivery[] = [];
  for (const [index, one] of first.entries()) {
    const other = second[index];
    const both = other === undefined ? undefined : joinedDeletion(one, other);
    if (both === undefined) return undefined;
    joined.push(both);
  }
  return joined;
};

// The audience is that of the later event: nobody is told of it who may not be.
const joinedDeletion = ({ update: one }: Delivery, other: Delivery): Delivery | undefined => {
  const { update: two } = other;
  if (!('messageDeleted' in one) || !('messageDeleted' in two)) return undefined;
  const messageIds = [...(one.messageDeleted.messageIds ?? []), ...(two.messageDeleted.messageIds ?? [])];
  if (messageIds.length > deletedTogetherMax) return undefined;
  return { ...other, update: { messageDeleted: { ...two.messageDeleted, messageIds } } };
};
