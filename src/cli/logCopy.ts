import { beforeAll } from '../kernel/event.js';
import {
  InvalidAppend,
  VersionConflict,
  type EventLog,
  type ExpectedRevision,
  type StoredEvent,
} from '../kernel/ports/eventLog.js';
import { PlainError } from './plainError.js';

export type CopyOptions = {
  readonly from: EventLog;
  readonly to: EventLog;
  readonly progress: (progress: CopyProgress) => void;
  /** Stops the copy. Copied events stay, and the next copy goes on from there. */
  readonly signal: AbortSignal;
};

export type CopyProgress = { readonly doing: 'comparing' | 'copying' | 'verifying'; readonly events: number };

export type Copied = {
  /** By this run. */
  readonly copied: number;
  /** Held by `to` before. */
  readonly found: number;
  /** Read from both after the copy, and the same. */
  readonly verified: number;
  /** Of data and metadata that were compared. */
  readonly bytes: number;
  /** Streams whose max count was compared. */
  readonly capped: number;
};

/**
 * Copies the events of a log in their order, with their ids and bytes, into another one that is empty or holds the
 * beginning of this copy; then reads both and compares. Nobody else may write to either meanwhile. Events that a max
 * count has cut stay behind, so the revisions of such a stream begin at 0 again. Throws `PlainError` when `to` holds
 * anything else, and when the copy is not the same.
 */
export const copyLog = async (options: CopyOptions): Promise<Copied> => {
  const source = kept(options.from, options.signal);
  const before = await compared(source, options, 'comparing');
  const copied = await copyRest(before.next, source, options);
  const after = await compared(kept(options.from, options.signal), options, 'verifying');
  if (after.next !== undefined) throw new PlainError(`the copy ends before ${placeOf(after.next.event)}`);
  const { events, bytes, capped } = after;
  return { copied, found: before.events, verified: events, bytes, capped };
};

const pageEventsMax = 1_000;
/** Appends on their way at a time. */
const inFlightMax = 256;
/** Streams that are remembered, at about 150 bytes each. The log is asked again for a stream that was forgotten. */
const streamsMax = 200_000;

type Stream = { readonly maxCount: number | undefined; readonly first: bigint };

/** An event that still matters, and its stream. */
type Kept = { readonly event: StoredEvent; readonly stream: Stream };

/** The events that no max count has cut: a log may still show the others, and need not. */
const kept = async function* (log: EventLog, signal: AbortSignal): AsyncGenerator<Kept, undefined> {
  const streams = new Map<string, Stream>();
  for await (const page of pages(log, signal)) {
    const unknown = new Set(page.map(({ stream }) => stream).filter((stream) => !streams.has(stream)));
    const asked = await Promise.all([...unknown].map(async (name) => [name, await streamOf(log, name)] as const));
    for (const [name, stream] of asked) streams.set(name, stream);
    for (const event of page) {
      const stream = streams.get(event.stream);
      if (stream !== undefined && event.revision >= stream.first) yield { event, stream };
    }
    forgetOldest(streams);
  }
  return undefined;
};

const streamOf = async (log: EventLog, name: string): Promise<Stream> => {
  const maxCount = await log.maxCountOf(name);
  if (maxCount === undefined) return { maxCount, first: 0n };
  const [oldest] = await log.readStream(name, { limit: 1 });
  return { maxCount, first: oldest?.revision ?? 0n };
};

const forgetOldest = (streams: Map<string, Stream>): void => {
  for (const name of streams.keys()) {
    if (streams.size <= streamsMax) return;
    streams.delete(name);
  }
};

const pages = async function* (log: EventLog, signal: AbortSignal): AsyncGenerator<readonly StoredEvent[], undefined> {
  for (let from = beforeAll; ;) {
    if (signal.aborted) throw new PlainError('stopped; the same command goes on from here');
    const page = await log.readAll({ from, limit: pageEventsMax });
    const last = page.at(-1);
    if (last === undefined) return undefined;
    yield page;
    from = last.position;
  }
};

type Compared = {
  readonly events: number;
  readonly bytes: number;
  readonly capped: number;
  /** The first that the target does not have. */
  readonly next: Kept | undefined;
};

/** Takes events off the source for as long as the target has the same. */
const compared = async (
  source: AsyncGenerator<Kept, undefined>,
  { to, progress, signal }: CopyOptions,
  doing: CopyProgress['doing'],
): Promise<Compared> => {
  let [events, bytes, capped] = [0, 0, 0];
  for await (const page of pages(to, signal)) {
    for (const copy of page) {
      const { value: original } = await source.next();
      const difference = original === undefined ? 'is not in the source' : differenceOf(original, copy);
      if (difference !== undefined) throw new PlainError(`in the target, ${placeOf(copy)} ${difference}`);
      events += 1;
      bytes += copy.data.length + copy.metadata.length;
      if (copy.revision === 0n && original?.stream.maxCount !== undefined) {
        await checkMaxCount(to, copy.stream, original.stream.maxCount);
        capped += 1;
      }
    }
    progress({ doing, events });
  }
  const { value: next } = await source.next();
  return { events, bytes, capped, next };
};

const differenceOf = ({ event, stream }: Kept, copy: StoredEvent): string | undefined => {
  if (copy.id !== event.id) return `stands where the source has ${placeOf(event)}`;
  if (copy.stream !== event.stream || copy.revision !== event.revision - stream.first)
    return `is ${placeOf(event)} in the source`;
  if (copy.type !== event.type) return `has another type than in the source: ${event.type}`;
  return same(copy.data, event.data) && same(copy.metadata, event.metadata)
    ? undefined
    : 'has other bytes than in the source';
};

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

const placeOf = ({ id, type, stream, revision }: StoredEvent): string =>
  `event ${id} (${type}, ${stream}@${revision.toString()})`;

const checkMaxCount = async (to: EventLog, stream: string, maxCount: number): Promise<void> => {
  const copied = await to.maxCountOf(stream);
  if (copied === maxCount) return;
  throw new PlainError(
    `in the target, ${stream} has the max count ${String(copied)}, in the source ${maxCount.toString()}`,
  );
};

/** Appends in the order of the source: the port's positions follow the order of the calls. */
const copyRest = async (
  first: Kept | undefined,
  rest: AsyncGenerator<Kept, undefined>,
  { to, progress }: CopyOptions,
): Promise<number> => {
  const flight = inFlight();
  let copied = 0;
  try {
    for (let next = first; next !== undefined; next = (await rest.next()).value) {
      const { event, stream } = next;
      const revision = event.revision - stream.first;
      // Before its first event, and only what it leaves is copied: so it cuts nothing, and a retry is recognised.
      if (revision === 0n && stream.maxCount !== undefined) await to.setMaxCount(event.stream, stream.maxCount);
      const expected: ExpectedRevision = revision === 0n ? 'noStream' : revision - 1n;
      await flight.add(to.append(event.stream, [event], expected));
      copied += 1;
      if (copied % pageEventsMax === 0) progress({ doing: 'copying', events: copied });
    }
  } finally {
    await flight.landed();
  }
  flight.check();
  return copied;
};

type Flight = {
  /** Waits until there is room. Throws what an earlier one failed with. */
  readonly add: (append: Promise<unknown>) => Promise<void>;
  readonly landed: () => Promise<void>;
  readonly check: () => void;
};

const inFlight = (): Flight => {
  const appends: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  const check = (): void => {
    if (failures.length > 0) throw plainly(failures[0]);
  };
  return {
    add: async (append) => {
      appends.push(append.catch((error: unknown) => failures.push(error)));
      if (appends.length >= inFlightMax) await appends.shift();
      check();
    },
    landed: async () => {
      await Promise.all(appends);
    },
    check,
  };
};

/** Of a target that passed the comparison, only somebody who writes to it meanwhile makes a conflict. */
const plainly = (error: unknown): unknown =>
  error instanceof VersionConflict || error instanceof InvalidAppend
    ? new PlainError(`the target does not take the copy: ${error.message}`, { cause: error })
    : error;
