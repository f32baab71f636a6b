import { files } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { filePartsMax } from '../../domain/files/limits.js';
import type { FileState } from '../../domain/files/state.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId } from '../../kernel/ids.js';
import { blobsPerCallMax, type BlobEntry, type Blobs } from '../../kernel/ports/blobs.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { blobsOf, newestParts, packedParts, type StoredPart } from './manifest.js';
import { partsTakenMax, tooLargeFile } from './parts.js';
import { keyText, type OpenUpload, type Uploads } from './uploads.js';

/** As the client names what it uploaded. */
export type UploadRef = { readonly upload: bigint; readonly partCount: number };

/** All that a use of the file keeps. `key` is in base64url. */
export type MadeUpload = { readonly file: FileId; readonly key: string; readonly bytes: number };

export type MakingNeeds = {
  readonly blobs: Pick<Blobs, 'list'>;
  readonly fileBytesMax: number;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly uploads: Pick<Uploads, 'found'>;
};

/**
 * Makes a file of the parts that came, or finds the one that was made. The same upload is the same file, however many requests ask at
 * once and however often. Copies nothing. From here on the file is kept for an hour, within which a use of it has to come.
 */
export const madeFile = async (
  needs: MakingNeeds,
  call: Call,
  { upload: name, partCount }: UploadRef,
): Promise<MadeUpload | Rejection> => {
  if (partCount === 0) return reject('INVALID_UPLOAD', 'it has no parts');
  if (partCount > filePartsMax) return reject('TOO_MANY', `a file has at most ${filePartsMax.toString()} parts`);
  const upload = await needs.uploads.found(call, name);
  if (isRejection(upload)) return upload;
  const stream = fileStream(upload.file);
  const before = (await needs.streams.caughtUp(stream, files)).state;
  if (before.status === 'absent') {
    const made = await make(needs, call, { upload, name, partCount });
    if (isRejection(made)) return made;
  } else {
    const used = await call.run(files, { type: 'UseFile', data: { file: upload.file, at: call.now } });
    if (isRejection(used)) return reject('INVALID_UPLOAD', 'it has expired');
  }
  // Somebody else may have made the file of other parts meanwhile.
  return fileIn((await needs.streams.caughtUp(stream, files)).state, upload, partCount);
};

const fileIn = (state: FileState, { file, key }: OpenUpload, partCount: number): MadeUpload | Rejection => {
  if (state.status !== 'made') return reject('INVALID_UPLOAD', 'it has expired');
  if (state.parts !== partCount) return reject('INVALID_UPLOAD', 'it became a file of another number of parts');
  return { file, key: keyText(key), bytes: state.bytes };
};

type Making = { readonly upload: OpenUpload; readonly name: bigint; readonly partCount: number };

const make = async (needs: MakingNeeds, call: Call, { upload, name, partCount }: Making) => {
  const parts = await partsIn(needs, call, { file: upload.file, partCount });
  if (isRejection(parts)) return parts;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes > needs.fileBytesMax) return tooLargeFile(needs.fileBytesMax);
  const { session, user: uploader } = call.caller;
  const about = { file: upload.file, uploader, session, upload: name, at: call.now };
  return call.run(files, {
    type: 'MakeFile',
    data: { ...about, bytes, parts: partCount, manifest: packedParts(parts) },
  });
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
