import type { ChannelKind } from '../../domain/communities/events.js';
import type { ChannelId, CommunityId, MessageId, Millis, RoleId, UserId } from '../../kernel/ids.js';
import type { Override } from '../../kernel/permissions.js';
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

export type ChannelRecord = {
  readonly id: ChannelId;
  readonly kind: ChannelKind;
  readonly name: Personal<string>;
  readonly position: number;
  /** Always a category that is in `channels` too. */
  readonly parent?: ChannelId;
  readonly description?: Personal<string>;
  readonly explicit: boolean;
  readonly slowmodeSeconds: number;
  readonly highlighted?: MessageId;
  /** While true, the overrides of the category count and `overrides` is empty. */
  readonly synced: boolean;
  readonly overrides: readonly Override[];
};

export type RoleRecord = {
  readonly id: RoleId;
  readonly name: Personal<string>;
  readonly permissions: bigint;
  readonly priority: number;
  readonly color: number;
  readonly separated: boolean;
  readonly public: boolean;
};
