import type { AttachedFile } from '../../domain/messages/events.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import { partBytesMax } from '../../domain/files/limits.js';
import type { Call } from '../contract/call.js';
import {
  heldFor,
  piecesOf,
  readPieces,
  storedAs,
  type FileRange,
  type HeldKey,
  type Piece,
  type ReadingNeeds,
  type StoredFile,
} from './reading.js';

/** `media`: attached to messages. `photo`: the picture of a user, a group or a community. */
export type FileKind = 'media' | 'photo';

export type FileName = { readonly kind: FileKind; readonly file: FileId };

/** A file that was found under its name. The type and the name that its sender gave it are missing for a photo, which has none. */
export type NamedFile = StoredFile<HeldKey & Partial<Pick<AttachedFile, 'mimetype' | 'name'>>> & Pick<FileName, 'kind'>;

/** The file, as the caller sees it as of now. */
export const namedFile = async (
  needs: Pick<ReadingNeeds, 'holders' | 'streams'>,
  call: Call,
  name: FileName,
): Promise<NamedFile | Rejection> => {
  const held = await heldFor(needs, call, wantedAs(name));
  const stored = held === undefined ? reject('FILE_NOT_FOUND') : await storedAs(needs, name.file, held);
  return isRejection(stored) ? stored : { ...stored, kind: name.kind };
};

const wantedAs = ({ file, kind }: FileName): Pick<FileRange, 'file' | 'as'> =>
  kind === 'photo' ? { file, as: kind } : { file };

/** Bytes of a file that was found, `to` not included. */
export type Stretch = { readonly seen: NamedFile; readonly from: number; readonly to: number };

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
  return (await heldFor(needs, call, wantedAs(seen))) === undefined ? reject('FILE_NOT_FOUND') : read;
};

/** Without the last one, where it would have to be opened a second time for the rest of it. */
const wholeParts = (pieces: readonly Piece[], wanted: number): readonly Piece[] => {
  const last = pieces.at(-1);
  const bytes = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const isCut = last !== undefined && bytes < wanted && last.to < last.part.bytes;
  return isCut && pieces.length > 1 ? pieces.slice(0, -1) : pieces;
};
