import type { UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import {
  shortMessageBytesMax,
  unitsBeyond,
  unitsOfBytes,
  unitsOfFraming,
  type Asker,
  type Asking,
} from '../requests/accounts.js';
import type { Admission } from '../requests/admission.js';
import type { DearReader, ReadingLine } from './readingLine.js';
import type { ReceivedBytes, Receiver } from './receivedBytes.js';

/**
 * Nothing is read for so long at most. Then all is read that has come, so that pings in it are answered: clients give up
 * after 20 s.
 */
export const unreadMillisMax = 10_000;

/**
 * Units of dear reads in one round of the event loop, of all connections together: of long messages, and of floods of
 * short frames. 64 KiB of a long message are 8 units; the read that ends it costs three milliseconds where it is as long
 * as it may be, because it is put together and unmasked then. A piece of the shortest frames is as many as a round
 * has. So two of the first kind are read or one of the other, and then all others have their turn.
 */
export const readUnitsPerRoundMax = 16;

/** Bytes around requests are paid for whenever a connection has sent so many. Some sixty of the shortest frames have them. */
export const freeFramingBytesMax = 512;

/** Anybody may open connections without a session, so these have a line of their own here as well. */
export type ReadingLines = Readonly<Record<'users' | 'strangers', Pick<ReadingLine, 'mayReadOn' | 'leave'>>>;

export type PaidReadingNeeds = {
  readonly admission: Pick<Admission, 'tookIn'>;
  readonly timers: Timers;
  readonly received: ReceivedBytes;
  /** Connections from which reading is dear take turns to be read. */
  readonly reading: ReadingLines;
};

/** The connection that is read. */
export interface ReadingOwner {
  /** Whether so little waits for the client that further requests may be begun. */
  readonly isTaking: boolean;
  /** See `LongSender`. */
  readonly announcedBytes: number;
  /** Stops or goes on reading from the socket. */
  setReading(reading: 'on' | 'off'): void;
  /** A message of the client has been on its way for longest, and takes memory that others need. */
  closeForUnfinished(): void;
}

/** The requests that were read. */
export interface ReadRequests {
  /** One of them cannot begin yet, so no more are wanted. */
  readonly hasToWait: boolean;
  /** Begins what may begin, and then looks whether more is to be read. */
  pump(): void;
}

/**
 * When one connection is read, and what its bytes cost. Those that are dear are paid for as they come, and read in turns; nothing is
 * read while requests have to wait, or while their bytes or those of a message that is not complete take too much memory.
 * A class, because every connection has one.
 */
export class PaidReading implements Receiver, DearReader {
  private readonly needs: PaidReadingNeeds;
  private readonly owner: ReadingOwner & Asker;
  private readonly requests: ReadRequests;
  /** Of requests that wait, with what those are kept with, or are under way. */
  private requestBytes = 0;
  private partBytes = 0;
  private isHeldBack = false;
  /** Bytes of a long message that is not complete which are paid for. */
  private paidBytes = 0;
  /** Bytes of the requests in the piece that is looked at. */
  private askedBytes = 0;
  /** Of a message that was not complete after the piece before. */
  private keptBytes = 0;
  /** Bytes around requests that are not paid for. */
  private framingBytes = 0;
  /** Reading from it is dear, and it is not its turn, or what was read is not paid for. Ends the wait. */
  private endWait: (() => void) | undefined;
  /** It waits until what was read is paid for: so many units. */
  private unitsInDebt: number | undefined;
  private state: 'open' | 'closing' | 'ended' = 'open';
  private isPaused = false;
  private isGlancing = false;
  /** Its time came while reading was dear, so that it waits for its turn as well. */
  private isGlanceDue = false;
  private cancelGlance: (() => void) | undefined;

  constructor(needs: PaidReadingNeeds, owner: ReadingOwner & Asker, requests: ReadRequests) {
    this.needs = needs;
    this.owner = owner;
    this.requests = requests;
  }

  get receivedBytes(): number {
    return this.requestBytes + this.partBytes;
  }

  get unfinishedBytes(): number {
    return this.partBytes;
  }

  get announcedBytes(): number {
    return this.owner.announcedBytes;
  }

  get user(): UserId | undefined {
    return this.owner.session?.caller.user;
  }

  get mayBeRead(): boolean {
    return !this.requests.hasToWait && this.endWait === undefined && !this.isFull;
  }

  get isRead(): boolean {
    return !this.isPaused;
  }

  /** So many bytes were read, and the message at their end is not complete: it keeps all of them in memory. */
  readPart(bytes: number): void {
    this.partBytes += bytes;
    this.needs.received.grew(this, bytes);
    if (this.partBytes > shortMessageBytesMax) {
      this.paidBytes += bytes;
      this.pay(unitsOfBytes(bytes));
    }
    if (!this.isFull && !this.isHeldBack) return;
    this.isGlancing = false;
    this.readOrPause();
  }

  /** The message that was not complete is so now, as a request of so many bytes, or never will be one. */
  completed(keptBytes = 0): void {
    const bytes = this.partBytes;
    if (bytes === 0) return;
    this.partBytes = 0;
    this.requestBytes += keptBytes;
    this.needs.received.completed(this, bytes, keptBytes);
  }

  /** Requests take so many bytes more, or less. */
  count(bytes: number): void {
    this.requestBytes += bytes;
    this.needs.received.changed(this, bytes);
    // All that the system holds comes in one glance, which may be megabytes of the shortest frames.
    if (this.isFull) this.isGlancing = false;
  }

  holdBack(): void {
    this.isHeldBack = true;
    this.readOrPause();
  }

  readAgain(): void {
    this.isHeldBack = false;
    this.readOrPause();
  }

  giveUpUnfinished(): void {
    this.completed();
    this.owner.closeForUnfinished();
  }

  /** The piece that is looked at had a request of so many bytes. */
  asked(bytes: number): void {
    this.askedBytes += bytes;
  }

  /**
   * So many bytes were read, of which, with those before, `kept` are of a message that is not complete. The others are
   * requests, or around them: frames, fragments, pings and heartbeats without end, which are parsed one by one.
   */
  framed(bytes: number, kept: number): void {
    this.framingBytes += bytes + this.keptBytes - kept - this.askedBytes;
    this.keptBytes = kept;
    this.askedBytes = 0;
    if (this.framingBytes <= freeFramingBytesMax) return;
    const units = unitsOfFraming(this.framingBytes);
    this.framingBytes = 0;
    if (this.state === 'open') this.pay(units);
    // Its client may be in the middle of a long message, which is asked for no more and read in vain.
    else if (this.endWait === undefined) this.takeTurn(readUnitsPerRoundMax);
  }

  /** A message is complete. The end of it came with the read that has just been. */
  payRest(request: Asking): void {
    const rest = request.bytes - shortMessageBytesMax - this.paidBytes;
    this.paidBytes = 0;
    if (request.bytes <= shortMessageBytesMax) return;
    this.needs.admission.tookIn(this.owner, unitsOfBytes(Math.max(0, rest)) + unitsBeyond(request));
  }

  /** Begins nothing: it is called while a request is on its way from those that wait to its beginning. */
  readOrPause(): void {
    if (this.state === 'ended' || this.isGlancing) return;
    // Of one that closes nothing is kept, but what is before the answer to the close takes turns as ever.
    const isRead = this.state === 'closing' ? this.endWait === undefined : this.mayBeRead && !this.isHeldBack;
    if (isRead) this.readOn();
    else this.pause();
  }

  /** No request is wanted any more, only the answer to a close. */
  close(): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.isGlancing = false;
    this.isGlanceDue = false;
    this.cancelGlance?.();
    if (this.unitsInDebt === undefined) this.readOrPause();
    else this.takeTurnInDebt(this.unitsInDebt);
  }

  /** Nothing is decided any more. The socket stays as it is. */
  end(): void {
    this.state = 'ended';
    this.endWait?.();
    this.endWait = undefined;
    this.cancelGlance?.();
  }

  readFurther(): void {
    this.endWait = undefined;
    if (this.isGlanceDue) this.glance();
    else this.readOrPause();
  }

  private readOn(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.cancelGlance?.();
    this.owner.setReading('on');
  }

  /** For a piece that was dear. Nothing is refused for that; the connection is read when it is paid for, and its turn. */
  private pay(units: number): void {
    if (this.state === 'ended') return;
    const millis = this.needs.admission.tookIn(this.owner, units);
    // A glance ends with the first piece that is dear.
    this.isGlancing = false;
    if (this.endWait !== undefined) this.readOrPause();
    else if (millis > 0) {
      const paid = (): void => {
        this.takeTurnInDebt(units);
      };
      this.unitsInDebt = units;
      this.waitWithin(this.needs.timers.later(Math.min(millis, unreadMillisMax), paid));
    } else this.takeTurn(units);
  }

  /** Its debts are paid, or nobody asks for them any more. */
  private takeTurnInDebt(units: number): void {
    this.unitsInDebt = undefined;
    this.endWait?.();
    this.takeTurn(units);
  }

  /** Many that were in debt may be within their budgets at the same moment. */
  private takeTurn(units: number): void {
    const line = this.needs.reading[this.owner.session === undefined ? 'strangers' : 'users'];
    if (line.mayReadOn(this, units)) this.readFurther();
    else {
      this.waitWithin(() => {
        line.leave(this);
      });
    }
  }

  private waitWithin(end: () => void): void {
    this.endWait = end;
    this.readOrPause();
  }

  private get isFull(): boolean {
    return this.receivedBytes >= this.needs.received.perConnectionMax;
  }

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.owner.setReading('off');
    if (this.state === 'open') this.glanceLater();
  }

  private glanceLater(): void {
    this.cancelGlance = this.needs.timers.later(unreadMillisMax, () => {
      this.glance();
    });
  }

  /** Reads what has come. Two rounds, because the first may be over before anything is read in it. */
  private glance(): void {
    this.isGlanceDue = this.endWait !== undefined;
    if (this.isGlanceDue) return;
    if (!this.owner.isTaking || this.isFull) {
      this.glanceLater();
      return;
    }
    this.readOn();
    this.isGlancing = true;
    setImmediate(() =>
      setImmediate(() => {
        this.isGlancing = false;
        this.requests.pump();
      }),
    );
  }
}
