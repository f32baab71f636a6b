import { files } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { filePartsMax, partBytesMax } from '../../domain/files/limits.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FairTurns } from '../../kernel/fairTurns.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { UserId } from '../../kernel/ids.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import type { Ids } from '../../kernel/ports/system.js';
import type { Call } from '../contract/call.js';
import { blobOf, placeOf, versionAfter } from './manifest.js';
import type { UploadedBytes } from './uploadedBytes.js';
import type { OpenUpload, Uploads } from './uploads.js';

/** Parts that one upload takes, those that are sent again included. */
export const partsTakenMax = 2 * filePartsMax;

/** A part counts as so much of what a user may upload in a day, however short it is: each is a file, or an object, of its own. */
export const partBytesCountedMin = 4_096;

/** Work with parts that goes on at a time, each of which takes some 3 MiB; and how much waits for its turn. */
export const partTurns = { atOnceMax: 6, waitingMax: 2_000, waitingOfOneMax: 200 };

export type TakePartNeeds = {
  readonly blobs: Pick<Blobs, 'put'>;
  readonly fileBytesMax: number;
  readonly ids: Pick<Ids, 'next'>;
  readonly seal: Pick<PartSeal, 'seal'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly turns: FairTurns;
  readonly uploaded: UploadedBytes;
  readonly uploads: Pick<Uploads, 'begin'>;
  /** Whether there is room for files. */
  readonly hasRoom: () => boolean;
};

export type SentPart = { readonly upload: bigint; readonly index: number; readonly data: Uint8Array };

/**
 * Seals a part and stores it; undefined once it is durable. The same part again takes the place of the one before, until a file is made.
 */
export const takePart = async (needs: TakePartNeeds, call: Call, part: SentPart): Promise<Rejection | undefined> => {
  const refused = refusedPart(part);
  if (refused !== undefined) return refused;
  if (!needs.hasRoom()) return noRoom;
  const upload = await needs.uploads.begin(call, part.upload);
  if (isRejection(upload)) return upload;
  const { state } = await needs.streams.caughtUp(fileStream(upload.file), files);
  if (state.status !== 'absent') return reject('UPLOAD_ENDED');
  const tooMuch = counted(needs, call, upload, part);
  if (tooMuch !== undefined) return tooMuch;
  const stored = inTurn(needs.turns, call.caller.user, () => put(needs, upload, part));
  if (isRejection(stored)) return stored;
  await stored;
  return undefined;
};

/** Refuses when too much waits already. */
export const inTurn = <T>(turns: FairTurns, user: UserId, work: () => Promise<T>): Promise<T> | Rejection =>
  turns.run(user.toString(), work) ?? reject('UNAVAILABLE', 'too many parts of files are on their way');

const refusedPart = ({ index, data }: SentPart): Rejection | undefined => {
  if (index >= filePartsMax) return reject('TOO_MANY', `a file has at most ${filePartsMax.toString()} parts`);
  if (data.length > partBytesMax) return reject('TOO_LARGE', `a part has at most ${partBytesMax.toString()} bytes`);
  if (data.length === 0 && index > 0) return reject('INVALID_ARGUMENT', 'only part 0 may be empty');
  return undefined;
};

/** Counts before anything is stored, so that parts that come at once are all counted. */
const counted = (
  { fileBytesMax, uploaded }: TakePartNeeds,
  call: Call,
  upload: OpenUpload,
  { data: { length } }: SentPart,
): Rejection | undefined => {
  if (upload.partsTaken >= partsTakenMax) {
    return reject('TOO_MANY', `an upload takes at most ${partsTakenMax.toString()} parts, repetitions included`);
  }
  // The size of the file is known when it is made. This keeps what it may not become from being stored.
  if (upload.bytesTaken + length > 2 * fileBytesMax) return tooLargeFile(fileBytesMax);
  const bytes = Math.max(length, partBytesCountedMin);
  if (!uploaded.take(call.caller.user, bytes, call.monotonic)) return reject('UPLOADED_TOO_MUCH');
  upload.partsTaken += 1;
  upload.bytesTaken += length;
  return undefined;
};

export const noRoom = reject('UNAVAILABLE', 'the disk has no room for files');

export const tooLargeFile = (fileBytesMax: number): Rejection =>
  reject('TOO_LARGE', `a file has at most ${fileBytesMax.toString()} bytes`);

const put = async (needs: TakePartNeeds, upload: OpenUpload, { index, data }: SentPart): Promise<void> => {
  const { file, key } = upload;
  const version = versionAfter(upload.lastVersion, file, needs.ids.next());
  upload.lastVersion = version;
  const sealed = needs.seal.seal(key, placeOf(file, index, { version, bytes: data.length }), data);
  await needs.blobs.put(blobOf(file, index, { version }), sealed);
};
