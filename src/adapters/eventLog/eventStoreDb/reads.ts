import {
  BACKWARDS,
  END,
  FORWARDS,
  START,
  type Direction,
  type EventStoreDBClient,
  type ResolvedEvent,
  type StreamingRead,
} from '@eventstore/db-client';
import { beforeAll, type Position } from '../../../kernel/event.js';
import type { LogRead, StoredEvent, StreamRead } from '../../../kernel/ports/eventLog.js';
import { pause } from '../../../kernel/timing.js';
import type { EventStoreConnection } from './connection.js';
import { isFinal, isNotLeader, isStreamNotFound, shortPauseMillis, Silence, type Telling } from './failures.js';
import { gate, type Gate } from './gate.js';
import { positionOf, storedEventOf } from './records.js';
import { LogUnreachable } from './unreachable.js';

/** Reads over a connection of their own, tried again for a while when the server cannot be reached. */
export interface EventStoreReads {
  /** `stream` with its prefix, as the server knows it; the events that come back have none. */
  stream(stream: string, read: StreamRead): Promise<readonly StoredEvent[]>;
  /** The newest event of any stream, those of the store itself too. */
  newest(stream: string): Promise<ResolvedEvent | undefined>;
  all(read: LogRead): Promise<readonly StoredEvent[]>;
  /** Only whether it can be read. Looking for the newest of ours may take long where everything belongs to others. */
  probe(): Promise<void>;
  /** The position of the newest event that is ours. */
  end(): Promise<Position>;
  /**
   * The position itself while its event is there, else that of the newest event before it. Subscribing after a place
   * whose event was scavenged, servers up to 23.10 leave out one event: that which came next.
   */
  standing(position: Position): Promise<Position>;
  /** Whether the machine that answers has the log up to a position at which there was an event, of anybody's. */
  hasReached(position: Position): Promise<boolean>;
}

export type ReadsNeeds = {
  readonly connection: EventStoreConnection;
  readonly prefix: string;
  /** Nothing of ours is at or before this position, so nobody looks there. */
  readonly since: Position;
  readonly telling: Telling;
  /** For so long a read is tried again. */
  readonly patienceMillis: number;
  /** For so long a read may bring nothing. */
  readonly silenceMillis: number;
};

/** Calls at a time on the connection; it carries 100, and those above wait without a word. */
const readsMax = 64;
const readsWaitingMax = 10_000;

/** Events in one call of a read of the whole log. */
const pageEventsMax = 1_000;

export const reads = (needs: ReadsNeeds): EventStoreReads => {
  const { prefix, since } = needs;
  const read = patientReader(needs, gate(readsMax, readsWaitingMax));
  const ours = (events: readonly ResolvedEvent[]): readonly StoredEvent[] =>
    events.map((event) => storedEventOf(event, prefix)).filter((event) => event !== undefined);
  const stream = async (name: string, { from, direction, limit }: StreamRead): Promise<readonly StoredEvent[]> => {
    if (limit < 1) return [];
    const streamPage = (fromRevision: bigint | typeof START | typeof END, towards: Direction) =>
      read(`reading ${name}`, (client) =>
        client.readStream(name, { fromRevision, direction: towards, maxCount: limit, requiresLeader: true }),
      );
    if (direction !== 'backwards')
      return from === undefined || from < 0n
        ? ours(await streamPage(START, FORWARDS))
        : ours(await streamPage(from, FORWARDS));
    if (from === undefined) return ours(await streamPage(END, BACKWARDS));
    if (from < 0n) return [];
    const page = ours(await streamPage(from, BACKWARDS));
    // A server may find nothing from a revision on that the stream has not reached yet.
    return page.length > 0 ? page : ours(await streamPage(END, BACKWARDS)).filter(({ revision }) => revision <= from);
  };
  const allPage = (from: Position | typeof START | typeof END, direction: Direction, maxCount: number) => {
    const fromPosition = typeof from === 'bigint' ? { commit: from, prepare: from } : from;
    return read('reading the log', (client) =>
      client.readAll({ fromPosition, direction, maxCount, requiresLeader: true }),
    );
  };
  return {
    stream,
    newest: async (name) => {
      const events = await read(`reading ${name}`, (client) =>
        client.readStream(name, { fromRevision: END, direction: BACKWARDS, maxCount: 1, requiresLeader: true }),
      );
      return events[0];
    },
    all: (wanted) =>
      wanted.direction === 'backwards'
        ? allBackwards({ allPage, ours, since }, wanted)
        : allForwards({ allPage, ours, since }, wanted),
    probe: async () => {
      await allPage(END, BACKWARDS, 1);
    },
    end: shared(endOf({ allPage, ours, since })),
    standing: async (position) => {
      if (position === beforeAll) return beforeAll;
      const [next] = await allPage(position, FORWARDS, 1);
      if (next !== undefined && positionOf(next) === position) return position;
      const [previous] = await allPage(position, BACKWARDS, 1);
      return previous === undefined ? beforeAll : positionOf(previous);
    },
    hasReached: async (position) => {
      const [newest] = await allPage(END, BACKWARDS, 1);
      return newest !== undefined && positionOf(newest) >= position;
    },
  };
};

type AllPage = (
  from: Position | typeof START | typeof END,
  direction: Direction,
  maxCount: number,
) => Promise<readonly ResolvedEvent[]>;
type Pages = {
  readonly allPage: AllPage;
  readonly ours: (events: readonly ResolvedEvent[]) => readonly StoredEvent[];
  readonly since: Position;
};

// Forwards the server includes the event at the position itself; the port does not.
const allForwards = async (
  { allPage, ours, since }: Pages,
  { from, limit }: LogRead,
): Promise<readonly StoredEvent[]> => {
  const found: StoredEvent[] = [];
  let after = from === undefined || from < since ? since : from;
  for (let asked = pageOf(limit + 1); found.length < limit; asked = widened(asked)) {
    const page = await allPage(after === beforeAll ? START : after, FORWARDS, asked);
    found.push(...ours(page.filter((event) => positionOf(event) > after)));
    const last = page.at(-1);
    if (last === undefined || page.length < asked) break;
    after = positionOf(last);
  }
  return found.slice(0, Math.max(0, limit));
};

const allBackwards = async (
  { allPage, ours, since }: Pages,
  { from, limit }: LogRead,
): Promise<readonly StoredEvent[]> => {
  const found: StoredEvent[] = [];
  if (from !== undefined && from <= since) return found;
  let before: Position | typeof END = from ?? END;
  for (let asked = pageOf(limit); found.length < limit; asked = widened(asked)) {
    const page = await allPage(before, BACKWARDS, asked);
    found.push(...ours(page));
    const last = page.at(-1);
    if (last === undefined || page.length < asked || positionOf(last) <= since) break;
    before = positionOf(last);
  }
  return found.slice(0, Math.max(0, limit));
};

const pageOf = (limit: number): number => Math.min(limit, pageEventsMax);

/** A read that has not found enough stands before a stretch that is not ours, and the stretch may be long. */
const widened = (asked: number): number => pageOf(asked * 8);

/** Looks back only as far as it has looked before: in a log with a prefix, much may lie between two events of ours. */
const endOf = ({ allPage, ours, since }: Pages): (() => Promise<Position>) => {
  let seen = since;
  let newest = beforeAll;
  return async () => {
    let seenNow: Position | undefined;
    let before: Position | typeof END = END;
    for (let asked = 1; ; asked = widened(asked)) {
      const page = await allPage(before, BACKWARDS, asked);
      const [first] = page;
      if (first !== undefined) seenNow ??= positionOf(first);
      const [found] = ours(page);
      const last = page.at(-1);
      if (found === undefined && last !== undefined && positionOf(last) > seen && page.length === asked) {
        before = positionOf(last);
        continue;
      }
      newest = found !== undefined && found.position > newest ? found.position : newest;
      seen = seenNow !== undefined && seenNow > seen ? seenNow : seen;
      return newest;
    }
  };
};

/** A caller that asks while a look is under way shares the next look, which begins later and so misses nothing. */
const shared = <T>(look: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const begun = look();
    running = begun;
    const over = (): void => {
      if (running === begun) running = undefined;
    };
    begun.then(over, over);
    return begun;
  };
  return () => {
    if (running === undefined) return begin();
    const again = (): Promise<T> => {
      next = undefined;
      return begin();
    };
    next ??= running.then(again, again);
    return next;
  };
};

type Open = (client: EventStoreDBClient) => StreamingRead<ResolvedEvent>;

const patientReader =
  ({ connection, telling, patienceMillis, silenceMillis }: ReadsNeeds, calls: Gate) =>
  async (what: string, open: Open): Promise<readonly ResolvedEvent[]> => {
    const giveUpAt = performance.now() + patienceMillis;
    for (let failures = 1; ; failures += 1) {
      const leave = await calls.enter();
      if (performance.now() > giveUpAt) {
        leave();
        throw new LogUnreachable(`${what} had to wait too long`);
      }
      const { client, done } = connection.use();
      try {
        return await collected(open(client), what, silenceMillis);
      } catch (error) {
        if (isStreamNotFound(error)) return [];
        if (isFinal(error)) throw error;
        // A leader that moved is found by the same client; anything else may be the connection's fault.
        if (!isNotLeader(error)) connection.renew(client);
        telling.count('reads_tried_again');
        const pauseMillis = shortPauseMillis(failures);
        if (performance.now() + pauseMillis > giveUpAt) throw new LogUnreachable(`${what} failed`, error);
        telling.alarm({ doing: 'reading', failures, waiting: calls.inside, error });
        await pause(pauseMillis);
      } finally {
        done();
        leave();
      }
    }
  };

/**
 * Takes a read to its end. One that is left before must be cancelled: otherwise it keeps one of the connection's
 * hundred places for ever.
 */
const collected = (stream: StreamingRead<ResolvedEvent>, what: string, silenceMillis: number) =>
  new Promise<readonly ResolvedEvent[]>((resolve, reject) => {
    const events: ResolvedEvent[] = [];
    const leave = (error: unknown): void => {
      clearTimeout(timer);
      // A call that never came about cannot be cancelled, and says so.
      stream.cancel().catch(() => undefined);
      reject(error instanceof Error ? error : new Error('the read failed', { cause: error }));
    };
    const timer = setTimeout(() => leave(new Silence(what, silenceMillis)), silenceMillis);
    stream.on('data', (event: ResolvedEvent) => {
      events.push(event);
      timer.refresh();
    });
    // In the same turn: an error that nobody listens to ends the process.
    stream.on('error', leave);
    stream.on('end', () => {
      clearTimeout(timer);
      resolve(events);
    });
  });
