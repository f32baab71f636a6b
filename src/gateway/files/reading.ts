import { files } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FairTurns } from '../../kernel/fairTurns.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import { partSealBytes, type PartSeal } from '../../kernel/ports/partSeal.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import type { Holders } from './holders.js';
import { blobOf, firstPartOf, placeOf, unpackedParts, type StoredPart } from './manifest.js';
import { inTurn } from './parts.js';
import { keyIn } from './uploads.js';

/** Bytes of one answer: two of them fit into a frame of the smallest size that clients take, with room to spare. */
export const answeredBytesMax = 524_288;

/** Parts that are read for one answer. A file of small parts is answered in smaller pieces. */
export const partsPerAnswerMax = 8;

export type ReadingNeeds = {
  readonly blobs: Pick<Blobs, 'get'>;
  readonly holders: Holders;
  readonly seal: Pick<PartSeal, 'open'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly turns: FairTurns;
  /** A blob is not the one that was put, or is not there. */
  readonly damaged: (details: { readonly file: string; readonly part: number }) => void;
};

/** A `photo` is read by everybody, and in the cloak of a bot by those who see the message. */
export type FileRange = {
  readonly file: FileId;
  readonly offset: bigint;
  readonly length: number;
  readonly as?: 'photo';
};

/** The parts of a file, with what the caller knows of it. */
export type StoredFile<Held extends HeldKey> = {
  readonly file: FileId;
  readonly held: Held;
  readonly bytes: number;
  /** The number under which the first of its parts is stored. */
  readonly first: number;
  readonly parts: readonly StoredPart[];
};

/** A part of the file that the caller may see, as of now; no bytes at or behind the end. It may be shorter than what was asked for. */
export const fileBytes = async (needs: ReadingNeeds, call: Call, range: FileRange): Promise<Uint8Array | Rejection> => {
  const { file, offset, length } = range;
  const held = await heldFor(needs, call, range);
  const seen = held === undefined ? reject('FILE_NOT_FOUND') : await storedAs(needs, file, held);
  if (isRejection(seen)) return seen;
  const pieces = piecesOf(seen.parts, offset, Math.min(length, answeredBytesMax));
  if (pieces.length === 0) return new Uint8Array(0);
  const read = await readPieces(needs, call, seen, pieces);
  if (isRejection(read)) return read;
  // Sight may have been lost while the store was asked.
  return (await heldFor(needs, call, range)) === undefined ? reject('FILE_NOT_FOUND') : read;
};

/** `key` opens the bytes, in base64url. */
export type HeldKey = { readonly key: string };

export const heldFor = async (
  { holders }: Pick<ReadingNeeds, 'holders'>,
  call: Call,
  { file, as }: Pick<FileRange, 'file' | 'as'>,
): Promise<HeldKey | undefined> => {
  const photo = as === 'photo' ? await holders.photo(call, file) : undefined;
  return photo ?? (await holders.seenBy(call, file));
};

export const storedAs = async <Held extends HeldKey>(
  { streams }: Pick<ReadingNeeds, 'streams'>,
  file: FileId,
  held: Held,
): Promise<StoredFile<Held> | Rejection> => {
  const { state } = await streams.caughtUp(fileStream(file), files);
  const parts = state.status === 'made' ? unpackedParts(unless(state.manifest, '')) : undefined;
  if (state.status !== 'made' || parts?.length !== state.parts) return reject('FILE_NOT_FOUND');
  return { file, held, bytes: state.bytes, first: firstPartOf(state), parts };
};

/** All of them in one, each of a part that was opened whole. */
export const readPieces = async (
  needs: ReadingNeeds,
  call: Call,
  { file, held, first }: StoredFile<HeldKey>,
  pieces: readonly Piece[],
): Promise<Uint8Array | Rejection> => {
  // Whole parts are read and opened, however little of them is asked for.
  const openedBytes = pieces.reduce((sum, { part }) => sum + part.bytes, 0);
  call.meter.spend((costs.kibibyteOpened * openedBytes) / 1_024);
  const reading = inTurn(needs.turns, call.caller.user, () =>
    Promise.all(pieces.map((piece) => opened(needs, { file, key: keyIn(held.key), first, piece }))),
  );
  if (isRejection(reading)) return reading;
  const read: Uint8Array[] = [];
  for (const bytes of await reading) {
    if (isRejection(bytes)) return bytes;
    read.push(bytes);
  }
  const [only] = read;
  return only !== undefined && read.length === 1 ? only : Buffer.concat(read);
};

/** The bytes that are wanted of one part. */
export type Piece = { readonly index: number; readonly part: StoredPart; readonly from: number; readonly to: number };

export const piecesOf = (parts: readonly StoredPart[], offset: bigint, length: number): readonly Piece[] => {
  const pieces: Piece[] = [];
  let begin = 0n;
  const end = offset + BigInt(length);
  for (const [index, part] of parts.entries()) {
    const next = begin + BigInt(part.bytes);
    if (offset < next && begin < end) {
      const from = Number(offset > begin ? offset - begin : 0n);
      pieces.push({ index, part, from, to: Number(end < next ? end - begin : next - begin) });
    }
    if (pieces.length === partsPerAnswerMax || next >= end) break;
    begin = next;
  }
  return pieces;
};

type Reading = { readonly file: FileId; readonly key: Uint8Array; readonly first: number; readonly piece: Piece };

const opened = async (needs: OpeningNeeds, { file, key, first, piece }: Reading): Promise<Uint8Array | Rejection> => {
  const plain = await openedPart(needs, { file, key, index: first + piece.index, part: piece.part });
  return isRejection(plain) ? plain : plain.subarray(piece.from, piece.to);
};

export type OpeningNeeds = Pick<ReadingNeeds, 'blobs' | 'seal' | 'damaged'>;
export type SealedPart = {
  readonly file: FileId;
  readonly key: Uint8Array;
  readonly index: number;
  readonly part: StoredPart;
};

/** A part is opened whole, because only then is it known to be the one that was stored. */
export const openedPart = async (
  { blobs, seal, damaged }: OpeningNeeds,
  { file, key, index, part }: SealedPart,
): Promise<Uint8Array | Rejection> => {
  const length = part.bytes + partSealBytes;
  const sealed = await blobs.get(blobOf(file, index, part), { from: 0, length });
  const isWhole = sealed?.length === length;
  const plain = isWhole ? seal.open(key, placeOf(file, index, part), sealed) : undefined;
  if (plain !== undefined) return plain;
  damaged({ file: file.toString(), part: index });
  return reject('FILE_DAMAGED');
};
