import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { open, opendir, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import pLimit from 'p-limit';
import {
  BlobsAway,
  blobBytesMax,
  blobsPerCallMax,
  checkedBlobBytes,
  checkedBlobName,
  checkedBlobNames,
  checkedBlobPage,
  checkedBlobRange,
  type BlobEntry,
  type BlobPage,
  type BlobRange,
  type Blobs,
} from '../../kernel/ports/blobs.js';
import { makeFolder } from '../dataFolder/makeFolder.js';
import { syncFolder } from '../dataFolder/wholeFile.js';

/** The part below the folder that is being written. No name of a blob begins with a dot. */
const unfinishedName = '.unfinished';

/** A file of this age that is still being written belongs to a process that ended. Other nodes may share the folder. */
export const unfinishedMillisMax = 3_600_000;

/**
 * Of the threads that read and flush files, blobs take half at a time: the log waits for the same threads, and with it everybody who
 * writes a message.
 */
export const blobWorksAtOnceMax = (poolSize: number): number => Math.max(1, Math.floor(poolSize / 2));

/** A folder that a removal takes away while a put makes its file there is made again, so often. */
const triesMax = 5;

/**
 * One file for each blob, below `folder`, for the owner alone. The folder is made at the first put. A blob is written beside and put
 * in its place in one step, with both the file and the names on the way to it on the disk. At most `worksAtOnceMax` reads and
 * writes go on at a time.
 */
export const fileBlobs = (folder: string, worksAtOnceMax: number): Blobs => {
  // Each work has one thread at a time.
  const limited = pLimit(worksAtOnceMax);
  const place: Place = { folder, sync: sharedSyncs((one) => limited(() => syncFolder(one))), limited };
  const pathOf = (name: string): string => join(folder, ...checkedBlobName(name).split('/'));
  return {
    put: async (name, bytes) => {
      const path = pathOf(name);
      checkedBlobBytes(bytes);
      await told('storing', () => written(place, path, bytes));
    },
    get: async (name, range) => {
      const path = pathOf(name);
      const part = range && checkedBlobRange(range);
      return told('reading', () => limited(() => readFrom(path, part)));
    },
    list: async (prefix, page) => {
      const { limit } = checkedBlobPage(prefix, page);
      return told('listing', async () => {
        const found: BlobEntry[] = [];
        if (limit === 0) return found;
        for await (const entry of entriesIn({ folder, prefix, page }, folderOf(prefix)))
          if (found.push(entry) === limit) break;
        return found;
      });
    },
    walk: (prefix) => {
      checkedBlobPage(prefix, { limit: 0 });
      return walkedIn(folder, prefix);
    },
    remove: async (names) => {
      checkedBlobNames(names);
      await told('removing', () => removed(folder, names.map(pathOf)));
    },
    close: () => Promise.resolve(),
  };
};

/** Removes files that a process left half written. Others that are being written now stay. */
export const withoutUnfinished = async (folder: string, now: number): Promise<void> => {
  const unfinished = join(folder, unfinishedName);
  for (const name of await namesIn(unfinished)) {
    const path = join(unfinished, name);
    const found = await stat(path).catch(absent);
    if (found !== undefined && now - found.mtimeMs > unfinishedMillisMax) await rm(path, { force: true });
  }
};

/** The files of all blobs, absolute. */
export const blobPathsIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && basename(entry.parentPath) !== unfinishedName)
    .map((entry) => join(entry.parentPath, entry.name));

/** The bytes of all blobs. Counts while their owner goes on, without keeping the thread. Rejects as `copyBlobs` does. */
export const blobBytesIn = async (folder: string, signal: AbortSignal): Promise<number> => {
  let bytes = 0;
  for await (const path of pathsBelow(folder)) {
    signal.throwIfAborted();
    bytes += (await stat(path).catch(absent))?.size ?? 0;
  }
  return bytes;
};

/**
 * Copies all blobs while their owner goes on; one that is removed meanwhile is left out. On the disk when resolved. Rejects
 * with the signal's reason before the next blob once that is raised.
 */
export const copyBlobs = async (from: string, to: string, signal: AbortSignal): Promise<void> => {
  makeFolder(to);
  const place: Place = { folder: to, sync: syncFolder, limited: (work) => work() };
  for await (const path of pathsBelow(from)) {
    signal.throwIfAborted();
    const bytes = await readFrom(path, undefined);
    if (bytes !== undefined) await written(place, join(to, relative(from, path)), bytes);
  }
  await rm(join(to, unfinishedName), { recursive: true, force: true });
};

/** Of all blobs, in no order, a few at a time: a folder may have very many entries. Blobs that go meanwhile are passed over. */
const pathsBelow = async function* (folder: string): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(absent);
  if (entries === undefined) return;
  try {
    for await (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) yield* pathsBelow(path);
      else if (entry.isFile()) yield path;
    }
  } catch (error) {
    absent(error);
  }
};

/** Each folder is read once, a few entries at a time. */
const walkedIn = async function* (folder: string, prefix: string): AsyncGenerator<readonly BlobEntry[]> {
  let page: BlobEntry[] = [];
  try {
    for await (const path of pathsBelow(join(folder, folderOf(prefix)))) {
      const name = relative(folder, path).split(sep).join('/');
      const file = name.startsWith(prefix) ? await stat(path).catch(absent) : undefined;
      if (file === undefined) continue;
      page.push({ name, bytes: file.size });
      if (page.length < blobsPerCallMax) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    throw new BlobsAway('walking through the blobs', error);
  }
  if (page.length > 0) yield page;
};

type Place = {
  readonly folder: string;
  /** Resolves once all names that the folder had at the call are on the disk. */
  readonly sync: (folder: string) => Promise<void>;
  /** Does the work when few others are under way. */
  readonly limited: (work: () => Promise<void>) => Promise<void>;
};

/** One sync of a folder serves all that asked for it before it began. Nothing is kept longer than somebody waits. */
export const sharedSyncs = (sync: (folder: string) => Promise<void>): Place['sync'] => {
  const running = new Map<string, Promise<void>>();
  const coming = new Map<string, Promise<void>>();
  const begin = (folder: string): Promise<void> => {
    coming.delete(folder);
    const now = sync(folder).finally(() => running.delete(folder));
    running.set(folder, now);
    return now;
  };
  return (folder) => {
    const next = coming.get(folder);
    if (next !== undefined) return next;
    const before = running.get(folder);
    if (before === undefined) return begin(folder);
    // Whether the one before failed is told to those who waited for it.
    const own = before.then(
      () => begin(folder),
      () => begin(folder),
    );
    coming.set(folder, own);
    return own;
  };
};

const written = async ({ folder, sync, limited }: Place, path: string, bytes: Uint8Array): Promise<void> => {
  const unfinished = join(folder, unfinishedName);
  makeFolder(unfinished);
  const next = join(unfinished, randomUUID());
  try {
    await limited(async () => {
      await flushed(next, bytes);
      await moved(next, path);
    });
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  await Promise.all(foldersTo(folder, path).map(sync));
};

/** Writes a file that was not there, and has it on the disk. */
const flushed = async (path: string, bytes: Uint8Array): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
};

const moved = async (from: string, to: string): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    makeFolder(dirname(to));
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (!isAbsent(error) || tries === triesMax) throw error;
    }
  }
};

/** From the innermost to the folder itself. */
const foldersTo = (folder: string, path: string): readonly string[] => {
  const folders: string[] = [];
  for (let above = dirname(path); above.length >= folder.length; above = dirname(above)) {
    folders.push(above);
    if (above === folder) break;
  }
  return folders;
};

const readFrom = async (path: string, range: BlobRange | undefined): Promise<Uint8Array | undefined> => {
  const file = await open(path, 'r').catch(absent);
  if (file === undefined) return undefined;
  try {
    // Asking the system for the length is a work for a thread, as reading is.
    if (range !== undefined) return await readUpTo(file, { ...range, length: Math.min(range.length, blobBytesMax) });
    const found = await file.stat();
    if (!found.isFile()) return undefined;
    const bytes = await readUpTo(file, { from: 0, length: found.size });
    if (bytes.length < found.size) throw new Error(`${path} ends before its size`);
    return bytes;
  } catch (error) {
    if (hasCode(error, folderCodes)) return undefined;
    throw error;
  } finally {
    await file.close();
  }
};

/** All that the file has of the range. */
const readUpTo = async (file: FileHandle, { from, length }: BlobRange): Promise<Uint8Array> => {
  // Of a view on its own memory, so that nobody takes it for a Buffer; all of it that is given out is written over.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
    if (bytesRead === 0) return bytes.slice(0, filled);
    filled += bytesRead;
  }
  return bytes;
};

type Listing = { readonly folder: string; readonly prefix: string; readonly page: BlobPage };

/** In the order of whole names: that of a folder counts with the slash behind it. */
const entriesIn = async function* (listing: Listing, within: string): AsyncGenerator<BlobEntry> {
  const { folder, prefix, page } = listing;
  const found = await readdir(join(folder, ...within.split('/')), { withFileTypes: true }).catch(absent);
  const entries = (found ?? [])
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
    .map((entry) => `${within}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort();
  for (const name of entries) {
    const isFolder = name.endsWith('/');
    const mayHold = name.startsWith(prefix) || (isFolder && prefix.startsWith(name));
    if (!mayHold || isBefore(name, page.after)) continue;
    if (isFolder) yield* entriesIn(listing, name);
    else {
      const file = await stat(join(folder, ...name.split('/'))).catch(absent);
      if (file !== undefined) yield { name, bytes: file.size };
    }
  }
};

/** The deepest folder that holds all names with the prefix, because those beside it may be very many. */
const folderOf = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf('/') + 1);

/** Whether it is at or before the name, and holds nothing behind it. */
const isBefore = (name: string, after: string | undefined): boolean =>
  after !== undefined && name <= after && !(name.endsWith('/') && after.startsWith(name));

const removed = async (folder: string, paths: readonly string[]): Promise<void> => {
  const folders = new Set<string>();
  for (const path of paths) {
    await rm(path, { force: true });
    folders.add(dirname(path));
  }
  for (const one of folders) await removeEmpty(folder, one);
};

/** Folders that hold nothing any more go, up to the folder itself, which stays. */
const removeEmpty = async (folder: string, from: string): Promise<void> => {
  for (let one = from; one.startsWith(`${folder}${sep}`); one = dirname(one)) {
    try {
      await rmdir(one);
    } catch {
      // It is not there, or it holds others.
      return;
    }
  }
};

const namesIn = async (folder: string): Promise<readonly string[]> => (await readdir(folder).catch(absent)) ?? [];

const hasCode = (error: unknown, codes: ReadonlySet<unknown>): boolean =>
  error instanceof Error && 'code' in error && codes.has(error.code);

const isAbsent = (error: unknown): boolean => hasCode(error, absences);

/** There may be a file on the way to it. */
const absences: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR']);

/** A folder is opened as a file is, and only reading tells. */
const folderCodes: ReadonlySet<unknown> = new Set(['EISDIR']);

/** Nothing is there; any other error of the system is passed on. */
const absent = (error: unknown): undefined => {
  if (isAbsent(error)) return undefined;
  throw error;
};

const told = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw new BlobsAway(`${doing} a blob`, error);
  }
};
