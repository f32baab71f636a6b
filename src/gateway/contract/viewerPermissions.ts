import type { ChatKey } from '../../kernel/chat.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import type { UserDocument } from '../../projections/users/documents.js';

/** The standing of a user in a community, with the permissions that follow from it. */
export type MemberPermissions = {
  readonly membership: Membership;
  readonly owner: boolean;
  /** Roles that still exist, highest first. */
  readonly roles: readonly RoleRecord[];
  /** Community-wide; all bits for the owner and for administrators. */
  readonly permissions: bigint;
  /** Priority of the highest role; -1 without any; above everything for the owner. */
  readonly rank: number;
};

/**
 * The permissions and sight of users, in memory, as of one position of the log. Synchronous: communities and users that
 * were not loaded are unknown here, so load them first (`Access.load`).
 */
export interface ViewerPermissions {
  community(community: CommunityId): CommunityDocument | undefined;
  /** Undefined for a non-member, and when the community is gone. */
  member(community: CommunityId, user: UserId): MemberPermissions | undefined;
  /**
   * Effective permissions in a channel, 0n for a non-member or one who may not view it, or when there is no such
   * channel.
   */
  inChannel(community: CommunityId, channel: ChannelId, user: UserId): bigint;
  /** The overrides that count in a channel: its category's while it follows it. */
  overrides(
    community: CommunityId,
    channel: ChannelId,
  ): readonly { readonly role: RoleId; readonly pos: bigint; readonly neg: bigint }[];
  maySee(chat: ChatKey, user: UserId): boolean;
  /**
   * The id up to which nothing in the chat counts as unread for a user who sees it: messages sent before they joined,
   * or before the channel was shown to them. 0n for none.
   */
  unreadFloorIn(chat: ChatKey): (user: UserId) => bigint;
  /** Whether they have the right to send messages there. Categories, which have no messages, give it as well. */
  mayWrite(chat: ChatKey, user: UserId): boolean;
  /** Users with a session on this node who are members. */
  connectedMembers(community: CommunityId): Iterable<UserId>;
  /** Users with a session on this node who may see the chat. */
  viewersOf(chat: ChatKey): Iterable<UserId>;
}

/** The permissions and sight of users, folded forward in log order on this node. */
export interface Access {
  /** The rules as of the last event folded. */
  readonly now: ViewerPermissions;
  /**
   * Brings a community and the memberships of these users into memory; answers `undefined` at once when they are.
   * Loaded documents stay exact for as long as they are held, which is at least until the next await.
   */
  load(community: CommunityId, users: readonly UserId[]): Promise<void> | undefined;
  /**
   * The same, and `now` holds all changes of these users' rights in the community that this node has handed to the log
   * by now, durable or not. For the tick in which an append is handed in; after the wait ask again.
   */
  upToAppends(community: CommunityId, users: readonly UserId[]): Promise<void> | undefined;
  user(user: UserId): UserDocument | undefined | Promise<UserDocument | undefined>;
  /** Users with a session on this node to whom the profile of `user` is visible: see `UpdateView.seeing`. */
  seeing(user: UserId): Promise<Iterable<UserId>>;
  /**
   * Users with a session on this node who may know the presence of `user`: those with a community in common, those in a
   * direct chat in which both have written, and `user`. As of the call's last tick, so nobody is in it who has left.
   */
  statusAudience(user: UserId): Promise<ReadonlySet<UserId>>;
  /** Whether both are members of some community now. */
  shareCommunity(one: UserId, other: UserId): boolean | Promise<boolean>;
  /** Whether the author has ever written in the direct chat of the two, as far as the folded documents say. */
  hasWrittenTo(author: UserId, other: UserId): Promise<boolean>;
}

/** On which permissions one event had an effect, as far as they are in memory. */
export type AccessChange = {
  readonly communities: ReadonlySet<CommunityId>;
  /** Users whose memberships changed. */
  readonly users: ReadonlySet<UserId>;
};

export interface AccessChanges {
  /** Calls the listener right after an event was folded into `Access.now`, before clients are sent its updates. */
  onChange(listener: (change: AccessChange) => void): void;
}
