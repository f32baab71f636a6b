import type { ConnectionAccount } from '../requests/accounts.js';
import type { Admission, Admitted, AdmissionVerdict } from '../requests/admission.js';
import { readRequest, type Dispatch, type ReceivedRequest, type Requester } from '../requests/dispatch.js';
import {
  PaidReading,
  unreadMillisMax,
  type PaidReadingNeeds,
  type ReadingOwner,
  type ReadRequests,
} from './paidReading.js';
import { keptLengthBytes, WaitingFrames } from './waitingFrames.js';

/** Requests of one connection that are worked on at once. While there are more, nothing is read from it. */
export const inFlightMax = 64;

/** The same without a session. It is not 1, because clients send Initialize, Authorize and further requests at once. */
export const signedOutInFlightMax = 8;

/** So many requests of one connection begin in one round of the event loop; then the others have their turn. */
export const begunPerRoundMax = 32;

export type IntakeNeeds = PaidReadingNeeds & {
  readonly admission: Pick<Admission, 'admit' | 'refusedLater'>;
  readonly dispatch: Dispatch;
};

/** The connection of an intake. */
export interface IntakeOwner extends Requester, ReadingOwner {
  account: ConnectionAccount | undefined;
  /** No request is under way any more. */
  idle(): void;
  /** The client was refused too often. */
  closeForRefusals(): void;
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
export class RequestIntake implements ReadRequests {
  readonly reading: PaidReading;
  private readonly needs: IntakeNeeds;
  private readonly owner: IntakeOwner;
  private readonly waiting = new WaitingFrames();
  /** The one before all that wait: it had begun, and has to ask once more whether it may. */
  private again: ReceivedRequest | undefined;
  private underWay = 0;
  /** Those of them that may give the connection another session. Requests behind them count for that one. */
  private signingIn = 0;
  private begunThisRound = 0;
  private isClosed = false;
  /** Why the first of those that wait does not begin yet. */
  private hold: { readonly let: () => void } | undefined;

  constructor(needs: IntakeNeeds, owner: IntakeOwner) {
    this.needs = needs;
    this.owner = owner;
    this.reading = new PaidReading(needs, owner, this);
  }

  get inFlight(): number {
    return this.underWay;
  }

  /** Heartbeats are never limited: clients start one more heartbeat timer with each reconnect. */
  take(frame: Uint8Array): void {
    const kept = withoutRest(frame);
    const request = readRequest(kept);
    if (request === undefined || this.isClosed) {
      this.reading.completed();
      return;
    }
    this.reading.asked(frame.length);
    this.reading.payRest(request);
    // In one step, or others would be let on to the room that the request still takes.
    if (this.reading.unfinishedBytes > 0) this.reading.completed(request.bytes);
    else this.reading.count(request.bytes);
    // Hardly anything ever waits.
    if (!this.hasWaiting && this.mayBegin()) this.begin(request);
    else this.keep(kept);
    this.pump();
  }

  get hasToWait(): boolean {
    return this.hasWaiting || this.hold !== undefined;
  }

  /** Begins what may begin, in order of arrival, and stops reading while anything has to wait. */
  pump(): void {
    while (this.mayBegin()) {
      const request = this.next();
      if (request === undefined) break;
      this.begin(request);
    }
    this.reading.readOrPause();
  }

  /** Requests that waited until the other end had taken its answers begin after the writes of this tick. */
  takesAgain(): void {
    if (!this.hasWaiting) return;
    setImmediate(() => {
      this.pump();
    });
  }

  /** Nothing begins any more, and what waits is forgotten. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.reading.count(-this.waiting.bytes - (this.again?.bytes ?? 0));
    this.waiting.clear();
    this.again = undefined;
    this.hold?.let();
    this.hold = undefined;
    this.reading.close();
  }

  private get hasWaiting(): boolean {
    return this.again !== undefined || !this.waiting.isEmpty;
  }

  private keep(frame: Uint8Array): void {
    this.waiting.add(frame);
    this.reading.count(keptLengthBytes);
  }

  private next(): ReceivedRequest | undefined {
    const { again } = this;
    this.again = undefined;
    if (again !== undefined) return again;
    const frame = this.waiting.shift();
    if (frame === undefined) return undefined;
    this.reading.count(-keptLengthBytes);
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
    let isGivenUp = false;
    const cancelled = (): void => {
      isGivenUp = true;
      cancel();
      admitted.end();
      this.done(request);
    };
    const held = this.holdUntil(cancelled);
    const startNow = (): void => {
      if (isGivenUp) return;
      this.letGo(held);
      this.start(request, admitted);
      this.pump();
    };
    const cancel = this.needs.timers.later(admitted.afterMillis, () => {
      const turn = admitted.turn();
      if (turn === undefined) startNow();
      else void turn.then(startNow);
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
    this.reading.count(-request.bytes);
    if (this.underWay === 0) this.owner.idle();
  }

  private holdUntil(letIt: () => void): { readonly let: () => void } {
    const held = { let: letIt };
    this.hold = held;
    return held;
  }

  private letGo(held: { readonly let: () => void }): void {
    if (this.hold === held) this.hold = undefined;
  }
}
