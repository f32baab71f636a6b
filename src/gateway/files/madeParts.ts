import type { FileId } from '../../kernel/ids.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import type { Ids } from '../../kernel/ports/system.js';
import { blobOf, placeOf, versionAfter, type StoredPart } from './manifest.js';

/** As many bytes as one answer has, so that a download opens no part twice. */
export const madePartBytes = 524_288;

/** A part of what the server made, before it is stored. */
export type MadePart = StoredPart & { readonly data: Uint8Array };

/** Cuts the bytes into parts of versions behind `lastVersion`. */
export const madeParts = (
  ids: Pick<Ids, 'next'>,
  { file, lastVersion }: { readonly file: FileId; readonly lastVersion: number },
  bytes: Uint8Array,
): readonly MadePart[] => {
  const parts: MadePart[] = [];
  for (let from = 0; from < bytes.length; from += madePartBytes) {
    const data = bytes.subarray(from, from + madePartBytes);
    const version = versionAfter(parts.at(-1)?.version ?? lastVersion, file, ids.next());
    parts.push({ version, bytes: data.length, data });
  }
  return parts;
};

/** `first`: the index of the first of the parts. */
type Place = { readonly file: FileId; readonly key: Uint8Array; readonly first: number };

/** Seals the parts and stores them. */
export const storeMadeParts = async (
  { blobs, seal }: { readonly blobs: Pick<Blobs, 'put'>; readonly seal: Pick<PartSeal, 'seal'> },
  { file, key, first }: Place,
  parts: readonly MadePart[],
): Promise<void> => {
  for (const [at, { data, ...part }] of parts.entries()) {
    const index = first + at;
    await blobs.put(blobOf(file, index, part), seal.seal(key, placeOf(file, index, part), data));
  }
};
