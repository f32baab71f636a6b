import type { ChatKey } from '../../kernel/chat.js';
import type { Recorded } from '../../kernel/event.js';
import type { ChannelId, CommunityId, MessageId, RoleId, UserId } from '../../kernel/ids.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import type { CommunityDocument, RoleRecord } from '../../projections/communities/documents.js';
import type { ConversationDocument } from '../../projections/conversations/documents.js';
import type { Membership } from '../../projections/members/documents.js';
import type { MessageDocument } from '../../projections/messages/documents.js';
import type { UserDocument } from '../../projections/users/documents.js';
import type { Told } from './call.js';

/** What somebody is in a community, and what follows from it. */
export type MemberRules = {
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
export interface Rules {
  community(community: CommunityId): CommunityDocument | undefined;
  /** Undefined for who is no member, and when the community is gone. */
  member(community: CommunityId, user: UserId): MemberRules | undefined;
  /** Effective permissions in a channel, 0n for who is no member or may not view it, or when there is no such channel. */
  inChannel(community: CommunityId, channel: ChannelId, user: UserId): bigint;
  /** The overrides that count in a channel: its category's while it follows it. */
  overrides(
    community: CommunityId,
    channel: ChannelId,
  ): readonly { readonly role: RoleId; readonly pos: bigint; readonly neg: bigint }[];
  maySee(chat: ChatKey, user: UserId): boolean;
  /** Users with a session on this node who are members. */
  connectedMembers(community: CommunityId): Iterable<UserId>;
  /** Users with a session on this node who may see the chat. */
  viewersOf(chat: ChatKey): Iterable<UserId>;
}

/** What an update is rendered from: the world right before and right after one event. */
export interface View {
  readonly before: Rules;
  readonly after: Rules;
  /** As of this event or a little later. */
  user(user: UserId): UserDocument | undefined | Promise<UserDocument | undefined>;
  /** The message as of this event, which must be in the stream of the message. */
  message(message: MessageId): Promise<MessageDocument | undefined>;
  /** The conversation as it was before this event: undefined when this event begins it. */
  conversationBefore(chat: ChatKey): ConversationDocument | undefined | Promise<ConversationDocument | undefined>;
  /** Users with a session on this node to whom `user` is visible: co-members, those in a direct chat with them, themselves. */
  seeing(user: UserId): Promise<Iterable<UserId>>;
  /** How much each of them has not read, as of this event, in their order. Loads the counts of viewers not seen before. */
  unreadCounts(chat: ChatKey, viewers: Iterable<UserId>): Promise<readonly number[]>;
  /** How many messages after their marker `user` has not read, as of this event. */
  unread(chat: ChatKey, user: UserId): Promise<UnreadCounts>;
}
export type UnreadCounts = {
  readonly messages: number;
  readonly mentions: number;
  readonly marker: MessageId | undefined;
};

/** Who may see and do what, folded forward in log order on this node. */
export interface Access {
  /** The rules as of the last event folded. */
  readonly now: Rules;
  /**
   * Brings a community and the memberships of these users into memory; answers `undefined` at once when they are.
   * What was loaded stays exact for as long as it is held, which is at least until the next await.
   */
  load(community: CommunityId, users: readonly UserId[]): Promise<void> | undefined;
  user(user: UserId): UserDocument | undefined | Promise<UserDocument | undefined>;
  seeing(user: UserId): Promise<Iterable<UserId>>;
}

/** The part of the gateway that turns events into what is told. The fan-out drives it, in log order. */
export interface Teller {
  /** False when nothing here depends on the event: no session cares, no memory holds what it changes. */
  cares(topic: string, type: string): boolean;
  /** These events come next: begins to fetch what telling them takes. */
  foresee(batch: readonly StoredEvent[]): void;
  /** Folds the event into what is in memory, then says what is told. The next event waits until this one is told. */
  tell(event: Recorded): readonly Told[] | Promise<readonly Told[]>;
  /** The user's first session on this node: brings into memory what they may see. */
  connect(user: UserId): Promise<void>;
  /** The user's last session on this node is gone. */
  disconnect(user: UserId): void;
}
