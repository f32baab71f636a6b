import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import type { Position } from '../../kernel/event.js';
import type { LogRead, StoredEvent } from '../../kernel/ports/eventLog.js';
import { checkLmdbFile } from '../dataFolder/lmdbFile.js';
import { readSegment } from './lmdb/record.js';

/** There is no log in this folder. Nothing was made. */
export class NoLog extends Error {
  constructor(folder: string) {
    super(`there is no log in ${folder}`);
    this.name = 'NoLog';
  }
}

/** The log of a folder, for looking at, also while a server works on it. Shows what is durable, and changes nothing. */
export interface LmdbReader {
  /** As the port's. Throws `DamagedRecord`. */
  readAll(this: void, read: LogRead): readonly StoredEvent[];
  /** How many streams keep only their newest events, of all that have ever been written to. */
  cappedStreams(this: void): number;
  isCapped(this: void, stream: string): boolean;
  /** Of the log and its index. */
  diskBytes(this: void): number;
  close(this: void): Promise<void>;
}

type Tables = { readonly segments: Database<Buffer, number>; readonly settings: Database<Buffer, Buffer> };

/** `folder` is that of `lmdbEventLog`. Throws `NoLog` and `DamagedFile`. */
export const lmdbReader = (folder: string): LmdbReader => {
  const [log, index] = [join(folder, 'log'), join(folder, 'index')];
  if (!existsSync(join(log, dataFile))) throw new NoLog(folder);
  checkLmdbFile(join(log, dataFile));
  const root = open({ path: log, noSubdir: false, encoding: 'binary', readOnly: true });
  const { segments, settings } = tablesOf(root) ?? emptied(root, folder);
  return {
    readAll: (read) => {
      // Without this it would go on seeing what there was when it first looked.
      root.resetReadTxn();
      return read.direction === 'backwards' ? backwards(segments, read) : forwards(segments, read);
    },
    cappedStreams: () => settings.getKeysCount(),
    isCapped: (stream) => settings.doesExist(Buffer.from(stream)),
    diskBytes: () => bytesOf(join(log, dataFile)) + bytesOf(join(index, dataFile)),
    close: () => root.close(),
  };
};

const dataFile = 'data.mdb';

const tablesOf = (root: RootDatabase): Tables | undefined => {
  // A table that cannot be made because one may only read is undefined, which the library's types do not say.
  const segments = root.openDB<Buffer, number>('segments', { encoding: 'binary' }) as Tables['segments'] | undefined;
  const settings = root.openDB<Buffer, Buffer>('settings', { encoding: 'binary', keyEncoding: 'binary' });
  return segments === undefined ? undefined : { segments, settings };
};

const emptied = (root: RootDatabase, folder: string): never => {
  void root.close();
  throw new NoLog(folder);
};

const forwards = (segments: Tables['segments'], { from = 0n, limit }: LogRead): readonly StoredEvent[] => {
  const events: StoredEvent[] = [];
  const wanted = numberOf(from) + 1;
  // The segment that begins before and may reach beyond.
  const [start = wanted] = segments.getKeys({ start: wanted, reverse: true, limit: 1 });
  for (const { key, value } of segments.getRange({ start })) {
    for (const event of readSegment(key, value).events) if (event.position > from) events.push(event);
    if (events.length >= limit) break;
  }
  return events.slice(0, limit);
};

const backwards = (segments: Tables['segments'], { from, limit }: LogRead): readonly StoredEvent[] => {
  const events: StoredEvent[] = [];
  const start = from === undefined ? Number.MAX_SAFE_INTEGER : numberOf(from) - 1;
  for (const { key, value } of segments.getRange({ start, reverse: true })) {
    for (const event of readSegment(key, value).events.toReversed())
      if (from === undefined || event.position < from) events.push(event);
    if (events.length >= limit) break;
  }
  return events.slice(0, limit);
};

/** Positions stay far below 2^53. */
const numberOf = (position: Position): number => Number(position < beyond ? position : beyond);
const beyond = BigInt(Number.MAX_SAFE_INTEGER - 1);

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
