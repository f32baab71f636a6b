import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { code, failure, unavailable, type ReadCall } from './grpc.js';
import {
  caughtUpMessage,
  checkpointMessage,
  confirmationMessage,
  eventMessage,
  fellBehindMessage,
} from './messages.js';
import type { ServerState } from './state.js';
import type { Kept } from './store.js';

/** A live subscription that has to take more at once is cut, however fast its consumer. */
const liveEventsMax = 47;
const batchEvents = 32;

/** Follows the whole log: what is stored, then what comes. */
export const subscribe = (state: ServerState, call: ReadCall, options: ReadReq.Options): void => {
  state.seen.subscriptions += 1;
  const following = new Following(state, call, options);
  following.run().catch((error: unknown) => {
    call.emit('error', failure(code.unknown, String(error)));
  });
};

class Following {
  readonly #state: ServerState;
  readonly #call: ReadCall;
  readonly #passes: (event: Kept) => boolean;
  readonly #checkpointEvents: number;
  #next: number;
  #considered = 0;
  #isLive = false;
  #isOver = false;
  #resume: () => void = () => undefined;

  constructor(state: ServerState, call: ReadCall, options: ReadReq.Options) {
    this.#state = state;
    this.#call = call;
    this.#passes = filterOf(options.getFilter());
    const filter = options.getFilter();
    const asked = (filter?.getMax() ?? 32) * Math.max(1, filter?.getCheckpointintervalmultiplier() ?? 1);
    this.#checkpointEvents = state.checkpointEveryEvents ?? asked;
    const position = options.getAll()?.getPosition();
    // Up to 23.10 by leaving out one event, whether it is the one at the position or, that being scavenged, the next.
    this.#next = position === undefined ? 0 : state.store.countBefore(BigInt(position.getCommitPosition())) + 1;
    call.on('drain', () => this.#resume());
    call.on('cancelled', () => this.#stop());
    call.on('close', () => this.#stop());
  }

  async run(): Promise<void> {
    await this.#late();
    await this.#write(confirmationMessage(crypto.randomUUID()));
    const { store, events } = this.#state;
    while (!this.#isOver) {
      if (this.#isLive && this.#isTooMuch()) await this.#fallBehind();
      else if (this.#next < store.log.length) await this.#sendBatch();
      else if (!this.#isLive) {
        this.#isLive = true;
        await this.#write(caughtUpMessage());
      } else {
        await once(events, 'written');
        await this.#late();
      }
    }
  }

  /** What does not pass the filter never comes into the buffer. */
  #isTooMuch(): boolean {
    const { log } = this.#state.store;
    if (log.length - this.#next <= liveEventsMax) return false;
    return log.slice(this.#next).filter(this.#passes).length > liveEventsMax;
  }

  async #late(): Promise<void> {
    const { latencyMillis } = this.#state;
    if (latencyMillis > 0) await pause(latencyMillis);
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#state.lookedAt(this.#state.store.log.slice(this.#next, this.#next + batchEvents));
    const fault = this.#state.faults.subscriptions.take();
    if (fault === 'silence') {
      await once(this.#call, 'close');
      return;
    }
    if (fault === 'drop' || fault === 'tooSlow' || fault === 'checkpointAhead') {
      if (fault === 'checkpointAhead') await this.#lie();
      this.#fail(fault === 'tooSlow' ? tooSlow() : unavailable('Connection dropped'));
      return;
    }
    if (fault === 'repeat') this.#next = Math.max(0, this.#next - 3);
    for (const event of fault === 'repeat'
      ? this.#state.store.log.slice(this.#next, this.#next + batchEvents)
      : batch) {
      this.#next += 1;
      if (this.#passes(event)) await this.#write(eventMessage(event));
      this.#considered += 1;
      if (this.#considered % this.#checkpointEvents === 0) await this.#checkpoint(event.position);
      if (this.#isOver) return;
    }
    if (fault === 'cleanEnd') {
      this.#stop();
      this.#call.end();
    }
  }

  /** As measured: the first of a burst still arrive. */
  async #fallBehind(): Promise<void> {
    if (!this.#state.cutsSlowSubscriptions) {
      this.#isLive = false;
      await this.#write(fellBehindMessage());
      return;
    }
    await this.#sendBatch();
    this.#fail(tooSlow());
  }

  async #lie(): Promise<void> {
    const last = this.#state.store.log.at(-1);
    if (last !== undefined) await this.#checkpoint(last.position);
  }

  #checkpoint(position: bigint): Promise<void> {
    this.#state.seen.checkpoints += 1;
    return this.#write(checkpointMessage(position));
  }

  async #write(message: Parameters<ReadCall['write']>[0]): Promise<void> {
    if (this.#isOver || this.#call.write(message)) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#stop();
    this.#call.emit('error', error);
  }

  #stop(): void {
    this.#isOver = true;
    this.#resume();
    // Wakes the loop, wherever it waits.
    this.#state.events.emit('written');
  }
}

const tooSlow = (): Error =>
  failure(
    code.aborted,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );

const filterOf = (filter: ReadReq.Options.FilterOptions | undefined): ((event: Kept) => boolean) => {
  const byStream = filter?.getStreamIdentifier();
  const expression = byStream ?? filter?.getEventType();
  if (expression === undefined) return () => true;
  const [regex, prefixes] = [expression.getRegex(), expression.getPrefixList()];
  const matches = (name: string): boolean =>
    regex === '' ? prefixes.some((prefix) => name.startsWith(prefix)) : new RegExp(regex, 'u').test(name);
  return ({ stream, type }) => matches(byStream === undefined ? type : stream);
};
