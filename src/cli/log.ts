import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, type Position } from '../kernel/event.js';
import type { LogRead, StoredEvent } from '../kernel/ports/eventLog.js';
import { parsedJson } from '../kernel/json.js';
import { printable } from './printable.js';

/** The log of a data folder, on which a server may be at work. */
export interface LogFolder {
  readAll(this: void, read: LogRead): readonly StoredEvent[];
  cappedStreams(this: void): number;
  isCapped(this: void, stream: string): boolean;
  diskBytes(this: void): number;
}

export type TailOptions = {
  /** Begin after it. Default: `limit` events before the end. */
  readonly from?: Position;
  /** Default: 20, or with `from` all. With `follow` new events come on top. */
  readonly limit?: number;
  readonly follow: boolean;
  readonly json: boolean;
  readonly output: NodeJS.WritableStream;
  /** Ends following. */
  readonly signal: AbortSignal;
};

export const tailEventsDefault = 20;
const batchEventsMax = 1_000;
/** How often a log is looked at that is followed. */
const followMillis = 200;

/** Writes one event per line. */
export const tailLog = async (log: LogFolder, options: TailOptions): Promise<void> => {
  const { from, limit, follow, signal } = options;
  const before = from ?? lastBefore(log, limit ?? tailEventsDefault);
  let last = await writeAfter(log, before, { ...options, limit: from === undefined ? undefined : limit });
  while (follow && !signal.aborted) {
    await pause(followMillis, undefined, { signal }).catch(() => undefined);
    last = await writeAfter(log, last, { ...options, limit: undefined });
  }
};

/** The position behind which the log has at most `count` events. */
const lastBefore = (log: LogFolder, count: number): Position => {
  let first: Position | undefined;
  for (let left = count; left > 0; left -= batchEventsMax) {
    const limit = Math.min(left, batchEventsMax);
    const events = log.readAll({ direction: 'backwards', limit, ...(first === undefined ? {} : { from: first }) });
    first = events.at(-1)?.position ?? first;
    if (events.length < limit) break;
  }
  if (count === 0) return log.readAll({ direction: 'backwards', limit: 1 })[0]?.position ?? beforeAll;
  return first === undefined ? beforeAll : first - 1n;
};

type Writing = Pick<TailOptions, 'json' | 'output' | 'signal'> & { readonly limit: number | undefined };

/** Gives the position of the last event that was written. */
const writeAfter = async (
  log: LogFolder,
  position: Position,
  { json, output, signal, limit = Infinity }: Writing,
): Promise<Position> => {
  const lineOf = json ? jsonLine : textLine;
  let last = position;
  for (const events of batchesAfter(log, position, limit)) {
    last = events.at(-1)?.position ?? last;
    const text = events.map((event) => `${lineOf(event)}\n`).join('');
    if (!output.write(text)) await once(output, 'drain', { signal }).catch(() => undefined);
    if (signal.aborted) break;
  }
  return last;
};

const batchesAfter = function* (log: LogFolder, after: Position, count: number): Generator<readonly StoredEvent[]> {
  let from = after;
  for (let left = count; left > 0;) {
    const events = log.readAll({ from, limit: Math.min(left, batchEventsMax) });
    const last = events.at(-1);
    if (last === undefined) return;
    yield events;
    from = last.position;
    left -= events.length;
  }
};

const textLine = ({ position, at, type, stream, revision, data }: StoredEvent): string =>
  printable(
    `${position.toString()} ${timeOf(at)} ${type} ${stream}@${revision.toString()} ${JSON.stringify(shown(data))}`,
  );

const jsonLine = ({ position, at, stream, revision, id, type, data, metadata }: StoredEvent): string =>
  JSON.stringify({
    position: position.toString(),
    at: timeOf(at),
    stream,
    revision: revision.toString(),
    id,
    type,
    data: shown(data),
    metadata: shown(metadata),
  });

const timeOf = (at: number): string => new Date(at).toISOString();

/** The part of the bytes that can be shown without keys. */
const shown = (bytes: Uint8Array): unknown => {
  try {
    const parsed: unknown = parsedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed;
    return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, shownField(name, value)]));
  } catch {
    return `‹not JSON, ${bytes.length.toString()} bytes›`;
  }
};

const sealedNames: ReadonlySet<string> = new Set(['sealed', 'sealedApart']);
const shownField = (name: string, value: unknown): unknown =>
  sealedNames.has(name) && typeof value === 'string' ? `‹sealed, ${value.length.toString()} bytes›` : value;

type Tally = { readonly events: number; readonly bytes: number };

/** Reads the whole log and gives what is in it, as lines. */
export const logStats = (log: LogFolder): readonly string[] => {
  const types = new Map<string, Tally>();
  let first: StoredEvent | undefined;
  let last: StoredEvent | undefined;
  let streams = log.cappedStreams();
  for (const events of batchesAfter(log, beforeAll, Infinity)) {
    first ??= events[0];
    last = events.at(-1);
    for (const event of events) {
      count(types, event);
      // The first event of a capped stream may be gone; those are counted above.
      if (event.revision === 0n && !log.isCapped(event.stream)) streams += 1;
    }
  }
  const sorted = [...types].sort(([, one], [, other]) => other.bytes - one.bytes);
  const all = [...types.values()].reduce(sum, nothing);
  return [
    `events   ${all.events.toString()}`,
    `streams  ${streams.toString()}`,
    `first    ${placeOf(first)}`,
    `last     ${placeOf(last)}`,
    `on disk  ${log.diskBytes().toString()} bytes`,
    '',
    ...table([
      ['type', 'events', 'bytes'],
      ...sorted.map(([type, tally]) => [printable(type), tally.events.toString(), tally.bytes.toString()]),
      ['all', all.events.toString(), all.bytes.toString()],
    ]),
  ];
};

const nothing: Tally = { events: 0, bytes: 0 };

const sum = (one: Tally, other: Tally): Tally => ({
  events: one.events + other.events,
  bytes: one.bytes + other.bytes,
});

const count = (types: Map<string, Tally>, { type, data, metadata }: StoredEvent): void => {
  types.set(type, sum(types.get(type) ?? nothing, { events: 1, bytes: data.length + metadata.length }));
};

const placeOf = (event: StoredEvent | undefined): string =>
  event === undefined ? 'none' : `${timeOf(event.at)}, position ${event.position.toString()}`;

/** The first column to the left, the others to the right. */
const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('  '));
};
