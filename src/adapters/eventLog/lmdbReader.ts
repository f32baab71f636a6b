import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as lmdb from 'lmdb';
import type { Position } from '../../kernel/event.js';
import type { LogRead, StoredEvent } from '../../kernel/ports/eventLog.js';
import { checkLmdbFile, hasLmdbFile } from '../dataFolder/lmdbFile.js';
import { lmdbLook, type LmdbTables } from '../dataFolder/lmdbLook.js';
import type { LmdbEntry, LmdbRange } from '../dataFolder/lmdbTree.js';
import { readSegment } from './lmdb/record.js';

/** There is no log in this folder. Nothing was made. */
export class NoLog extends Error {
  constructor(folder: string) {
    super(`there is no log in ${folder}`);
    this.name = 'NoLog';
  }
}

/**
 * The log of a folder, for looking at, also while a server works on it. Shows what was committed, which may be an instant
 * before it is durable. Opens no LMDB environment, which would harm the server: see `lmdbLook`.
 */
export interface LmdbReader {
  /** As the port's. Throws `DamagedRecord`. */
  readAll(this: void, read: LogRead): readonly StoredEvent[];
  /** How many streams keep only their newest events, of all that have ever been written to. */
  cappedStreams(this: void): number;
  isCapped(this: void, stream: string): boolean;
  /** All that was shown so far is durable when resolved. */
  flushed(this: void): Promise<void>;
  /** Of the log and its index. */
  diskBytes(this: void): number;
  close(this: void): Promise<void>;
}

/** `folder` is that of `lmdbEventLog`. Throws `NoLog` and `DamagedFile`. */
export const lmdbReader = (folder: string): LmdbReader => {
  const [log, index] = [join(folder, 'log'), join(folder, 'index')];
  const file = join(log, dataFile);
  if (!hasLmdbFile(file)) throw new NoLog(folder);
  checkLmdbFile(file);
  // Every record has a checksum.
  const look = lmdbLook({ file, flushing: 'before commit', values: 'checked' });
  if (look.at((tables) => tables.table(segments)) === undefined) {
    look.close();
    throw new NoLog(folder);
  }
  return {
    readAll: (read) =>
      look.at((tables) => (read.direction === 'backwards' ? backwards(tables, read) : forwards(tables, read))),
    cappedStreams: () => look.at((tables) => tables.table(settings)?.entries ?? 0),
    isCapped: (stream) => look.at((tables) => tables.table(settings)?.get(Buffer.from(stream)) !== undefined),
    diskBytes: () => bytesOf(file) + bytesOf(join(index, dataFile)),
    flushed: look.flushed,
    close: () => {
      look.close();
      return Promise.resolve();
    },
  };
};

const dataFile = 'data.mdb';
const [segments, settings] = ['segments', 'settings'];

const forwards = (tables: LmdbTables, { from = 0n, limit }: LogRead): readonly StoredEvent[] => {
  const events: StoredEvent[] = [];
  const wanted = numberOf(from) + 1;
  // The segment that begins before and may reach beyond.
  const [before] = entries(tables, { start: keyOf(wanted), order: 'descending' });
  const start = before?.key ?? keyOf(wanted);
  for (const { key, value } of entries(tables, { start, order: 'ascending' })) {
    for (const event of readSegment(positionOf(key), value).events) if (event.position > from) events.push(event);
    if (events.length >= limit) break;
  }
  return events.slice(0, limit);
};

const backwards = (tables: LmdbTables, { from, limit }: LogRead): readonly StoredEvent[] => {
  const events: StoredEvent[] = [];
  const start = keyOf(from === undefined ? Number.MAX_SAFE_INTEGER : numberOf(from) - 1);
  for (const { key, value } of entries(tables, { start, order: 'descending' })) {
    for (const event of readSegment(positionOf(key), value).events.toReversed())
      if (from === undefined || event.position < from) events.push(event);
    if (events.length >= limit) break;
  }
  return events.slice(0, limit);
};

const entries = (tables: LmdbTables, range: LmdbRange): Iterable<LmdbEntry> =>
  tables.table(segments)?.range(range) ?? [];

// The types of the package leave out how it writes keys.
const { keyValueToBuffer, bufferToKeyValue } = lmdb as unknown as {
  readonly keyValueToBuffer: (key: number) => Uint8Array;
  readonly bufferToKeyValue: (bytes: Uint8Array) => unknown;
};
const keyOf = (position: number): Buffer => Buffer.from(keyValueToBuffer(position));
const positionOf = (key: Buffer): number => Number(bufferToKeyValue(key));

/** Positions stay far below 2^53. */
const numberOf = (position: Position): number => Number(position < beyond ? position : beyond);
const beyond = BigInt(Number.MAX_SAFE_INTEGER - 1);

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
