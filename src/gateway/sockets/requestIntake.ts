import type { UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import {
  shortMessageBytesMax,
  unitsBeyond,
  unitsOfBytes,
  unitsOfFraming,
  type ConnectionAccount,
} from '../requests/accounts.js';
import type { Admission, Admitted, AdmissionVerdict } from '../requests/admission.js';
import type { ReceivedBytes, Receiver } from './receivedBytes.js';
import { readRequest, type Dispatch, type ReceivedRequest, type Requester } from '../requests/dispatch.js';
import type { Line, Turns } from '../requests/turns.js';
import { keptLengthBytes, WaitingFrames } from './waitingFrames.js';

/** Requests of one connection that are worked on at once. While there are more, nothing is read from it. */
export const inFlightMax = 64;

/** The same without a session. It is not 1, because clients send Initialize, Authorize and further requests at once. */
export const signedOutInFlightMax = 8;

/** So many requests of one connection begin in one round of the event loop; then the others have their turn. */
export const begunPerRoundMax = 32;

/**
 * Nothing is read for so long at most. Then all is read that has come, so that pings in it are answered: clients give up
 * after 20 s.
 */
export const unreadMillisMax = 10_000;

/**
 * Units of dear reads in one round of the event loop, of all connections together: of long messages, and of floods of
 * short frames. A read has up to 64 KiB. Of a long message that is 8 units; the read that ends it costs three milliseconds
 * where it is as long as it may be, because it is put together and unmasked then. Of the shortest frames it is many
 * times more than a round has. So two of the first kind are made or one of the other, and then all others have their turn.
 */
export const readUnitsPerRoundMax = 16;

/** Of one read, the bytes around the payload that are free: some sixty frames have so many. */
export const freeFramingBytesMax = 512;

/** Anybody may open connections without a session, so these have a line of their own here as well. */
export type ReadingLines = Readonly<Record<Line, Pick<Turns, 'until'>>>;

export type IntakeNeeds = {
  readonly admission: Pick<Admission, 'admit' | 'tookIn' | 'refusedLater'>;
  readonly dispatch: Dispatch;
  readonly timers: Timers;
  readonly received: ReceivedBytes;
  /** Connections from which reading is dear take turns to be read. */
  readonly reading: ReadingLines;
};

/** The connection of an intake. */
export interface IntakeOwner extends Requester {
  account: ConnectionAccount | undefined;
  /** Whether so little waits for the client that further requests may be begun. */
  readonly isTaking: boolean;
  /** See `LongSender`. */
  readonly announcedBytes: number;
  /** Stops or goes on reading from the socket. */
  setReading(reading: 'on' | 'off'): void;
  /** No request is under way any more. */
  idle(): void;
  /** The client was refused too often. */
  closeForRefusals(): void;
  /** A message of the client has been on its way for longest, and takes memory that others need. */
  closeForUnfinished(): void;
}

/**
 * A message is a view of the read that it came in, which may be 64 KiB of other things: only its own bytes are kept.
 */
const withoutRest = (frame: Uint8Array): Uint8Array =>
  frame.buffer.byteLength > 2 * frame.length + restBytesMax ? Uint8Array.from(frame) : frame;
const restBytesMax = 1_024;

/**
 * The requests of one connection, from their frames to their beginning: they begin in order of arrival, each when it is
 * admitted, and nothing is read from the connection while one has to wait. A class, because every connection has one.
 */
export class RequestIntake implements Receiver {
  private readonly needs: IntakeNeeds;
  private readonly owner: IntakeOwner;
  private readonly waiting = new WaitingFrames();
  /** The one before all that wait: it had begun, and has to ask once more whether it may. */
  private again: ReceivedRequest | undefined;
  /** Of requests that wait, with what those are kept with, or are under way. */
  private requestBytes = 0;
  private partBytes = 0;
  private isHeldBack = false;
  /** Bytes of a long message that is not complete which are paid for. */
  private paidBytes = 0;
  /** Payload of the messages in the read that is looked at. */
  private deliveredBytes = 0;
  /** Of a message that was not complete after the read before. */
  private keptBytes = 0;
  /** Reading from it is dear, and it is not its turn, or what was read is not paid for. Ends a wait that is by time. */
  private readWait: { readonly cancel: () => void } | undefined;
  private underWay = 0;
  /** Those of them that may give the connection another session. Requests behind them count for that one. */
  private signingIn = 0;
  private begunThisRound = 0;
  private isClosed = false;
  /** Why the first of those that wait does not begin yet. */
  private hold: { readonly let: () => void } | undefined;
  private isPaused = false;
  private isGlancing = false;
  /** Its time came while reading was dear, so that it waits for its turn as well. */
  private isGlanceDue = false;
  private cancelGlance: (() => void) | undefined;

  constructor(needs: IntakeNeeds, owner: IntakeOwner) {
    this.needs = needs;
    this.owner = owner;
  }

  get inFlight(): number {
    return this.underWay;
  }

  /** Heartbeats are never limited: clients start one more heartbeat timer with each reconnect. */
  take(frame: Uint8Array): void {
    this.deliveredBytes += frame.length;
    const kept = withoutRest(frame);
    const request = readRequest(kept);
    if (request === undefined || this.isClosed) {
      this.completed();
      return;
    }
    this.payRest(request);
    // In one step, or others would be let on to the room that the request still takes.
    if (this.partBytes > 0) this.completed(request.bytes);
    else this.count(request.bytes);
    // Hardly anything ever waits.
    if (!this.hasWaiting && this.mayBegin()) this.begin(request);
    else this.keep(kept);
    this.pump();
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
    return !this.hasWaiting && this.hold === undefined && this.readWait === undefined && !this.isFull;
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

  /**
   * So many bytes were read, of which, with those before, `kept` are of a message that is not complete. The others are
   * payload, or frame it: that of heartbeats, pings and fragments without end, which are parsed one by one.
   */
  framed(bytes: number, kept: number): void {
    const framing = bytes + this.keptBytes - kept - this.deliveredBytes;
    this.keptBytes = kept;
    this.deliveredBytes = 0;
    if (framing > freeFramingBytesMax) this.pay(unitsOfFraming(framing));
  }

  /** For a read that was dear. Nothing is refused for that; the connection is read when it is paid for, and its turn. */
  private pay(units: number): void {
    if (this.isClosed) return;
    const millis = this.needs.admission.tookIn(this.owner, units);
    // A glance ends with the first read that is dear.
    this.isGlancing = false;
    if (this.readWait !== undefined) this.readOrPause();
    else if (millis > 0) {
      const waited = Math.min(millis, unreadMillisMax);
      const takeTurn = (): void => {
        this.takeTurn(units);
      };
      this.waitWithin({ cancel: this.needs.timers.later(waited, takeTurn) });
    } else this.takeTurn(units);
  }

  /** Many that were in debt may be within their budgets at the same moment. */
  private takeTurn(units: number): void {
    const line = this.owner.session === undefined ? 'strangers' : 'users';
    const turn = this.needs.reading[line].until(units);
    if (turn !== undefined) {
      this.waitWithin({ cancel: () => undefined });
      void turn.then(this.readFurther);
    } else this.readFurther();
  }

  private waitWithin(wait: { readonly cancel: () => void }): void {
    this.readWait = wait;
    this.readOrPause();
  }

  private readonly readFurther = (): void => {
    this.readWait = undefined;
    if (this.isGlanceDue) this.glance();
    else this.readOrPause();
  };

  /** A message is complete. The end of it came with the read that has just been. */
  private payRest(request: ReceivedRequest): void {
    const rest = request.bytes - shortMessageBytesMax - this.paidBytes;
    this.paidBytes = 0;
    if (request.bytes <= shortMessageBytesMax) return;
    this.needs.admission.tookIn(this.owner, unitsOfBytes(Math.max(0, rest)) + unitsBeyond(request));
  }

  /** Begins what may begin, in order of arrival, and stops reading while anything has to wait. */
  pump(): void {
    while (this.mayBegin()) {
      const request = this.next();
      if (request === undefined) break;
      this.begin(request);
    }
    this.readOrPause();
  }

  /** Requests that waited until the other end had taken its answers begin after the writes of this tick. */
  takesAgain(): void {
    if (!this.hasWaiting) return;
    setImmediate(() => {
      this.pump();
    });
  }

  /** Begins nothing: it is called while a request is on its way from those that wait to its beginning. */
  private readOrPause(): void {
    if (this.isClosed || this.isGlancing) return;
    if (this.mayBeRead && !this.isHeldBack) this.readOn();
    else this.pause();
  }

  /** Nothing begins any more, and what waits is forgotten. The socket stays as it is. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.count(-this.waiting.bytes - (this.again?.bytes ?? 0));
    this.waiting.clear();
    this.again = undefined;
    this.hold?.let();
    this.hold = undefined;
    this.readWait?.cancel();
    this.cancelGlance?.();
  }

  readOn(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.cancelGlance?.();
    this.owner.setReading('on');
  }

  private get isFull(): boolean {
    return this.receivedBytes >= this.needs.received.perConnectionMax;
  }

  private get hasWaiting(): boolean {
    return this.again !== undefined || !this.waiting.isEmpty;
  }

  /** All that the system holds comes in one glance, which may be megabytes of the shortest frames. */
  private keep(frame: Uint8Array): void {
    this.waiting.add(frame);
    this.count(keptLengthBytes);
    if (this.isFull) this.isGlancing = false;
  }

  private next(): ReceivedRequest | undefined {
    const { again } = this;
    this.again = undefined;
    if (again !== undefined) return again;
    const frame = this.waiting.shift();
    if (frame === undefined) return undefined;
    this.count(-keptLengthBytes);
    return readRequest(frame);
  }

  private mayBegin(): boolean {
    const { session, isTaking } = this.owner;
    const inFlightNow = session === undefined ? signedOutInFlightMax : inFlightMax;
    const isHeld = this.isClosed || this.hold !== undefined || this.signingIn > 0;
    return !isHeld && this.underWay < inFlightNow && isTaking && this.begunThisRound < begunPerRoundMax;
  }

  private begin(request: ReceivedRequest): void {
    if (this.begunThisRound === 0) setImmediate(RequestIntake.nextRound, this);
    this.begunThisRound += 1;
    // Counted before it begins: one that is refused at once may close the connection, and its answer goes out first.
    this.underWay += 1;
    const verdict = this.needs.admission.admit(this.owner, request);
    if (!(verdict instanceof Promise)) {
      this.follow(request, verdict);
      return;
    }
    const held = this.holdUntil(() => undefined);
    void verdict.then((settled) => {
      this.letGo(held);
      this.follow(request, settled);
      this.pump();
    });
  }

  /** One function for all: of its own it would take each connection a hundred bytes more. */
  private static nextRound(this: void, intake: RequestIntake): void {
    const wasFull = intake.begunThisRound >= begunPerRoundMax;
    intake.begunThisRound = 0;
    if (wasFull) intake.pump();
  }

  private follow(request: ReceivedRequest, verdict: AdmissionVerdict): void {
    if (this.isClosed) {
      if (verdict.kind === 'admitted') verdict.end();
      this.done(request);
    } else if (verdict.kind === 'admitted') this.beginAfter(request, verdict);
    else if (verdict.kind === 'busy') this.beginAgain(request, verdict.until);
    else this.refuse(request, verdict);
  }

  private beginAfter(request: ReceivedRequest, admitted: Admitted): void {
    if (admitted.afterMillis <= 0) {
      this.start(request, admitted);
      return;
    }
    const cancelled = (): void => {
      cancel();
      admitted.end();
      this.done(request);
    };
    const held = this.holdUntil(cancelled);
    const cancel = this.needs.timers.later(admitted.afterMillis, () => {
      this.letGo(held);
      this.start(request, admitted);
      this.pump();
    });
  }

  private beginAgain(request: ReceivedRequest, until: Promise<void>): void {
    this.underWay -= 1;
    this.again = request;
    const held = this.holdUntil(() => undefined);
    void until.then(() => {
      this.letGo(held);
      this.pump();
    });
  }

  private refuse(request: ReceivedRequest, verdict: Extract<AdmissionVerdict, { readonly kind: 'refused' }>): void {
    void this.needs.dispatch.refuse(this.owner, request, verdict.rejection).then(() => {
      this.answered(request);
    });
    if (verdict.closes) this.owner.closeForRefusals();
    else if (verdict.pauseMillis > 0) this.holdFor(Math.min(verdict.pauseMillis, unreadMillisMax));
  }

  private holdFor(millis: number): void {
    const held = this.holdUntil(() => {
      cancel();
    });
    const cancel = this.needs.timers.later(millis, () => {
      this.letGo(held);
      this.pump();
    });
  }

  private start(request: ReceivedRequest, { meter, end }: Admitted): void {
    if (request.mayChangeSession) this.signingIn += 1;
    void this.needs.dispatch.answer(this.owner, request, meter).then((reason) => {
      if (request.mayChangeSession) this.signingIn -= 1;
      end();
      // Only one kind of request is too much, so the connection is read on.
      if (reason === 'RATE_LIMITED' && this.needs.admission.refusedLater(this.owner)) this.owner.closeForRefusals();
      this.answered(request);
    });
  }

  private answered(request: ReceivedRequest): void {
    this.done(request);
    this.pump();
  }

  private done(request: ReceivedRequest): void {
    this.underWay -= 1;
    this.count(-request.bytes);
    if (this.underWay === 0) this.owner.idle();
  }

  private count(bytes: number): void {
    this.requestBytes += bytes;
    this.needs.received.changed(this, bytes);
  }

  private holdUntil(letIt: () => void): { readonly let: () => void } {
    const held = { let: letIt };
    this.hold = held;
    return held;
  }

  private letGo(held: { readonly let: () => void }): void {
    if (this.hold === held) this.hold = undefined;
  }

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.owner.setReading('off');
    this.glanceLater();
  }

  private glanceLater(): void {
    this.cancelGlance = this.needs.timers.later(unreadMillisMax, () => {
      this.glance();
    });
  }

  /** Reads what has come. Two rounds, because the first may be over before anything is read in it. */
  private glance(): void {
    if (this.isClosed) return;
    this.isGlanceDue = this.readWait !== undefined;
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
        this.pump();
      }),
    );
  }
}
