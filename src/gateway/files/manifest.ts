import { filePartsMax, partBytesMax } from '../../domain/files/limits.js';
import type { MadeFile } from '../../domain/files/state.js';
import { millisOf, partsOf, type FileId } from '../../kernel/ids.js';
import type { BlobEntry } from '../../kernel/ports/blobs.js';
import { partSealBytes } from '../../kernel/ports/partSeal.js';

/** One part of a file as it is stored. `version` tells it from others that were sent for the same place. */
export type StoredPart = { readonly version: number; readonly bytes: number };

/** The blobs of a file begin so. */
export const blobsOf = (file: FileId): string => `files/${file.toString()}/`;

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

/** Names sort by the part, and then by when it was sent. */
export const blobOf = (file: FileId, index: number, { version }: Pick<StoredPart, 'version'>): string =>
  `${blobsOf(file)}${hex(index, 4)}.${hex(version, 8)}`;

/**
 * Parts that the server made stand behind the numbers of those that are sent, so that an upload of which nothing became a file after all
 * still has the parts that were sent, and none of them is taken for one of these.
 */
export const madePartsFrom = filePartsMax;
export const firstPartOf = ({ form }: Pick<MadeFile, 'form'>): number => (form === undefined ? 0 : madePartsFrom);

/** A part is sealed for this, so a keeper of the store can move none, and cut none. */
export const placeOf = (file: FileId, index: number, { version, bytes }: StoredPart): string =>
  `${file.toString()}\n${index.toString()}\n${version.toString()}\n${bytes.toString()}`;

const nodeBits = 10;
const millisMax = 2 ** (32 - nodeBits) - 1;

/**
 * Versions of one upload grow with the time since it began, and no two nodes make the same one. `before` is the last one that this
 * node made of it. An upload ends long before the numbers do.
 */
export const versionAfter = (before: number, file: FileId, id: bigint): number => {
  const { at, node } = partsOf(id);
  const since = Math.max(0, at - millisOf(file), Math.floor(before / 2 ** nodeBits) + 1);
  return Math.min(since, millisMax) * 2 ** nodeBits + node;
};

const blobForm = /\/([0-9a-f]{4})\.([0-9a-f]{8})$/;

/** The newest of each part, by its number. `entries` are in the order of their names. */
export const newestParts = (entries: readonly BlobEntry[]): ReadonlyMap<number, StoredPart> => {
  const parts = new Map<number, StoredPart>();
  for (const { name, bytes: sealedBytes } of entries) {
    const [, index = '', version = ''] = blobForm.exec(name) ?? [];
    const bytes = sealedBytes - partSealBytes;
    if (index === '' || bytes < 0 || bytes > partBytesMax) continue;
    parts.set(Number.parseInt(index, 16), { version: Number.parseInt(version, 16), bytes });
  }
  return parts;
};

const versionBytes = 4;
const lengthBytes = 3;
const rowBytes = versionBytes + lengthBytes;

/** As events have it: one short row for each part, so that those of `filePartsMax` parts fit into an event. */
export const packedParts = (parts: readonly StoredPart[]): string => {
  const rows = Buffer.alloc(parts.length * rowBytes);
  for (const [index, { version, bytes }] of parts.entries()) {
    rows.writeUInt32BE(version, index * rowBytes);
    rows.writeUIntBE(bytes, index * rowBytes + versionBytes, lengthBytes);
  }
  return rows.toString('base64url');
};

/** Undefined for a text that `packedParts` did not make. */
export const unpackedParts = (text: string): readonly StoredPart[] | undefined => {
  const rows = Buffer.from(text, 'base64url');
  const count = rows.length / rowBytes;
  if (!Number.isInteger(count) || count > filePartsMax) return undefined;
  return Array.from({ length: count }, (_, index) => ({
    version: rows.readUInt32BE(index * rowBytes),
    bytes: rows.readUIntBE(index * rowBytes + versionBytes, lengthBytes),
  }));
};
