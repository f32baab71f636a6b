import type { ChatKey } from '../../kernel/chat.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import type { UserDocument } from '../../projections/users/documents.js';

/** What somebody is in a community, and what follows from it. */
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
 * Who may see and do what, in memory, as of one position of the log. Synchronous: of communities and users that were
 * not loaded it knows nothing, so load them first (`Access.load`).
 */
export interface ViewerPermissions {
  community(community: CommunityId): CommunityDocument | undefined;
  /** Undefined for who is no member, and when the community is gone. */
  member(community: CommunityId, user: UserId): MemberPermissions | undefined;
  /** Effective permissions in a channel, 0n for who is no member or may not view it, or when there is no such channel. */
  inChannel(community: CommunityId, channel: ChannelId, user: UserId): bigint;
  /** The overrides that count in a channel: its category's while it follows it. */
  overrides(
    community: CommunityId,
    channel: ChannelId,
  ): readonly { readonly role: RoleId; readonly pos: bigint; readonly neg: bigint }[];
  maySee(chat: ChatKey, user: UserId): boolean;
  /**
   * Up to which id nothing in the chat counts as unread for a user who sees it: what was sent before they joined, or
   * before the channel was shown to them. 0n for none.
   */
  unreadFloorIn(chat: ChatKey): (user: UserId) => bigint;
  /** Whether they have the right to send messages there. Categories, which have no messages, give it as well. */
  mayWrite(chat: ChatKey, user: UserId): boolean;
  /** Users with a session on this node who are members. */
  connectedMembers(community: CommunityId): Iterable<UserId>;
  /** Users with a session on this node who may see the chat. */
  viewersOf(chat: ChatKey): Iterable<UserId>;
}

/** Who may see and do what, folded forward in log order on this node. */
export interface Access {
  /** The rules as of the last event folded. */
  readonly now: ViewerPermissions;
  /**
   * Brings a community and the memberships of these users into memory; answers `undefined` at once when they are.
   * What was loaded stays exact for as long as it is held, which is at least until the next await.
   */
  load(community: CommunityId, users: readonly UserId[]): Promise<void> | undefined;
  user(user: UserId): UserDocument | undefined | Promise<UserDocument | undefined>;
  seeing(user: UserId): Promise<Iterable<UserId>>;
}

/** On which permissions one event had an effect, as far as they are in memory. */
export type AccessChange = {
  readonly communities: ReadonlySet<CommunityId>;
  /** Users whose memberships changed. */
  readonly users: ReadonlySet<UserId>;
};

export interface AccessChanges {
  /** Calls the listener right after an event was folded into `Access.now`, before clients are told of the event. */
  onChange(listener: (change: AccessChange) => void): void;
}
