import { join } from 'node:path';
import type { Database } from 'lmdb';
import { dataFileIn, openEnvironment, type LmdbEnvironment } from './environment.js';

export type LogTables = {
  /** Position of the first record → segment, see `record.ts`. */
  readonly segments: Database<Buffer, number>;
  /** Stream → its settings, for the streams that have some. */
  readonly settings: Database<Buffer, Buffer>;
};

/** The data that must not be lost. Everything else follows from it. */
export type LogStore = LmdbEnvironment<LogTables>;

/** The environment with the data, below the folder of the log. */
export const logIn = (folder: string): string => join(folder, 'log');
export const logFileIn = (folder: string): string => dataFileIn(logIn(folder));

export const openLogStore = (folder: string): LogStore =>
  openEnvironment(logIn(folder), (root) => ({
    segments: root.openDB<Buffer, number>('segments', { encoding: 'binary' }),
    settings: root.openDB<Buffer, Buffer>('settings', { encoding: 'binary', keyEncoding: 'binary' }),
  }));

export type Settings = {
  readonly maxCount: number;
  /** Revisions below it were cut by an earlier, smaller max count, and stay so. */
  readonly floor: number;
};

const noSettings: Settings = { maxCount: Number.POSITIVE_INFINITY, floor: 0 };

export const settingsOf = (store: LogStore, stream: string): Settings => {
  const held = store.tables.settings.getBinaryFast(Buffer.from(stream));
  return held === undefined ? noSettings : { maxCount: held.readDoubleBE(0), floor: held.readDoubleBE(8) };
};

/** To be called inside a commit. */
export const putSettings = ({ settings }: LogTables, stream: string, { maxCount, floor }: Settings): void => {
  const value = Buffer.alloc(16);
  value.writeDoubleBE(maxCount, 0);
  value.writeDoubleBE(floor, 8);
  // The commit that this is part of tells how it went.
  void settings.put(Buffer.from(stream), value);
};

/** The first revision that the stream's settings leave, when `last` is its last. */
export const firstKept = ({ maxCount, floor }: Settings, last: number): number => Math.max(floor, last + 1 - maxCount);
