import { files, noFileAnyMore } from '../../domain/files/decide.js';
import { fileStream, type PictureRecord } from '../../domain/files/events.js';
import { filePartsMax } from '../../domain/files/limits.js';
import type { FileState } from '../../domain/files/state.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { blobsPerCallMax, type BlobEntry, type Blobs } from '../../kernel/ports/blobs.js';
import { withDeadline } from '../../kernel/timing.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { blobsOf, newestParts, packedParts, type StoredPart } from './manifest.js';
import { partsTakenMax, tooLargeFile } from './parts.js';
import { pictureOf, type PictureNeeds, type PictureWish, type StoredPicture } from './pictures.js';
import { refusedByScanner, type ScanningNeeds } from './scanning.js';
import { keyText, type OpenUpload, type Uploads } from './uploads.js';

/** As the client names what it uploaded. Absent wishes: a file, of which a picture is made where it is one. */
export type UploadRef = {
  readonly upload: bigint;
  readonly partCount: number;
  /** Why no file may be made of it now. One that was made is found all the same. */
  readonly refusedToMake?: Rejection | undefined;
} & Partial<PictureWish>;

/** All that a use of the file keeps. `key` is in base64url. `picture` where the file is one that the server made of what was sent. */
export type MadeUpload = {
  readonly file: FileId;
  readonly key: string;
  readonly bytes: number;
  readonly picture?: PictureRecord;
};

/** A request waits for so long until its file was judged and its picture read. Both go on, and the file is found when the client asks again. */
const makingWaitMillisMax = 8_000;

export type MakingNeeds = PictureNeeds &
  ScanningNeeds & {
    readonly blobs: Pick<Blobs, 'list'>;
    /** Of this node, by the file that comes of it. It is as long as files are being judged and pictures read. */
    readonly making: Map<FileId, Promise<Rejection | undefined>>;
    readonly streams: Pick<FoldedStreams, 'caughtUp'>;
    readonly uploads: Pick<Uploads, 'found'>;
  };

/**
 * Makes a file of the parts that came, or finds the one that was made. The same upload is the same file, however many requests ask at
 * once and however often. Copies nothing, except that of a picture a new one is made, without all that is not seen of it. From here on the
 * file is kept for an hour, within which a use of it has to come.
 */
export const madeFile = async (needs: MakingNeeds, call: Call, ref: UploadRef): Promise<MadeUpload | Rejection> => {
  const { upload: name, partCount, form = 'attachment', declared = 'file' } = ref;
  if (partCount === 0) return reject('INVALID_UPLOAD', 'it has no parts');
  if (partCount > filePartsMax) return reject('TOO_MANY', `a file has at most ${filePartsMax.toString()} parts`);
  const upload = await needs.uploads.found(call, name);
  if (isRejection(upload)) return upload;
  const stream = fileStream(upload.file);
  const before = (await needs.streams.caughtUp(stream, files)).state;
  if (before.status === 'absent') {
    if (ref.refusedToMake !== undefined) return ref.refusedToMake;
    const refused = await madeOnce(needs, call, { upload, name, partCount, wish: { form, declared } });
    if (refused !== undefined) return refused;
  } else {
    const used = await call.run(files, { type: 'UseFile', data: { file: upload.file, at: call.now } });
    if (isRejection(used)) return noFileAnyMore(before);
  }
  // Somebody else may have made the file of other parts, or in another form, meanwhile.
  return fileIn((await needs.streams.caughtUp(stream, files)).state, upload, { partCount, form });
};

const fileIn = (
  state: FileState,
  { file, key }: OpenUpload,
  { partCount, form }: Required<Pick<UploadRef, 'partCount' | 'form'>>,
): MadeUpload | Rejection => {
  if (state.status !== 'made') return noFileAnyMore(state);
  if ((state.sentParts ?? state.parts) !== partCount) {
    return reject('INVALID_UPLOAD', 'it became a file of another number of parts');
  }
  if ((state.form ?? 'attachment') !== form) return reject('INVALID_UPLOAD', 'it became a file of another use');
  const picture = state.picture && unless(state.picture, undefined);
  return { file, key: keyText(key), bytes: state.bytes, ...defined({ picture }) };
};

type Making = {
  readonly upload: OpenUpload;
  readonly name: bigint;
  readonly partCount: number;
  readonly wish: PictureWish;
};

/** Of several requests on this node the first one makes it. The work goes on when they have waited for too long. */
const madeOnce = async (needs: MakingNeeds, call: Call, one: Making): Promise<Rejection | undefined> => {
  const { file } = one.upload;
  const begin = (): Promise<Rejection | undefined> => {
    const made = make(needs, call, one).finally(() => needs.making.delete(file));
    needs.making.set(file, made);
    return made;
  };
  try {
    return await withDeadline(needs.making.get(file) ?? begin(), makingWaitMillisMax, () => new StillMaking());
  } catch (error) {
    if (error instanceof StillMaking) return reject('UNAVAILABLE', 'the file is still being read');
    throw error;
  }
};

class StillMaking extends Error {}

const make = async (needs: MakingNeeds, call: Call, { upload, name, partCount, wish }: Making) => {
  const parts = await partsIn(needs, call, { file: upload.file, partCount });
  if (isRejection(parts)) return parts;
  const bytes = bytesOf(parts);
  if (bytes > needs.fileBytesMax) return tooLargeFile(needs.fileBytesMax);
  const refused = await refusedByScanner(needs, call, { upload, parts });
  if (refused !== undefined) return refused;
  const picture = await pictureOf(needs, call, { upload, parts, wish });
  if (isRejection(picture)) return picture;
  const { session, user: uploader } = call.caller;
  const about = { file: upload.file, uploader, session, upload: name, at: call.now };
  const data =
    picture === undefined
      ? { ...about, bytes, parts: partCount, manifest: packedParts(parts) }
      : { ...about, ...pictureParts(picture), form: wish.form, sentParts: partCount };
  const made = await call.run(files, { type: 'MakeFile', data });
  return isRejection(made) ? made : undefined;
};

const bytesOf = (parts: readonly StoredPart[]): number => parts.reduce((sum, part) => sum + part.bytes, 0);

const pictureParts = ({ bytes, parts, thumb, ...facts }: StoredPicture) => {
  const picture: PictureRecord = { ...facts, thumb: Buffer.from(thumb).toString('base64url') };
  return { bytes, parts: parts.length, manifest: packedParts(parts), picture };
};

/** The newest of each of the parts, in order. */
const partsIn = async (
  { blobs }: MakingNeeds,
  { meter }: Call,
  { file, partCount }: { readonly file: FileId; readonly partCount: number },
): Promise<readonly StoredPart[] | Rejection> => {
  const stored = await blobsIn(blobs, meter, file);
  if (stored === undefined) return reject('TOO_MANY', 'too many parts were sent again');
  const newest = newestParts(stored);
  const parts: StoredPart[] = [];
  for (let index = 0; index < partCount; index += 1) {
    const part = newest.get(index);
    if (part === undefined) return reject('INVALID_UPLOAD', `part ${index.toString()} is missing`);
    if (part.bytes === 0 && partCount > 1) return reject('INVALID_UPLOAD', `part ${index.toString()} is empty`);
    parts.push(part);
  }
  return parts;
};

/** Nodes that take parts of one upload count for themselves, and a restart counts anew. */
const blobsOfFileMax = 4 * partsTakenMax;

/** Has its price as it goes on, also where nothing comes of it. */
const blobsIn = async (
  blobs: Pick<Blobs, 'list'>,
  meter: Call['meter'],
  file: FileId,
): Promise<readonly BlobEntry[] | undefined> => {
  const found: BlobEntry[] = [];
  while (found.length <= blobsOfFileMax) {
    const last = found.at(-1)?.name;
    const after = last === undefined ? {} : { after: last };
    const page = await blobs.list(blobsOf(file), { limit: blobsPerCallMax, ...after });
    meter.spend(costs.partListed * page.length);
    found.push(...page);
    if (page.length < blobsPerCallMax) return found;
  }
  return undefined;
};
