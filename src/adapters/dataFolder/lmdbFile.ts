import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { checkLinks } from './links.js';
import { noRoot } from './lmdbTree.js';

/** The file is no LMDB file any more. LMDB trusts such files, and a process that opens one may end by a signal. */
export class DamagedFile extends Error {
  constructor(file: string, why: string) {
    super(`${file} is damaged (${why}): restore it from a backup`);
    this.name = 'DamagedFile';
  }
}

/**
 * Whether LMDB would find a file there, and would not begin a new one. Throws `DanglingLink`: a file on a disk that is not
 * mounted is not missing.
 */
export const hasLmdbFile = (file: string): boolean => {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) checkLinks(file);
  return (found?.size ?? 0) > 0;
};

/** `late`: pages may reach the disk after the meta page that names them; LMDB then goes back to an earlier state. */
export type LmdbFlushing = 'before commit' | 'late';

/**
 * Looks at both meta pages and the size of an LMDB file, which is what LMDB itself believes unseen. A file that is not
 * there, or empty, is in order. Throws `DamagedFile`, and the system's error when the file cannot be read.
 */
export const checkLmdbFile = (file: string, flushing: LmdbFlushing = 'before commit'): void => {
  if (!hasLmdbFile(file)) return;
  const handle = openSync(file, 'r');
  try {
    const why = lastingDamageIn(handle, flushing);
    if (why !== undefined) throw new DamagedFile(file, why);
  } finally {
    closeSync(handle);
  }
};

/** Another process may write to the file: pages that its newest state named may be used again once there are newer ones. */
const lastingDamageIn = (handle: number, flushing: LmdbFlushing): string | undefined => {
  for (let seen = newestIn(handle); ;) {
    const why = damageIn(handle, flushing);
    const newest = newestIn(handle);
    if (why === undefined || newest === seen) return why;
    seen = newest;
  }
};

const newestIn = (handle: number): bigint =>
  metasIn(handle).reduce((newest, { transaction }) => (transaction > newest ? transaction : newest), 0n);

// The layout of liblmdb as the package lmdb builds it: a header of 24 bytes, then MDB_meta.
const headerBytes = 24;
const metaBytes = 160;
const flagsAt = 18;
const metaFlag = 0x08;
const magicAt = headerBytes;
const magic = 0xbeefc0de;
const mapSizeAt = headerBytes + 16;
const pageSizeAt = 48;
const pageBytesMin = 256;
const pageBytesMax = 65_536;
const rootsAt = [88, 136] as const;
const lastPageAt = 144;
const transactionAt = 152;

/** One state of the file, as a meta page describes it. */
export type LmdbMeta = {
  readonly roots: readonly bigint[];
  /** Of the table that names the others. */
  readonly mainRoot: bigint;
  readonly transaction: bigint;
  readonly pageBytes: number;
};

const damageIn = (handle: number, flushing: LmdbFlushing): string | undefined => {
  const pageBytes = pageBytesIn(handle);
  if (pageBytes === undefined) return 'its first meta page does not say how large a page is';
  const metas: LmdbMeta[] = [];
  for (const [index, name] of ['first', 'second'].entries()) {
    const meta = metaIn(readAt(handle, index * pageBytes, metaBytes), pageBytes);
    if (meta === undefined) return `its ${name} meta page is none`;
    metas.push(meta);
  }
  // Behind the states, since a file grows before a state names what it grew by.
  const pages = BigInt(Math.floor(fstatSync(handle).size / pageBytes));
  const isWhole = (meta: LmdbMeta): boolean => meta.roots.every((root) => isPage(handle, root, { pages, pageBytes }));
  // The meta page of the older transaction may name pages that have been used again since.
  const newest = metas.toSorted((one, other) => (one.transaction > other.transaction ? -1 : 1)).slice(0, 1);
  if ((flushing === 'late' ? metas : newest).some(isWhole)) return undefined;
  return 'it is shorter than it says, or pages that everything hangs on are missing';
};

const pageBytesIn = (handle: number): number | undefined => {
  const pageBytes = readAt(handle, 0, metaBytes)?.readUInt32LE(pageSizeAt) ?? 0;
  const isPageSize = pageBytes >= pageBytesMin && pageBytes <= pageBytesMax && (pageBytes & (pageBytes - 1)) === 0;
  return isPageSize ? pageBytes : undefined;
};

/** Of both meta pages, and of the third that a file with late flushing has in the middle of its first page. */
export const metasIn = (handle: number): readonly LmdbMeta[] => {
  const pageBytes = pageBytesIn(handle);
  if (pageBytes === undefined) return [];
  const [first, second] = [0, 1].map((page) => readAt(handle, page * pageBytes, metaBytes));
  const flushed = readAt(handle, pageBytes / 2, metaBytes);
  // It has only the fields that change, so the others are those of the first page.
  flushed?.set(first?.subarray(0, mapSizeAt) ?? [], 0);
  return [first, second, flushed].flatMap((page, index) => {
    const meta = metaIn(page, pageBytes);
    return meta === undefined || (index === 2 && meta.transaction === 0n) ? [] : [meta];
  });
};

const metaIn = (page: Buffer | undefined, pageBytes: number): LmdbMeta | undefined => {
  if (page === undefined) return undefined;
  if ((page.readUInt16LE(flagsAt) & metaFlag) === 0 || page.readUInt32LE(magicAt) !== magic) return undefined;
  if (page.readUInt32LE(pageSizeAt) !== pageBytes) return undefined;
  const [roots, last] = [rootsAt.map((at) => page.readBigUInt64LE(at)), page.readBigUInt64LE(lastPageAt)];
  if (roots.some((root) => root !== noRoot && root > last)) return undefined;
  const mainRoot = page.readBigUInt64LE(rootsAt[1]);
  return { roots, mainRoot, transaction: page.readBigUInt64LE(transactionAt), pageBytes };
};

type Pages = { readonly pages: bigint; readonly pageBytes: number };

/** Every page begins with its own number. */
const isPage = (handle: number, page: bigint, { pages, pageBytes }: Pages): boolean => {
  if (page === noRoot) return true;
  if (page >= pages) return false;
  return readAt(handle, Number(page) * pageBytes, 8)?.readBigUInt64LE(0) === page;
};

/** Undefined where the file ends before. */
export const readAt = (handle: number, at: number, bytes: number): Buffer | undefined => {
  const buffer = Buffer.alloc(bytes);
  return readSync(handle, buffer, 0, bytes, at) === bytes ? buffer : undefined;
};
