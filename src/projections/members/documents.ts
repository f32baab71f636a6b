import type { Position } from '../../kernel/event.js';
import type { Span } from '../../kernel/span.js';
import type { CommunityId, Millis, RoleId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/**
 * Key: `<community>.<user>`. Indexes: `byCommunity` [community, user]; `byRole` [community, role, user] for each role,
 * also those that were deleted since. A user who left has no document.
 */
export type MemberDocument = {
  readonly community: CommunityId;
  readonly user: UserId;
  readonly joinedAt: Millis;
  readonly nickname?: Personal<string>;
  /** May name roles that were deleted since: look them up in the community. */
  readonly roles: readonly RoleId[];
};

/**
 * Key: the user's id, in decimal. All communities that a user is in, for the path of every event; may name deleted
 * ones. A user who is in none has no document.
 */
export type MembershipsDocument = {
  readonly user: UserId;
  /** In the order of joining. */
  readonly memberships: readonly Membership[];
};
export type Membership = {
  readonly community: CommunityId;
  readonly roles: readonly RoleId[];
  readonly nickname?: Personal<string>;
  /** The moment of the joining (`momentOf`). */
  readonly joined: bigint;
  /** Of the roles that the member has, and of those that they had since the joining; absent when there never were any. */
  readonly roleTimes?: readonly RoleTime[];
  /** Up to this moment the member may have had a role that is not remembered; absent while all are remembered. */
  readonly unsureUpTo?: bigint;
};

/** When a member had a role; it goes on also when the role itself was deleted since. */
export type RoleTime = {
  readonly role: RoleId;
  /** The last ones, `spansKeptAmong` the roles of `roleTimes`, the oldest first. */
  readonly had: readonly Span[];
  /** In this span lie all times before those, and times in which the member did not have the role. */
  readonly earlier?: Span;
};

/** Key: `<community>.<user>`. Where in the log a user was last removed or banned; only of those who ever were. */
export type RemovalDocument = { readonly position: Position };
