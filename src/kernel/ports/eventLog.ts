import type { Position } from '../event.js';
import type { Millis } from '../ids.js';

/** An event on its way into the log. */
export type NewEvent = {
  /** A UUID, derived from the command: a retried append brings the same ids. */
  readonly id: string;
  readonly type: string;
  /** UTF-8 JSON. Kept byte for byte. */
  readonly data: Uint8Array;
  /** UTF-8 JSON, a flat object of strings. Kept byte for byte. */
  readonly metadata: Uint8Array;
};

/**
 * An event as the log holds it. Reading it again gives the same bytes. They may be views into a larger buffer, so a
 * caller that keeps an event for long copies them, and nobody changes them.
 */
export type StoredEvent = NewEvent & {
  readonly stream: string;
  /** 0, 1, 2 … within the stream. */
  readonly revision: bigint;
  /** Unique and increasing over the whole log; not necessarily dense. */
  readonly position: Position;
  readonly at: Millis;
};

/**
 * The belief of the appender about the stream: its last revision, that it has no events (`noStream`), that it has some
 * (`exists`), or nothing at all (`any`).
 */
export type ExpectedRevision = bigint | 'noStream' | 'exists' | 'any';

/** The place of the last event of the append. */
export type Appended = { readonly revision: bigint; readonly position: Position };

/** The events of one stream in an append to several. */
export type StreamAppend = {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
};

/** The stream was not as expected. Nothing was written. */
export class VersionConflict extends Error {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly actual: bigint | 'noStream';

  constructor(stream: string, expected: ExpectedRevision, actual: bigint | 'noStream') {
    super(`stream ${stream} is at ${String(actual)}, expected ${String(expected)}`);
    this.name = 'VersionConflict';
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** Some streams of an append to several took their events and others did not. Only of engines that are not atomic. */
export class PartlyAppended extends Error {
  /** For each stream, in the order of the append, the place of its last event or why it has none of them. */
  readonly outcomes: readonly (Appended | Error)[];

  constructor(outcomes: readonly (Appended | Error)[]) {
    const failed = outcomes.filter((outcome) => outcome instanceof Error);
    const [taken, all] = [outcomes.length - failed.length, outcomes.length];
    super(`${taken.toString()} of ${all.toString()} streams took their events`, { cause: failed[0] });
    this.name = 'PartlyAppended';
    this.outcomes = outcomes;
  }
}

/** A record does not match its checksum. It is not served; restore the log from a backup. */
export class DamagedRecord extends Error {
  readonly position: Position;

  constructor(position: Position) {
    super(`the record at position ${position.toString()} is damaged`);
    this.name = 'DamagedRecord';
    this.position = position;
  }
}

/**
 * The log refuses this append in every case: no events or too many, an id that is no UUID in lower case or comes twice,
 * ids of which the stream holds some and not others, a stream that comes twice, an empty or too long name or type, too
 * many bytes, a max count below 1. Nothing was written.
 */
export class InvalidAppend extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidAppend';
  }
}

export const eventBytesMax = 65_536;
/** Of all streams of the append together. */
export const eventsPerAppendMax = 100;
/** So many events a batch of a subscription has at most, besides those that an append is not cut for. */
export const batchEventsMax = 512;
export const streamNameLengthMax = 200;
export const typeLengthMax = 200;

export type StreamRead = {
  /** The first revision wanted, inclusive. Default: the start, or the end when reading backwards. */
  readonly from?: bigint;
  readonly direction?: 'forwards' | 'backwards';
  /** At most this many events are returned. A page is read in one go, so it should be a thousand or so. */
  readonly limit: number;
};

export type LogRead = {
  /**
   * Exclusive. Forwards: events after it; backwards: events before it. Default: the start, or the end. One that this log
   * gave or `beforeAll`, never a computed one: where no event begins an engine may refuse to read.
   */
  readonly from?: Position;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit: number;
};

/** The log of facts. One total order; per stream a dense count of revisions. */
export interface EventLog {
  /**
   * Resolves once the events are durable; from then on nothing, not even loss of power, undoes them. Throws
   * `VersionConflict` or `InvalidAppend`; then nothing was written. After any other error the outcome is unknown, so
   * append the same ids again.
   *
   * Idempotent by event id within the stream, for ever: an append whose ids the stream already holds, in the same
   * order, resolves with the place of the last of them and writes nothing, with any expected revision. An append in
   * which some ids are held and some are not is an `InvalidAppend`. In a stream with a max count an event is recognised
   * for as long as it is among the newest that are kept.
   *
   * Positions follow the order of the calls made on this log by this process, also across streams.
   * `events` must not be empty.
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended>;

  /**
   * Appends to several streams, each of which comes once, and gives their places in the same order. For each stream it
   * is as `append`, so a stream that holds its events already is left as it is. No other append of this process comes in
   * between.
   *
   * Embedded engines do it in one: either all of it is there, for every reader and subscriber, or nothing is, and
   * `VersionConflict` names the first stream that was not as expected. Others do one stream after the other, and a
   * stream that fails keeps no other one back: they throw `VersionConflict` when no stream was as expected and
   * `PartlyAppended` when only some took their events or the outcome of one is unknown. `appends` must not be empty.
   */
  appendAll(appends: readonly StreamAppend[]): Promise<readonly Appended[]>;

  /** Events of one stream in order. A stream that does not exist is empty. Throws `DamagedRecord`. */
  readStream(stream: string, read: StreamRead): Promise<readonly StoredEvent[]>;

  /** Events of the whole log in order. Throws `DamagedRecord`. */
  readAll(read: LogRead): Promise<readonly StoredEvent[]>;

  /**
   * All events after `after`, first those that are stored, then those that come, in log order, each once, without a
   * gap at the seam. `after` is a position as for `readAll`. Nothing is seen before it is durable. A batch is never empty
   * and has `batchEventsMax` events at most; embedded engines make it larger by up to `eventsPerAppendMax` rather than end
   * it between events that are part of one request (`Metadata.part`). The next one is made when the consumer asks for
   * it, so a slow consumer holds nothing up and costs no memory. Ends when `close` is called or the log closes; throws
   * `DamagedRecord`.
   */
  subscribe(after: Position): Subscription;

  /** Only the newest `maxCount` events of the stream matter from now on: reads of the stream and of the log may leave out older ones. */
  setMaxCount(stream: string, maxCount: number): Promise<void>;

  /** The max count that `setMaxCount` set last; `undefined` for a stream that keeps everything. */
  maxCountOf(stream: string): Promise<number | undefined>;

  /** The position of the last durable event, `beforeAll` in an empty log. */
  end(): Promise<Position>;

  /** Waits for what is in flight, then releases everything. Later calls throw. */
  close(): Promise<void>;
}

export interface Subscription extends AsyncIterable<readonly StoredEvent[]> {
  close(): void;
}

/** The part of a log that following it takes. */
export type FollowedLog = Pick<EventLog, 'subscribe' | 'readAll' | 'end' | 'close'>;
