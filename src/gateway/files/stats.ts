import { uploadLifeMillis } from '../../domain/files/limits.js';
import { millisOf, type FileId, type Millis } from '../../kernel/ids.js';
import type { BlobEntry, Blobs } from '../../kernel/ports/blobs.js';
import type { FileDocument } from '../../projections/files/documents.js';
import { filesById } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';

export type FileStatsNeeds = {
  readonly blobs: Pick<Blobs, 'walk'>;
  readonly reads: Reads;
  readonly now: () => Millis;
};

export type CountedAs = 'used' | 'unused' | 'underWay' | 'orphaned';
export type FileCounts = { readonly files: number; readonly parts: number; readonly bytes: number };
export type FileStats = Readonly<Record<CountedAs | 'stored', FileCounts>>;

/** Blobs of an upload that is older, and that no document speaks of, belong to nothing. */
const underWayMillisMax = 3 * uploadLifeMillis;

type Counting = Record<CountedAs | 'stored', { files: number; parts: number; bytes: number }>;

/** Goes through the whole store, a page at a time. Counts as of several moments, since both the store and the documents go on. */
export const fileStats = async (needs: FileStatsNeeds, signal: AbortSignal): Promise<FileStats> => {
  const none = () => ({ files: 0, parts: 0, bytes: 0 });
  const counts: Counting = { stored: none(), used: none(), unused: none(), underWay: none(), orphaned: none() };
  let last: string | undefined;
  for await (const page of needs.blobs.walk(blobsOfFiles)) {
    if (signal.aborted) break;
    const kinds = await kindsOf(needs, page);
    for (const { name, bytes } of page) {
      const file = fileIn(name);
      const kind = kinds.get(file) ?? 'orphaned';
      for (const one of [counts.stored, counts[kind]]) {
        // Parts of one file follow one another, also from page to page.
        one.files += file === last ? 0 : 1;
        one.parts += 1;
        one.bytes += bytes;
      }
      last = file;
    }
  }
  return counts;
};

const blobsOfFiles = 'files/';

const fileIn = (name: string): string => name.split('/')[1] ?? '';

const kindsOf = async (
  { reads, now }: FileStatsNeeds,
  page: readonly BlobEntry[],
): Promise<ReadonlyMap<string, CountedAs>> => {
  const names = [...new Set(page.map(({ name }) => fileIn(name)))].filter((name) => /^\d+$/.test(name));
  const ids = names.map((name) => BigInt(name) as FileId);
  const documents = await filesById(reads, ids);
  const known = new Map(documents.map((document) => [document.file, kindOf(document)]));
  const ofUpload = (file: FileId): CountedAs => (now() - millisOf(file) > underWayMillisMax ? 'orphaned' : 'underWay');
  return new Map(ids.map((file) => [file.toString(), known.get(file) ?? ofUpload(file)]));
};

const kindOf = ({ uses, dueAt }: FileDocument): CountedAs => (uses > 0 && dueAt === undefined ? 'used' : 'unused');
