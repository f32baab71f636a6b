import type { AttachedFile } from '../../domain/messages/events.js';
import type { Rejection } from '../../kernel/decider.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import { fairTurns } from '../../kernel/fairTurns.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import type { Call } from '../contract/call.js';
import { holders, type HolderNeeds } from './holders.js';
import { madeFile, type MadeUpload, type UploadRef } from './making.js';
import { partTurns, takePart, type SentPart, type TakePartNeeds } from './parts.js';
import { knownPicture, type KnownPicture } from './knownPicture.js';
import { pictureTurns, type PictureNeeds } from './pictures.js';
import { fileBytes, type FileRange, type ReadingNeeds } from './reading.js';
import { namedFile, nextBytes, type FileName, type NamedFile, type Stretch } from './streaming.js';
import { passedUploads, type ScanningNeeds } from './scanning.js';
import { costlyAuthors, keptPagePicture, type PagePictureNeeds } from './pagePictures.js';
import { uploadedBytes } from './uploadedBytes.js';
import { sessionUploads, type UploadNeeds } from './uploads.js';

/** The files of a deployment, as one node serves them. */
export interface FileStore {
  /** Undefined once the part is durable. */
  takePart(this: void, call: Call, part: SentPart): Promise<Rejection | undefined>;
  /** The file that an upload became, or becomes now. */
  made(this: void, call: Call, ref: UploadRef): Promise<MadeUpload | Rejection>;
  /** A picture that the caller may see, to be used once more: one of an attachment, or a photo. */
  picture(this: void, call: Call, file: FileId): Promise<KnownPicture | Rejection>;
  /** At most `answeredBytesMax` of a file that the caller may see. */
  read(this: void, call: Call, range: FileRange): Promise<Uint8Array | Rejection>;
  /** A file that the caller may see, as of now. */
  seen(this: void, call: Call, name: FileName): Promise<NamedFile | Rejection>;
  /** The next bytes of one, at most as many as a part has. Refused once the caller sees it no more. */
  next(this: void, call: Call, stretch: Stretch): Promise<Uint8Array | Rejection>;
  /** See `keptPagePicture`. */
  pagePicture(this: void, bytes: Uint8Array, author: UserId): Promise<AttachedFile | undefined>;
}

export type FileStoreNeeds = Omit<UploadNeeds, 'seal'> &
  HolderNeeds &
  Pick<ReadingNeeds, 'damaged'> &
  Pick<PictureNeeds, 'pictures'> &
  Pick<ScanningNeeds, 'scanner'> &
  Pick<TakePartNeeds, 'hasRoom'> &
  Pick<PagePictureNeeds, 'clock' | 'execute' | 'ids' | 'uptime'> & {
    readonly blobs: Pick<Blobs, 'put' | 'get' | 'list'>;
    readonly seal: PartSeal;
    /** In bytes. */
    readonly fileBytesMax: number;
    readonly uploadedBytesPerDayMax: number;
  };

export const fileStore = (needs: FileStoreNeeds): FileStore => {
  const shared = {
    ...needs,
    costly: costlyAuthors(),
    holders: holders(needs),
    making: new Map(),
    passed: passedUploads(),
    pictureTurns: fairTurns(pictureTurns),
    turns: fairTurns(partTurns),
    uploaded: uploadedBytes(needs.uploadedBytesPerDayMax),
    uploads: sessionUploads(needs),
  };
  return {
    takePart: (call, part) => takePart(shared, call, part),
    made: (call, ref) => madeFile(shared, call, ref),
    picture: (call, file) => knownPicture(shared, call, file),
    read: (call, range) => fileBytes(shared, call, range),
    seen: (call, name) => namedFile(shared, call, name),
    next: (call, stretch) => nextBytes(shared, call, stretch),
    pagePicture: (bytes, author) => keptPagePicture(shared, bytes, author),
  };
};
