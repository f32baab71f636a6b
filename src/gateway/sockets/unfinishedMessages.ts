import type { UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';

/** While a message waits for room, those that have it are looked at so often. */
export const roomLookMillis = 1_000;

/** A message keeps its room for so many looks at most. Then it waits as well, behind the others. */
export const roomLooksMax = 10;

/** A message of which less than `progressBytesMin` came in so many looks in a row, while it was read, is given up. */
export const slowLooksMax = 10;

/** 3 kilobits a second, which is a tenth of the slowest line of a phone. */
export const progressBytesMin = 4_096;

/** A connection with a message that is not complete. */
export interface LongSender {
  readonly unfinishedBytes: number;
  /** Bytes that the message will have, as far as its frames have said it; 0 before they have said anything. */
  readonly announcedBytes: number;
  /** Undefined without a session. */
  readonly user: UserId | undefined;
  /** False while nothing is read from it. */
  readonly isRead: boolean;
  /** Whether it would be read if it were not held back here: it owes nothing, and nothing else of it waits. */
  readonly mayBeRead: boolean;
  /** Nothing more is read, at most ten seconds in one piece, until `readAgain`. */
  holdBack(): void;
  readAgain(): void;
  /** Closes with 1013, because nothing comes of the message, and others need the memory. */
  giveUpUnfinished(): void;
}

export type RoomNeeds = {
  readonly timers: Pick<Timers, 'later'>;
  /** Whether so many bytes may come besides all that are there. */
  readonly fits: (bytes: number) => boolean;
  /** The same for the only message that is read: it may go on even where those that wait fill the bound by themselves. */
  readonly fitsAlone: (bytes: number) => boolean;
  /** The first of them has to wait. */
  readonly reached: () => void;
};

/** `unheard`: it has no room and is read nevertheless, because nothing came of it. */
type MessageState = 'read' | 'waits' | 'unheard';

type Message = {
  state: MessageState;
  /** Bytes that are still to come, while room is kept for them. */
  promised: number;
  /** Whether any came since the last look. */
  hasCome: boolean;
  /** With room. */
  looks: number;
  /** Looks at which it was read, since it last had `progressBytesMin` more than `lookedBytes`. */
  slowLooks: number;
  lookedBytes: number;
};

/**
 * Messages that are not complete, of connections that hold much. One is read on while there is room for all that it has announced, so
 * each that is read can come to its end; the others wait, and are not read. The next is one of the user whose other messages hold the
 * least, and of those the one that was begun first.
 *
 * Room is for those of whom bytes come. While others wait, a message of which none came since the last look loses its room, and
 * is heard all the same: when bytes come, it asks for room again, behind the others. So who announces much and sends nothing keeps nobody out. A class,
 * because each of its methods changes the same few numbers.
 */
export class UnfinishedMessages<S extends LongSender> {
  private readonly needs: RoomNeeds;
  /** A Map keeps its entries in the order in which they came in: that in which the messages were begun. */
  private readonly messages = new Map<S, Message>();
  private readonly counts: Record<MessageState, number> = { read: 0, waits: 0, unheard: 0 };
  private promised = 0;
  private isLooking = false;
  /** The next that gets room, as long as no message has changed. */
  private candidate: readonly [S, Message] | undefined;

  constructor(needs: RoomNeeds) {
    this.needs = needs;
  }

  /** Then this decides whether the connection is read. */
  hasRoomOrWaits(sender: S): boolean {
    return (this.messages.get(sender)?.state ?? 'unheard') !== 'unheard';
  }

  /** First those that are read and have no room; last those that have. Those that wait are silent because they are not read. */
  giveUpOrder(senders: Iterable<S>): readonly S[] {
    const rank = (sender: S): number => giveUpRanks[this.messages.get(sender)?.state ?? 'unheard'];
    return [...senders].sort((one, other) => rank(one) - rank(other));
  }

  /** Bytes came of the message. */
  came(sender: S): void {
    const message = this.messages.get(sender) ?? this.begun(sender);
    message.hasCome = true;
    if (message.state === 'read') this.enter(message, 'read', restOf(sender));
    else if (message.state === 'unheard') this.ask(sender, message);
  }

  /** The message is complete, or never will be, or its connection holds little. */
  forget(sender: S): void {
    const message = this.messages.get(sender);
    if (message === undefined) return;
    const hasWaited = message.state === 'waits';
    this.enter(message, 'unheard');
    this.counts.unheard -= 1;
    this.messages.delete(sender);
    if (hasWaited) sender.readAgain();
  }

  /** So many bytes were taken, or are free again where it is less than 0: takes room back, or gives it to those that wait. */
  memoryChanged(by: number): void {
    if (by < 0) this.letOn();
    else this.takeRoomBack();
  }

  private letOn(): void {
    while (this.counts.waits > 0) {
      // Looked for again only when a message has changed: memory is taken and freed by every small request of others.
      const [sender, message] = (this.candidate ??= this.next()) ?? [];
      if (sender === undefined || message === undefined || !this.mayRead(sender)) return;
      // Otherwise the next look could come before its bytes.
      message.hasCome = true;
      this.enter(message, 'read', restOf(sender));
      sender.readAgain();
    }
  }

  /**
   * Takes room back, where first bytes of others have filled it meanwhile: of those of the user who has the most, from the one that
   * was begun last. One message is always read.
   */
  private takeRoomBack(): void {
    while (this.counts.read > 1 && !this.needs.fits(this.promised)) {
      const [sender, message] = this.last() ?? [];
      if (sender === undefined || message === undefined) return;
      this.wait(sender, message);
    }
  }

  private begun(sender: S): Message {
    const message: Message = { state: 'unheard', promised: 0, hasCome: true, looks: 0, slowLooks: 0, lookedBytes: 0 };
    this.messages.set(sender, message);
    this.counts.unheard += 1;
    return message;
  }

  private ask(sender: S, message: Message): void {
    if (this.counts.waits === 0 && this.mayRead(sender)) this.enter(message, 'read', restOf(sender));
    else this.wait(sender, message);
  }

  private wait(sender: S, message: Message): void {
    if (this.counts.waits === 0) this.needs.reached();
    this.enter(message, 'waits');
    sender.holdBack();
    if (this.isLooking) return;
    this.isLooking = true;
    this.lookLater();
  }

  private mayRead(sender: S): boolean {
    const rest = restOf(sender);
    return this.needs.fits(this.promised + rest) || (this.counts.read === 0 && this.needs.fitsAlone(rest));
  }

  private enter(message: Message, state: MessageState, promised = 0): void {
    if (state !== message.state) this.candidate = undefined;
    this.counts[message.state] -= 1;
    this.counts[state] += 1;
    this.promised += promised - message.promised;
    message.state = state;
    message.promised = promised;
  }

  /** Of those that wait and could be read, the first one of the user whose other messages hold the least. */
  private next(): readonly [S, Message] | undefined {
    const held = this.heldByUser();
    let found: readonly [S, Message] | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [sender, message] of this.messages) {
      if (message.state !== 'waits' || !sender.mayBeRead) continue;
      const others = (held.get(ownerOf(sender)) ?? 0) - sender.unfinishedBytes;
      if (others < least) [found, least] = [[sender, message], others];
    }
    return found;
  }

  /** Of those that are read, the last one of the user whose messages hold the most. */
  private last(): readonly [S, Message] | undefined {
    const held = this.heldByUser();
    let found: readonly [S, Message] | undefined;
    let most = 0;
    for (const [sender, message] of this.messages) {
      const all = held.get(ownerOf(sender)) ?? 0;
      if (message.state === 'read' && all >= most) [found, most] = [[sender, message], all];
    }
    return found;
  }

  /** Bytes that have come, and those that may come. */
  private heldByUser(): ReadonlyMap<unknown, number> {
    const held = new Map<unknown, number>();
    for (const [sender, { promised }] of this.messages) {
      const who = ownerOf(sender);
      held.set(who, (held.get(who) ?? 0) + promised + sender.unfinishedBytes);
    }
    return held;
  }

  private lookLater(): void {
    this.needs.timers.later(roomLookMillis, () => {
      if (this.counts.waits > 0) this.look();
      this.isLooking = this.counts.waits > 0;
      if (this.isLooking) this.lookLater();
    });
  }

  private look(): void {
    // Senders may have become readable, which no message tells of.
    this.candidate = undefined;
    for (const [sender, message] of [...this.messages]) {
      if (this.messages.get(sender) !== message) continue;
      if (message.state === 'read') this.lookAtRead(sender, message);
      if (isTooSlow(sender, message)) sender.giveUpUnfinished();
      message.hasCome = false;
    }
    this.letOn();
  }

  private lookAtRead(sender: S, message: Message): void {
    message.looks += 1;
    if (!message.hasCome) this.enter(message, 'unheard');
    else if (message.looks >= roomLooksMax) this.wait(sender, message);
    else return;
    message.looks = 0;
    this.messages.delete(sender);
    this.messages.set(sender, message);
  }
}

const giveUpRanks: Readonly<Record<MessageState, number>> = { unheard: 0, waits: 1, read: 2 };

/** Bytes that we do not read cannot come. */
const isTooSlow = (sender: LongSender, message: Message): boolean => {
  if (sender.unfinishedBytes >= message.lookedBytes + progressBytesMin) {
    message.lookedBytes = sender.unfinishedBytes;
    message.slowLooks = 0;
  } else if (sender.isRead) message.slowLooks += 1;
  return message.slowLooks >= slowLooksMax;
};

const restOf = ({ announcedBytes, unfinishedBytes }: LongSender): number =>
  Math.max(0, announcedBytes - unfinishedBytes);

/** Without a session each is for itself. */
const ownerOf = (sender: LongSender): unknown => sender.user ?? sender;
