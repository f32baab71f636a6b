import { EventEmitter } from 'node:events';
import { Faults } from './faults.js';
import { Store, type Expected, type Kept, type Proposed, type Written } from './store.js';

/** What the services of one stand-in share. It outlives the server's being stopped and started. */
export class ServerState {
  readonly store = new Store();
  readonly faults = new Faults();
  /** Emits `written` after each append. */
  readonly events = new EventEmitter().setMaxListeners(1_000);
  readonly seen = {
    appends: 0,
    reads: 0,
    subscriptions: 0,
    checkpoints: 0,
    features: 0,
    openCalls: 0,
    authorization: '',
  };
  /** How far back anybody has looked in the whole log, also at what a filter then left out. At first beyond its end. */
  oldestLookedAt = 2n ** 63n;
  port = 0;
  /** So much later than it could be each append and read is answered, and a subscription tells of what is new. */
  latencyMillis = 0;
  /** How far the server's clock is ahead of the client's. */
  clockAheadMillis = 0;
  /** From 24.2 on a subscription that falls behind is told so instead of being cut. */
  cutsSlowSubscriptions = true;

  /** A subscription is told of a checkpoint after so many events; `undefined`: after as many as it asks for. */
  checkpointEveryEvents: number | undefined;

  /** Called by reads and subscriptions of the whole log. */
  lookedAt(events: readonly Kept[]): readonly Kept[] {
    for (const { position } of events) {
      if (position < this.oldestLookedAt) this.oldestLookedAt = position;
    }
    return events;
  }

  append(stream: string, expected: Expected, events: readonly Proposed[]): Written {
    const before = this.store.log.length;
    const written = this.store.append(stream, expected, events);
    if (this.store.log.length > before) this.events.emit('written');
    return written;
  }
}
