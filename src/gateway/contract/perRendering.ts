import type { UserId } from '../../kernel/ids.js';
import type { Delivery, Rendering } from './updates.js';

/** Recipients to whom everything reads the same, so that the first of them is asked for all. */
export type AlikeUsers = readonly [UserId, ...UserId[]];

/**
 * As many deliveries as there are renderings, in the order in which their keys come up: all recipients with the same
 * key share a delivery, and `render` is called for the first of them. A recipient without a key is left out.
 */
export const perRendering = (
  recipients: Iterable<AlikeUsers>,
  keyOf: (recipient: UserId) => string | undefined,
  render: (recipient: UserId) => Rendering,
): readonly Delivery[] => {
  const audiences = new Map<string, [UserId, ...UserId[]]>();
  for (const users of recipients) {
    const key = keyOf(users[0]);
    if (key === undefined) continue;
    const audience = audiences.get(key);
    if (audience === undefined) audiences.set(key, [...users]);
    // One by one: a call takes about a hundred thousand arguments, and a community may have more members.
    else for (const user of users) audience.push(user);
  }
  return Array.from(audiences.values(), (audience) => ({ audience, ...render(audience[0]) }));
};

/** A rendering for each recipient. */
export const perUser = (recipients: Iterable<UserId>, render: (recipient: UserId) => Rendering): readonly Delivery[] =>
  perRendering(
    Array.from(recipients, (user): AlikeUsers => [user]),
    (user) => user.toString(),
    render,
  );
