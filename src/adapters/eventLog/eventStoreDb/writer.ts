import { randomUUID } from 'node:crypto';
import { InvalidAppend, type Appended, type ExpectedRevision, type NewEvent } from '../../../kernel/ports/eventLog.js';
import { pause } from '../../../kernel/timing.js';
import {
  proposalOf,
  type AppendAnswer,
  type BatchAppendCall,
  type StreamName,
  type WireRevision,
} from './batchAppend.js';
import type { EventStoreConnection } from './connection.js';
import { shortPauseMillis, Silence, type Telling } from './failures.js';
import { LogUnreachable, OutcomeUnknown } from './unreachable.js';
import { Flight, isOverdue, type Item } from './flight.js';
import type { Judge, StoredVerdict } from './held.js';
import { reach } from './reach.js';

/** The one writer of the process. */
export interface Writer {
  /** Takes an order that was checked before, and does not check it again. */
  append(order: Order): Promise<Appended>;
  /** Waits for all appends that were handed in. */
  close(): Promise<void>;
}

export type Order = {
  readonly stream: StreamName;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
  /** Says what to demand of the stream, and what to do when it is not so. */
  readonly judge: Judge;
};

export type WriterNeeds = {
  readonly connection: EventStoreConnection;
  readonly telling: Telling;
  /** For so long an append is tried again. */
  readonly patienceMillis: number;
  /** After so long without an answer the connection is given up, and the same events are sent over another. */
  readonly answerMillis: number;
};

/**
 * Appends are sent in the order of the calls: one at a time for each stream, those of different streams without waiting
 * for each other. Sending an append again is safe because every append demands an exact revision (see `held.ts`), so an
 * append that arrives several times is written once, and one that was overtaken is refused.
 */
export const writer = (needs: WriterNeeds): Writer => new AppendLine(needs);

/** So often at least an append is tried within the patience, if failing is quick. */
const triesMin = 8;
/** Handed in and not sent. */
const waitingMax = 20_000;

// A state machine whose steps share all of their state: as a class it is shorter than as closures.
class AppendLine implements Writer {
  readonly #needs: WriterNeeds;
  /** Handed in and not sent, in the order of the calls. */
  readonly #waiting: Item[] = [];
  readonly #flight = new Flight();
  /** Streams with an append that is not settled: their next one waits. */
  readonly #busy = new Set<string>();
  /** Everything that was handed in and is not settled. */
  #unsettled = 0;
  #call: BatchAppendCall | undefined;
  #running = false;
  /** Something has to be sent again: until it has been, nothing new may overtake it. */
  #doubtful = false;
  #recovering = false;
  #failures = 0;
  #watchers: (() => void)[] = [];

  constructor(needs: WriterNeeds) {
    this.#needs = needs;
  }

  append({ stream, events, expected, judge }: Order): Promise<Appended> {
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new LogUnreachable(`${waitingMax.toString()} appends are waiting for the log already`));
    }
    const proposal = proposalOf(stream, events);
    const giveUpAt = performance.now() + this.#needs.patienceMillis;
    return new Promise((resolve, reject) => {
      const attempt = { wire: 0n, correlation: '', wasSent: false, timer: undefined, unclear: undefined };
      this.#waiting.push({ proposal, expected, judge, giveUpAt, resolve, reject, ...attempt });
      this.#unsettled += 1;
      if (!this.#running) void this.#run();
    });
  }

  async close(): Promise<void> {
    while (this.#unsettled > 0) await this.#change();
    this.#call?.giveUp(new Error('the log was closed'));
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift()) {
      while (!this.#mayGo(item) && !isOverdue(item)) await this.#change();
      const { full } = item.proposal.stream;
      if (isOverdue(item)) {
        item.reject(new LogUnreachable('the log could not be reached in time; nothing was written'));
        this.#settled();
      } else {
        this.#busy.add(full);
        await this.#decide(item, () => item.judge.before(item.proposal, item.expected));
      }
    }
    this.#running = false;
  }

  #mayGo({ proposal }: Item): boolean {
    if (this.#doubtful || this.#recovering || this.#busy.has(proposal.stream.full)) return false;
    return this.#flight.hasRoomFor(proposal);
  }

  /** Sends the item, or settles it when there is nothing to send. Its stream stays busy until then. */
  async #decide(item: Item, judge: () => StoredVerdict | Promise<StoredVerdict>): Promise<void> {
    try {
      const judged = judge();
      const verdict = judged instanceof Promise ? await judged : judged;
      if ('appended' in verdict) this.#settle(item, () => item.resolve(verdict.appended));
      else this.#launch(item, verdict.wire);
    } catch (error) {
      this.#settle(item, () => item.reject(error));
    }
  }

  #launch(item: Item, wire: WireRevision): void {
    item.wire = wire;
    item.correlation = randomUUID();
    this.#flight.add(item);
    if (this.#call !== undefined && !this.#doubtful && !this.#recovering) this.#send(this.#call, item);
    else {
      item.unclear = new LogUnreachable('there is no connection');
      this.#recoverWhenQuiet();
    }
  }

  #send(call: BatchAppendCall, item: Item): void {
    item.unclear = undefined;
    item.wasSent = true;
    const { answerMillis, telling } = this.#needs;
    item.timer = setTimeout(() => {
      telling.count('append_answers_late');
      this.#call?.giveUp(new Silence('the appends', answerMillis));
    }, answerMillis);
    call.send(item.correlation, item.proposal, item.wire);
  }

  #answered(correlation: string, answer: AppendAnswer): void {
    const item = this.#flight.get(correlation);
    // It came twice, or for an attempt that was given up.
    if (item === undefined) {
      this.#needs.telling.count('append_answers_stray');
      return;
    }
    clearTimeout(item.timer);
    if (answer.is === 'unclear') {
      this.#failed(item, new Error(`the server: ${answer.message}`));
      return;
    }
    this.#failures = 0;
    this.#flight.remove(item);
    if (answer.is === 'written') void this.#finish(item, answer);
    else if (answer.is === 'wrongRevision') {
      void this.#decide(item, () => item.judge.afterConflict(item.proposal, item.expected, answer.actual));
    } else {
      const error = answer.is === 'denied' ? new Error('the log denies the access') : new InvalidAppend(answer.invalid);
      this.#settle(item, () => item.reject(error));
    }
    if (this.#doubtful) this.#recoverWhenQuiet();
  }

  async #finish(item: Item, answer: AppendAnswer & { is: 'written' }): Promise<void> {
    try {
      const placed = item.judge.written(item.proposal, item.wire, answer);
      const appended = placed instanceof Promise ? await placed : placed;
      this.#settle(item, () => item.resolve(appended));
    } catch (error) {
      this.#settle(item, () => item.reject(error));
    }
  }

  /** One append has to be sent again, and the call is as good as it was. */
  #failed(item: Item, error: unknown): void {
    item.unclear = error;
    this.#trouble(error);
    this.#recoverWhenQuiet();
  }

  /** The call is over; appends that it did not answer have to be sent again. */
  #broken(error: unknown): void {
    this.#call = undefined;
    this.#needs.telling.count('append_calls_broken');
    for (const item of this.#flight.items()) {
      clearTimeout(item.timer);
      item.unclear ??= error;
    }
    this.#trouble(error);
    this.#recoverWhenQuiet();
  }

  #trouble(error: unknown): void {
    this.#failures += 1;
    this.#needs.telling.alarm({ doing: 'appending', failures: this.#failures, waiting: this.#unsettled, error });
  }

  /** Those that may still be answered are waited for: so that all go again in their old order. */
  #recoverWhenQuiet(): void {
    this.#doubtful = true;
    if (this.#flight.isQuiet && !this.#recovering) void this.#recover();
  }

  async #recover(): Promise<void> {
    this.#recovering = true;
    for (;;) {
      if (this.#failures > 0) await pause(this.#pauseMillis());
      this.#giveUpOverdue();
      if (this.#flight.isEmpty) break;
      this.#call ??= await this.#opened();
      if (this.#call !== undefined) break;
    }
    this.#recovering = false;
    this.#doubtful = false;
    for (const item of this.#flight.items()) {
      if (item.wasSent) this.#needs.telling.count('appends_asked_again');
      // Set above whenever there is anything to send; a call that breaks says so later, never at once.
      if (this.#call !== undefined) this.#send(this.#call, item);
    }
    this.#wake();
  }

  /** Never so long that an append handed in now would run out of patience without having been tried. */
  #pauseMillis(): number {
    return Math.min(shortPauseMillis(this.#failures), this.#needs.patienceMillis / triesMin);
  }

  #giveUpOverdue(): void {
    for (const item of this.#flight.items()) {
      if (!isOverdue(item)) continue;
      this.#flight.remove(item);
      item.judge.forget(item.proposal);
      if (item.wasSent) this.#needs.telling.count('appends_unknown');
      const { plain } = item.proposal.stream;
      const error = item.wasSent
        ? new OutcomeUnknown(plain, item.unclear)
        : new LogUnreachable('the log could not be reached in time; nothing was written', item.unclear);
      this.#settle(item, () => item.reject(error));
    }
  }

  async #opened(): Promise<BatchAppendCall | undefined> {
    const { connection, answerMillis } = this.#needs;
    const listener = {
      answered: (correlation: string, answer: AppendAnswer) => this.#answered(correlation, answer),
      broken: (error: unknown) => this.#broken(error),
    };
    try {
      return await reach(connection, listener, answerMillis);
    } catch (error) {
      this.#trouble(error);
      return undefined;
    }
  }

  #settle(item: Item, tell: () => void): void {
    this.#busy.delete(item.proposal.stream.full);
    tell();
    this.#settled();
  }

  #settled(): void {
    this.#unsettled -= 1;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}
