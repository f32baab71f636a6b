import { beforeAll, type Position } from '../../kernel/event.js';
import type { BoundName } from '../contract/bounds.js';
import type { Caller } from '../contract/call.js';
import type { Outgoing } from '../frames/outbox.js';

/** How far the log must be folded before the reads of a session agree with all that it has seen. */
export class Standpoint {
  /** Of the last event it was sent. Events are sent in order, so the hub just sets it. */
  told: Position = beforeAll;
  /** Of the last thing that it wrote and that permissions may follow from: `Access` must have it. */
  rulesAt: Position = beforeAll;
  private wroteAt: Position = beforeAll;

  /** Of the last thing that it wrote or was sent: read models must have it. */
  get position(): Position {
    return this.told > this.wroteAt ? this.told : this.wroteAt;
  }

  wrote(position: Position): void {
    if (position > this.wroteAt) this.wroteAt = position;
  }

  wroteRules(position: Position): void {
    this.wrote(position);
    if (position > this.rulesAt) this.rulesAt = position;
  }

  /** Goes on from where `other` is as well. */
  join(other: Standpoint): void {
    this.wrote(other.position);
    if (other.rulesAt > this.rulesAt) this.rulesAt = other.rulesAt;
  }
}

/** The part of a connection that the hub needs. */
export interface Listener {
  /** False: it asked for results only. */
  readonly subscribed: boolean;
  readonly outbox: Outgoing;
  /** The session that it belongs to. */
  readonly session: Session | undefined;
  /** The connection belongs to this session from here on, or to none any more. */
  joined(session: Session): void;
  left(): void;
  /**
   * The connection is closed for good: it belongs to no session any more, even when a request was about to give it one.
   */
  readonly gone: boolean;
  /** Milliseconds of the monotonic clock at which something last came from the other end. */
  readonly heardAt: number;
  /** Takes no more requests, and closes with this code once those under way are answered. */
  closeSoon(code: number): void;
  /** Closes at once with 1013, because there are too many connections. */
  giveWay(bound: BoundName): void;
}

/** One session with its connections to this node. */
export type Session = {
  readonly caller: Caller;
  readonly standpoint: Standpoint;
  /** All of them, also those that only want results. A list, because it is mostly one: a Set takes 180 bytes more. */
  connections: readonly Listener[];
  /** Whether it counts as present: from when its first connection is sent updates. */
  announced: boolean;
};
