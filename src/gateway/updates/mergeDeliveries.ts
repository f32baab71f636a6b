import type { Delivery } from '../contract/updates.js';

/** Whether these deliveries may wait for those of the next event of the same request. */
export const areMergeable = (deliveries: readonly Delivery[]): boolean =>
  deliveries.length > 0 && deliveries.every(({ merge }) => typeof merge === 'function');

/** The deliveries of two events as those of one; undefined when one of them has no counterpart to be merged with. */
export const mergeDeliveries = (
  earlier: readonly Delivery[],
  later: readonly Delivery[],
): readonly Delivery[] | undefined => {
  if (earlier.length !== later.length) return undefined;
  const merged: Delivery[] = [];
  for (const [index, one] of earlier.entries()) {
    const other = later[index];
    const both = other === undefined ? undefined : mergedDelivery(one, other);
    if (both === undefined) return undefined;
    merged.push(both);
  }
  return merged;
};

// The later event's audience is used, so that the update never reaches a user who may no longer see the chat.
const mergedDelivery = (earlier: Delivery, later: Delivery): Delivery | undefined => {
  const { merge } = later;
  if (typeof merge !== 'function' || earlier.merge !== merge) return undefined;
  const update = merge(earlier.update, later.update);
  return update === undefined ? undefined : { audience: later.audience, update, merge };
};
