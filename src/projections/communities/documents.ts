import type { ChannelState } from '../../domain/communities/channelTree.js';
import type { CommunityPhoto, RoleState } from '../../domain/communities/structure.js';
import type { CommunityId, Millis, RoleId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { Span } from '../../kernel/span.js';

/** Key: the community's id, in decimal. Bounded by the limits on channels, roles and overrides. */
export type CommunityDocument = {
  readonly id: CommunityId;
  readonly name: Personal<string>;
  readonly owner: UserId;
  readonly defaultPermissions: bigint;
  readonly createdAt: Millis;
  readonly photo?: CommunityPhoto;
  readonly editsPaidUntil?: Millis;
  /** The top level by position, each category followed by its channels by theirs. */
  readonly channels: readonly ChannelRecord[];
  /** In the order in which they were made. */
  readonly roles: readonly RoleRecord[];
};

/** Fields that are added here must be optional: the fold of the structure makes channels and roles without them. */
export type ChannelRecord = ChannelState & {
  /** Of roles for which the sight of the channel ever changed; absent for none. Bounded by overrides, and by `goneRolesMax`. */
  readonly sight?: readonly SightTimes[];
  /** Up to this moment a role that is not remembered may have hidden the channel; absent while all are remembered. */
  readonly unsureUpTo?: bigint;
};
export type RoleRecord = RoleState & {
  /** When it made administrators, the last `spansMax` times. Absent when that never changed. */
  readonly administrator?: readonly Span[];
};

/**
 * When a role showed a channel, and when it hid it: `spansKeptAmong` the roles that are noted in the channel, the oldest
 * first. Absent for a sight that never changed since the channel was made.
 */
export type SightTimes = {
  /** 0 is everybody. */
  readonly role: RoleId;
  readonly shown?: readonly Span[];
  /** By an override that grants the sight even where other roles hide. */
  readonly forced?: readonly Span[];
  /** The first of these may be several in one, with the time between them. */
  readonly hidden?: readonly Span[];
};
