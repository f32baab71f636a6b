import { beforeAll, type Position } from '../../kernel/event.js';
import {
  InvalidAppend,
  PartlyAppended,
  VersionConflict,
  type Appended,
  type EventLog,
  type NewEvent,
  type StreamAppend,
} from '../../kernel/ports/eventLog.js';
import { checkAppend, checkAppends, checkMaxCount } from './appendRules.js';
import { bytesOf, type StreamName } from './eventStoreDb/batchAppend.js';
import { connection } from './eventStoreDb/connection.js';
import type { EventStoreDbAlarm, EventStoreDbCount, Telling } from './eventStoreDb/failures.js';
import { followers, type Followers } from './eventStoreDb/follow.js';
import { held, type Held } from './eventStoreDb/held.js';
import { maxCounts as maxCountsOf } from './eventStoreDb/maxCount.js';
import { reads, type EventStoreReads } from './eventStoreDb/reads.js';
import { writer, type Writer } from './eventStoreDb/writer.js';

export type EventStoreDbEventLogNeeds = {
  /**
   * `esdb://user:password@host:2113?tlsCAFile=…`, or `esdb+discover://…` for a cluster, or several hosts with commas.
   * With `tls=false` the client sends neither user nor password.
   */
  readonly connectionString: string;
  /**
   * The prefix of the names of this log's streams on the server, so that several logs can share a server. The log sees
   * only streams with the prefix. Default: none; then every stream that is not the server's own belongs to it.
   */
  readonly prefix?: string;
  /**
   * The position of an event on the server, of anybody's, that is older than everything in this log: nothing before it is
   * looked at. Without it, a log that is new among many events of others has to look through all of them. Default: none.
   */
  readonly since?: Position;
  /** For so long in ms a call is tried again before it fails. Default: 15,000. */
  readonly patienceMillis?: number;
  /** For so long in ms the server is tried when the log is opened. Default: as a call. */
  readonly openingMillis?: number;
  /** After so long in ms without an answer a connection is given up for another. Default: 5,000. */
  readonly answerMillis?: number;
  /** After so long in ms without an event a subscription looks whether it has missed one. Default: 30,000. */
  readonly silenceMillis?: number;
  /** For metrics. */
  readonly count?: (what: EventStoreDbCount, n: number) => void;
  /** Called when something has failed so often in a row, and each time after that. Default: 5. */
  readonly alarmFailures?: number;
  readonly alarm?: (alarm: EventStoreDbAlarm) => void;
};

/**
 * The bytes that a server with default settings takes in one append; it counts the types at two bytes for a character.
 */
export const appendBytesMax = 1_048_576;

/**
 * The event log on EventStoreDB 23.10 and later. Throws when the server cannot be reached within the patience.
 *
 * Beyond the port: an append of more than `appendBytesMax` is invalid, so are streams and types whose name begins with
 * `$`. Positions follow the order of the calls as long as the server answers; an append that it wants to be asked again,
 * or that expects `any` or `exists` and meets an append of another process, may come later than its turn.
 */
export const eventStoreDbEventLog = async (needs: EventStoreDbEventLogNeeds): Promise<EventLog> => {
  const parts = partsOf(needs);
  try {
    await parts.probe();
  } catch (error) {
    parts.close();
    throw error;
  }
  return logOf(parts);
};

type Parts = {
  readonly probe: () => Promise<void>;
  readonly reading: EventStoreReads;
  readonly writing: Writer;
  readonly holding: Held;
  readonly following: Followers;
  readonly named: (stream: string) => StreamName;
  readonly close: () => void;
};

const partsOf = (needs: EventStoreDbEventLogNeeds): Parts => {
  const {
    connectionString,
    prefix = '',
    since = beforeAll,
    patienceMillis = 15_000,
    openingMillis = patienceMillis,
    answerMillis = 5_000,
    silenceMillis = 30_000,
  } = needs;
  if (prefix.startsWith('$'))
    throw new InvalidAppend('a prefix must not begin with $: those streams are the server’s own');
  const telling = tellingOf(needs);
  // A connection for each kind of work: none can take the other's calls.
  const [forReads, forAppends, forSubscriptions] = [
    connection(connectionString),
    connection(connectionString),
    connection(connectionString),
  ];
  const look = { connection: forReads, prefix, since, telling, silenceMillis: answerMillis };
  const reading = reads({ ...look, patienceMillis });
  const holding = held(reading);
  return {
    probe: () => reads({ ...look, patienceMillis: openingMillis }).probe(),
    reading,
    holding,
    writing: writer({ connection: forAppends, telling, patienceMillis, answerMillis }),
    following: followers({ connection: forSubscriptions, prefix, since, telling, silenceMillis, ...reading }),
    named: (plain) => ({ plain, full: `${prefix}${plain}` }),
    close: () => {
      for (const one of [forReads, forAppends, forSubscriptions]) one.close();
    },
  };
};

const logOf = ({ reading, writing, holding, following, named, close }: Parts): EventLog => {
  const maxCounts = maxCountsOf(reading, writing);
  let closing: Promise<void> | undefined;
  const checkOpen = (): void => {
    if (closing !== undefined) throw new Error('the log is closed');
  };
  const handIn = ({ stream, events, expected }: StreamAppend): Promise<Appended> =>
    writing.append({ stream: named(stream), events, expected, judge: holding });
  return {
    append: async (stream, events, expected) => {
      checkOpen();
      checkAppend(stream, events);
      checkForServer(stream, events);
      return handIn({ stream, events, expected });
    },
    appendAll: async (appends) => {
      checkOpen();
      checkAppends(appends);
      for (const { stream, events } of appends) checkForServer(stream, events);
      // In one turn, so that the writer sends them in a row.
      return placesOf(await Promise.allSettled(appends.map(handIn)));
    },
    readStream: async (stream, read) => {
      checkOpen();
      const { full } = named(stream);
      const events = await reading.stream(full, read);
      if (read.direction !== 'backwards') holding.learn(full, read.from ?? 0n, events);
      return events;
    },
    readAll: async (read) => {
      checkOpen();
      return reading.all(read);
    },
    subscribe: (after) => {
      checkOpen();
      return following.subscribe(after);
    },
    setMaxCount: async (stream, maxCount) => {
      checkOpen();
      checkMaxCount(stream, maxCount);
      await maxCounts.set(named(stream).full, maxCount);
    },
    maxCountOf: async (stream) => {
      checkOpen();
      return maxCounts.of(named(stream).full);
    },
    end: async () => {
      checkOpen();
      return reading.end();
    },
    close: () => {
      following.close();
      return (closing ??= writing.close().finally(close));
    },
  };
};

const placesOf = (settled: readonly PromiseSettledResult<Appended>[]): readonly Appended[] => {
  const outcomes = settled.map((one) => (one.status === 'fulfilled' ? one.value : errorOf(one)));
  const places = outcomes.filter((outcome): outcome is Appended => !(outcome instanceof Error));
  if (places.length === outcomes.length) return places;
  const [first] = outcomes;
  if (first instanceof VersionConflict && outcomes.every((outcome) => outcome instanceof VersionConflict)) throw first;
  throw new PartlyAppended(outcomes);
};

const errorOf = ({ reason }: PromiseRejectedResult): Error =>
  reason instanceof Error ? reason : new Error('an append failed', { cause: reason });

/** Throws for an append that would hurt the server's own streams, or be taken for theirs and never be seen again. */
const checkForServer = (stream: string, events: readonly NewEvent[]): void => {
  if (stream.startsWith('$')) throw new InvalidAppend('a stream must not begin with $: those are the server’s own');
  const system = events.find(({ type }) => type.startsWith('$'));
  if (system !== undefined)
    throw new InvalidAppend(`the type ${system.type} begins with $: those are the server’s own`);
  const bytes = bytesOf(events);
  if (bytes <= appendBytesMax) return;
  throw new InvalidAppend(`${bytes.toString()} bytes in one append, at most ${appendBytesMax.toString()} are allowed`);
};

const tellingOf = ({ count, alarm, alarmFailures = 5 }: EventStoreDbEventLogNeeds): Telling => ({
  count: (what, n = 1) => count?.(what, n),
  alarm: (one) => {
    if (one.failures >= alarmFailures) alarm?.(one);
  },
});
