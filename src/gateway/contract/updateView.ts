import type { ChatKey } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import type { Event, Recorded } from '../../kernel/event.js';
import type { UserId, MessageId } from '../../kernel/ids.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import type { UserDocument } from '../../projections/users/documents.js';
import type { Delivery } from './updates.js';
import type { ViewerPermissions } from './viewerPermissions.js';

/** The view that an update is rendered from: the world right before and right after one event. */
export interface UpdateView {
  readonly before: ViewerPermissions;
  readonly after: ViewerPermissions;
  /** As of this event or a little later. */
  user(user: UserId): UserDocument | undefined | Promise<UserDocument | undefined>;
  /**
   * The document under `key` as of this event; undefined when there is none. Of communities, memberships, users and
   * conversations the node holds documents in memory: one that is only loaded now may be a little later than the event.
   * Documents of other types are folded from their own streams; rejects when such a type has no list of streams.
   */
  documentAsOf<Doc, E extends Event>(
    type: DocumentType<Doc, E>,
    key: string,
  ): Doc | undefined | Promise<Doc | undefined>;
  /** Users with a session on this node to whom `user` is visible: co-members, those in a direct chat with them, themselves. */
  seeing(user: UserId): Promise<Iterable<UserId>>;
  /** Users with a session on this node who may know the presence of `user`: see `Access.statusAudience`. */
  statusAudience(user: UserId): Promise<ReadonlySet<UserId>>;
  /** Whether both are members of some community. */
  shareCommunity(one: UserId, other: UserId): boolean | Promise<boolean>;
  /** How much each of them has not read, as of this event, in their order. Loads the counts of viewers not seen before. */
  unreadCounts(chat: ChatKey, viewers: Iterable<UserId>): readonly number[] | Promise<readonly number[]>;
  /**
   * Whether there was something to read for the author of this event's message right before they sent it, so that
   * sending moved their marker past it. True also where that is not known any more; false for an author without a
   * session on this node.
   */
  hadUnread(sent: {
    readonly chat: ChatKey;
    readonly author: UserId;
    readonly message: MessageId;
  }): boolean | Promise<boolean>;
  /** How many messages after their marker `user` has not read, as of this event. */
  unread(chat: ChatKey, user: UserId): Promise<UnreadCounts>;
}

export type UnreadCounts = {
  readonly messages: number;
  readonly mentions: number;
  readonly marker: MessageId | undefined;
};

/** Makes the deliveries of one event. A table has each under the type of its own events. */
export type Renderer = (event: never, view: UpdateView) => readonly Delivery[] | Promise<readonly Delivery[]>;

/** The users whom the updates of an event will show, for types of which many may stand in the log together. */
export type PrefetchedUsers = Readonly<Record<string, (event: never) => readonly UserId[]>>;

/** The part of the gateway that turns events into deliveries. The fan-out drives it, in log order. */
export interface UpdateRenderer {
  /** False when nothing here depends on the event: no session cares, no memory holds what it changes. */
  isRelevant(topic: string, type: string): boolean;
  /** These events come next: begins to fetch the accounts that rendering them takes. */
  prefetch(batch: readonly StoredEvent[]): void;
  /**
   * Folds the event into the documents in memory, then renders its deliveries. The next event waits until these are
   * sent.
   */
  render(event: Recorded): readonly Delivery[] | Promise<readonly Delivery[]>;
  /** The user's first session on this node: brings into memory what they may see. */
  connect(user: UserId): Promise<void>;
  /** The user's last session on this node is gone. */
  disconnect(this: void, user: UserId): void;
}
