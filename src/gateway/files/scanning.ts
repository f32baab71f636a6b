import { files } from '../../domain/files/decide.js';
import { boundedMap, type BoundedMap } from '../../kernel/boundedMap.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import type { FileScanner } from '../../kernel/ports/fileScanner.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { packedParts, type StoredPart } from './manifest.js';
import { openedParts, partRefusal } from './openedParts.js';
import type { OpeningNeeds } from './reading.js';
import type { OpenUpload } from './uploads.js';

/** Of uploads that were let pass and are no file yet, which a node remembers. */
const passedBytesMax = 4_194_304;

/** The parts that were let pass, by the file that is to come of them. */
export type PassedUploads = BoundedMap<FileId, string>;
export const passedUploads = (): PassedUploads =>
  boundedMap({ bytesMax: passedBytesMax, bytesOf: (parts) => 2 * parts.length + 100 });

export type ScanningNeeds = OpeningNeeds & {
  /** Absent where everything passes. */
  readonly scanner?: Pick<FileScanner, 'judged'>;
  readonly passed: PassedUploads;
};

type Sent = { readonly upload: OpenUpload; readonly parts: readonly StoredPart[] };

/**
 * Undefined once the scanner lets the bytes pass as they were sent. A file that was made has passed, and an upload that was refused has
 * ended, so no node asks again of either.
 */
export const refusedByScanner = async (
  needs: ScanningNeeds,
  call: Call,
  { upload, parts }: Sent,
): Promise<Rejection | undefined> => {
  const { scanner, passed } = needs;
  const { file } = upload;
  const sent = packedParts(parts);
  if (scanner === undefined || passed.get(file) === sent) return undefined;
  const verdict = await scanner
    .judged(pricedParts(needs, call, { upload, parts }), call.caller.user)
    .catch(partRefusal);
  if (isRejection(verdict)) return verdict;
  if (verdict === 'clean') passed.set(file, sent);
  if (verdict !== 'refused') return refusals[verdict];
  const data = { file, uploader: call.caller.user, at: call.now };
  const ended = await call.run(files, { type: 'RefuseFile', data });
  return isRejection(ended) ? ended : reject('FILE_REFUSED');
};

/** Paid for as they are opened, since a scanner that is busy opens nothing, and need not read to the end. */
async function* pricedParts(
  needs: ScanningNeeds,
  { meter }: Call,
  { upload, parts }: Sent,
): AsyncGenerator<Uint8Array> {
  meter.spend(costs.scan);
  const opening = (bytes: number): void => {
    meter.spend((costs.kibibyteOpened * bytes) / 1_024);
  };
  yield* openedParts({ ...needs, opening }, upload, parts);
}

const refusals = {
  clean: undefined,
  unjudged: reject('UNAVAILABLE', 'the file could not be judged'),
  busy: reject('UNAVAILABLE', 'too many files are being judged'),
} as const;
