import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { DamagedFile, hasLmdbFile, metasIn, readAt, type LmdbFlushing, type LmdbMeta } from './lmdbFile.js';
import { lmdbTree, PageGone, type LmdbTable, type Pages } from './lmdbTree.js';

/** The tables of a file as of one moment. */
export type LmdbTables = {
  /** Undefined for one that was never made. */
  readonly table: (name: string) => LmdbTable | undefined;
};

/**
 * An LMDB file, for looking at while another process writes to it. Nothing is written, and no lock is taken: LMDB itself
 * has no way of opening a file that is safe for its writer. `mdb_env_open` writes the number of the last transaction that
 * it has seen into the memory which all processes share, also when it may only read, and puts back the number of one that
 * was committed in the meantime: the writer then builds on the state before, and what it had committed is gone.
 */
export interface LmdbLook {
  /**
   * Gives `work` the tables as of the last commit, and does it again when their pages were used for something else before it
   * was done. So `work` has no effects and keeps nothing that is read later. Throws what `work` throws, and `DamagedFile`.
   */
  at<T>(this: void, work: (tables: LmdbTables) => T): T;
  /** All that was committed before the call is on the disk when resolved. */
  flushed(this: void): Promise<void>;
  close(this: void): void;
}

export type LmdbLookOptions = {
  readonly file: string;
  readonly flushing: LmdbFlushing;
  /** `plain`: large values are believed while their pages cannot have been used again. `checked`: `work` throws where one is damaged. */
  readonly values: 'plain' | 'checked';
};

/** How many times `work` is begun anew: a look takes microseconds, and a page lives for two commits at least. */
const triesMax = 1_000;

/** Throws `DamagedFile`, and the system's error when the file cannot be read. */
export const lmdbLook = (options: LmdbLookOptions): LmdbLook => {
  const { file } = options;
  const handle = openSync(file, 'r');
  const sync = promisify(fdatasync);
  return {
    at: (work) => looked(handle, options, work),
    // Where a file that may only be read cannot be flushed, its writer does that in the same moment.
    flushed: () => sync(handle).catch(() => undefined),
    close: () => {
      closeSync(handle);
    },
  };
};

/** One look at a file; undefined when there is none. */
export const lookedInto = <T>(options: LmdbLookOptions, work: (tables: LmdbTables) => T): T | undefined => {
  if (!hasLmdbFile(options.file)) return undefined;
  const look = lmdbLook(options);
  try {
    return look.at(work);
  } finally {
    look.close();
  }
};

const looked = <T>(handle: number, { file, flushing, values }: LmdbLookOptions, work: (tables: LmdbTables) => T): T => {
  let [former, older]: [LmdbMeta | undefined, number] = [undefined, 0];
  for (let tries = 0; tries < triesMax; tries += 1) {
    const metas = newestFirst(handle, file);
    const [newest] = metas;
    // A failure without a commit in between is damage, which LMDB passes by where it flushes late.
    older = newest.transaction === former?.transaction ? older + 1 : 0;
    const meta = older === 0 ? newest : flushing === 'late' ? metas[older] : undefined;
    if (meta === undefined) break;
    former = newest;
    const isStale = (): boolean => newestFirst(handle, file)[0].transaction > meta.transaction + 1n;
    try {
      return work(tablesOf({ handle, meta, isStale, values }));
    } catch (error) {
      if (!(error instanceof PageGone) && !isStale()) throw error;
    }
  }
  throw new DamagedFile(file, 'its pages do not belong together');
};

/** Read until two readings are the same, because they are written in place. */
const newestFirst = (handle: number, file: string): readonly [LmdbMeta, ...LmdbMeta[]] => {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const [one, other] = [metasIn(handle), metasIn(handle)];
    const [newest, ...rest] = one.toSorted((a, b) => (a.transaction > b.transaction ? -1 : 1));
    if (newest === undefined) break;
    if (one.every((meta, index) => isSame(meta, other[index]))) return [newest, ...rest];
  }
  throw new DamagedFile(file, 'its meta pages are none');
};

const isSame = (one: LmdbMeta, other: LmdbMeta | undefined): boolean =>
  one.transaction === other?.transaction && one.roots.every((root, index) => root === other.roots[index]);

type Moment = {
  readonly handle: number;
  readonly meta: LmdbMeta;
  /** Pages of the moment may have been used again: LMDB leaves those of the last state and of the one before alone. */
  readonly isStale: () => boolean;
  readonly values: LmdbLookOptions['values'];
};

const tablesOf = (moment: Moment): LmdbTables => {
  const pages = pagesOf(moment);
  const { mainRoot } = moment.meta;
  const main = lmdbTree(pages, { root: mainRoot, entries: 0 });
  return { table: (name) => main.tableNamed(name) };
};

// The layout of liblmdb as the package lmdb builds it: a page begins with its number and the transaction that wrote it.
const stampBytes = 16;

/**
 * Pages are read one by one and looked at again afterwards: a page that was used for something else has another number or
 * a later transaction at its beginning, which is written first.
 */
const pagesOf = ({ handle, meta, isStale, values }: Moment): Pages => {
  const { pageBytes, transaction } = meta;
  const isOwn = (stamp: Buffer | undefined, page: bigint): boolean =>
    stamp?.readBigUInt64LE(0) === page && stamp.readBigUInt64LE(8) <= transaction;
  const read = (page: bigint, count: number): Buffer => {
    const at = Number(page) * pageBytes;
    const bytes = readAt(handle, at, count * pageBytes);
    if (bytes === undefined || !isOwn(bytes, page) || !isOwn(readAt(handle, at, stampBytes), page))
      throw new PageGone();
    // The pages behind the first one have no number.
    if (count > 1 && values === 'plain' && isStale()) throw new PageGone();
    return bytes;
  };
  return { pageBytes, read };
};
