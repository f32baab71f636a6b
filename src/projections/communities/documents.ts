import type { ChannelState } from '../../domain/communities/channelTree.js';
import type { RoleState } from '../../domain/communities/structure.js';
import type { CommunityId, Millis, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/** Key: the community's id, in decimal. Bounded by the limits on channels, roles and overrides. */
export type CommunityDocument = {
  readonly id: CommunityId;
  readonly name: Personal<string>;
  readonly owner: UserId;
  readonly defaultPermissions: bigint;
  readonly createdAt: Millis;
  /** The top level by position, each category followed by its channels by theirs. */
  readonly channels: readonly ChannelRecord[];
  /** In the order in which they were made. */
  readonly roles: readonly RoleRecord[];
};

/** Fields that are added here must be optional: the fold of the structure makes channels and roles without them. */
export type ChannelRecord = ChannelState;
export type RoleRecord = RoleState;
