import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import { partBytesMax } from '../../domain/files/limits.js';
import type { Call } from '../contract/call.js';
import { fileSeen, piecesOf, readPieces, type Piece, type ReadingNeeds, type SeenFile } from './reading.js';

/** `media`: attached to messages. `photo`: the picture of a user, a group or a community. */
export type FileKind = 'media' | 'photo';

export type FileName = { readonly kind: FileKind; readonly file: FileId };

/** The file, as the caller sees it as of now. */
export const namedFile = async (
  needs: Pick<ReadingNeeds, 'holders' | 'streams'>,
  call: Call,
  { kind, file }: FileName,
): Promise<SeenFile | Rejection> =>
  // No photo can be set yet, so none is there.
  kind === 'photo' ? reject('FILE_NOT_FOUND') : fileSeen(needs, call, file);

/** Bytes of a file that was found, `to` not included. */
export type Stretch = { readonly seen: SeenFile; readonly from: number; readonly to: number };

/**
 * Its first bytes, at least one, and as many as can be read without opening a part for little of it. The caller still sees the
 * file when they are there.
 */
export const nextBytes = async (
  needs: ReadingNeeds,
  call: Call,
  { seen, from, to }: Stretch,
): Promise<Uint8Array | Rejection> => {
  const length = Math.min(to - from, partBytesMax);
  const read = await readPieces(needs, call, seen, wholeParts(piecesOf(seen.parts, BigInt(from), length), to - from));
  if (isRejection(read)) return read;
  // Sight may have been lost while the store was asked.
  return (await needs.holders.seenBy(call, seen.file)) === undefined ? reject('FILE_NOT_FOUND') : read;
};

/** Without the last one, where it would have to be opened a second time for the rest of it. */
const wholeParts = (pieces: readonly Piece[], wanted: number): readonly Piece[] => {
  const last = pieces.at(-1);
  const bytes = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const isCut = last !== undefined && bytes < wanted && last.to < last.part.bytes;
  return isCut && pieces.length > 1 ? pieces.slice(0, -1) : pieces;
};
