import { beforeAll, type Position } from '../../../kernel/event.js';
import type { MessageId, UserId } from '../../../kernel/ids.js';
import { noMessage } from '../../../projections/unread/unread.js';

export type CountedMessage = {
  readonly id: MessageId;
  readonly author: UserId;
  /** The users named in it. */
  readonly mentions: readonly UserId[];
};

/**
 * The unread messages of some viewers of one chat: those above their marker that are not deleted. A marker is the
 * latest of how far they said to have read, their own newest message and the floor below which nothing counts for them,
 * so above it there is none of their own. No marker ever moves back.
 *
 * Each message raises one number for all, `total`; of a viewer is kept what to subtract from it. Of the newest messages
 * the ids are kept as well, so that a marker that moves among them, and a message deleted there, are counted without
 * asking the read model. All of it is by id: an event that the read model had already when it was read changes nothing
 * when its turn comes.
 */
export interface ChatUnread {
  /** All messages above this one are among the newest. */
  readonly floor: MessageId;
  has(viewer: UserId): boolean;
  count(): number;
  /** In the order of `viewers`, a list that never changes; undefined when there is one whom it does not know. */
  unreadOfAll(viewers: readonly UserId[]): readonly number[] | undefined;
  /** The list that `unreadOfAll` was asked for last, while none of its viewers has come or gone since. */
  isListed(viewers: readonly UserId[]): boolean;
  /** Undefined for whom it does not know. */
  unreadOf(viewer: UserId): number | undefined;
  /** How many of those name the viewer. Undefined also for a marker below the floor. */
  mentionsOf(viewer: UserId): number | undefined;
  markerOf(viewer: UserId): MessageId | undefined;
  enter(viewer: UserId, read: ReadSoFar): void;
  drop(viewer: UserId): void;

  /**
   * Events come in log order; `at` is where. Answers how much the author had not read right before, 0 when this does
   * not move their marker; undefined for an author whom it does not know, and for a message that was counted already.
   */
  sent(message: CountedMessage, at: Position): number | undefined;
  edited(message: MessageId, mentions: readonly UserId[]): void;
  deleted(message: MessageId, at: Position): void;
  markerMoved(viewer: UserId, to: MessageId): void;
}

export type ReadSoFar = {
  readonly marker: MessageId;
  /** How many messages there are above the marker and not above the floor. */
  readonly older: number;
  /** All events up to here were in the read model when `older` was counted. */
  readonly asOf: Position;
};

/** When there are more, the older half is let go. */
export const newestMessagesMax = 1024;

type Viewer = { marker: MessageId; subtract: number; asOf: Position };

/** `newest` in any order; `floor` as above. */
export const chatUnread = (newest: readonly CountedMessage[], floor: MessageId): ChatUnread =>
  new CountedChat(newest, floor);

/** A class, because there are as many as there are busy chats, and `sent` runs for each message. */
class CountedChat implements ChatUnread {
  floor: MessageId;
  private readonly messages: CountedMessage[];
  private readonly viewers = new Map<UserId, Viewer>();
  /** The viewers of nearly every message are the same list again, so they are looked up once. */
  private listed: { readonly list: readonly UserId[]; readonly viewers: readonly Viewer[] } | undefined;
  private total = 0;
  /** No marker is above it. */
  private highestMarker = noMessage;

  constructor(newest: readonly CountedMessage[], floor: MessageId) {
    this.floor = floor;
    this.messages = [...newest].sort((one, other) => (one.id < other.id ? -1 : 1));
    this.total = newest.length;
  }

  has(viewer: UserId): boolean {
    return this.viewers.has(viewer);
  }

  count(): number {
    return this.viewers.size;
  }

  unreadOfAll(list: readonly UserId[]): readonly number[] | undefined {
    if (this.listed?.list !== list) {
      const viewers = list.map((viewer) => this.viewers.get(viewer)).filter((viewer) => viewer !== undefined);
      if (viewers.length < list.length) return undefined;
      this.listed = { list, viewers };
    }
    return this.listed.viewers.map(({ subtract }) => this.total - subtract);
  }

  isListed(list: readonly UserId[]): boolean {
    return this.listed?.list === list;
  }

  unreadOf(viewer: UserId): number | undefined {
    const known = this.viewers.get(viewer);
    return known === undefined ? undefined : this.total - known.subtract;
  }

  mentionsOf(viewer: UserId): number | undefined {
    const marker = this.viewers.get(viewer)?.marker;
    if (marker === undefined || marker < this.floor) return undefined;
    const above = this.messages.slice(this.messages.length - this.newestAbove(marker));
    return above.filter(({ mentions }) => mentions.includes(viewer)).length;
  }

  markerOf(viewer: UserId): MessageId | undefined {
    return this.viewers.get(viewer)?.marker;
  }

  enter(viewer: UserId, { marker, older, asOf }: ReadSoFar): void {
    this.listed = undefined;
    this.viewers.set(viewer, { marker, subtract: this.total - this.newestAbove(marker) - older, asOf });
    this.raiseHighest(marker);
  }

  drop(viewer: UserId): void {
    if (this.viewers.delete(viewer)) this.listed = undefined;
  }

  sent(message: CountedMessage, at: Position): number | undefined {
    const { id, author } = message;
    const before = this.unreadOf(author);
    if (id <= this.floor) this.changedBelow(id, at);
    else if (!this.insert(message)) return undefined;
    const own = this.viewers.get(author);
    const moves = own !== undefined && own.marker < id;
    if (moves) this.move(author, own, id);
    if (this.messages.length > newestMessagesMax) this.shrink();
    return own === undefined || moves ? before : 0;
  }

  edited(id: MessageId, mentions: readonly UserId[]): void {
    const place = this.placeOf(id);
    const message = this.messages[place];
    if (message?.id === id) this.messages[place] = { ...message, mentions };
  }

  deleted(id: MessageId, at: Position): void {
    const place = this.placeOf(id);
    if (this.messages[place]?.id === id) {
      this.messages.splice(place, 1);
      for (const viewer of this.viewers.values()) if (viewer.marker < id) viewer.subtract += 1;
    } else if (id <= this.floor) {
      this.changedBelow(id, at);
    }
  }

  markerMoved(viewer: UserId, to: MessageId): void {
    const known = this.viewers.get(viewer);
    if (known !== undefined && to > known.marker) this.move(viewer, known, to);
  }

  private move(viewer: UserId, known: Viewer, to: MessageId): void {
    if (to < this.floor) {
      this.drop(viewer);
      return;
    }
    known.marker = to;
    known.subtract = this.total - this.newestAbove(to);
    this.raiseHighest(to);
  }

  private raiseHighest(marker: MessageId): void {
    if (marker > this.highestMarker) this.highestMarker = marker;
  }

  /** False when it is there already. */
  private insert(message: CountedMessage): boolean {
    const place = this.placeOf(message.id);
    if (this.messages[place]?.id === message.id) return false;
    this.messages.splice(place, 0, message);
    this.total += 1;
    if (message.id > this.highestMarker) return true;
    for (const viewer of this.viewers.values()) if (viewer.marker >= message.id) viewer.subtract += 1;
    return true;
  }

  /**
   * A change below the newest is in the older counts already when the read model was ahead. Else they are read anew.
   */
  private changedBelow(id: MessageId, at: Position): void {
    for (const [viewer, { marker, asOf }] of this.viewers) if (marker < id && asOf < at) this.drop(viewer);
  }

  private shrink(): void {
    const gone = this.messages.splice(0, newestMessagesMax / 2);
    this.floor = gone.at(-1)?.id ?? this.floor;
    // Their counts from among these may come from events older or newer than the read model.
    for (const viewer of this.viewers.values()) if (viewer.marker < this.floor) viewer.asOf = beforeAll;
  }

  private newestAbove(marker: MessageId): number {
    const place = this.placeOf(marker);
    return this.messages.length - place - (this.messages[place]?.id === marker ? 1 : 0);
  }

  /** Where the first message is that is not below `id`. New ones come at the end, so that is looked at first. */
  private placeOf(id: MessageId): number {
    const last = this.messages.at(-1);
    if (last === undefined || last.id < id) return this.messages.length;
    let low = 0;
    let high = this.messages.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.messages[middle];
      if (there !== undefined && there.id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
