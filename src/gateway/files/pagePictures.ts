import { files } from '../../domain/files/decide.js';
import type { AttachedFile } from '../../domain/messages/events.js';
import { boundedMap, type BoundedMap } from '../../kernel/boundedMap.js';
import { isRejection } from '../../kernel/decider.js';
import type { Execute } from '../../kernel/execute.js';
import type { FileId, Millis, UserId } from '../../kernel/ids.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { FileScanner } from '../../kernel/ports/fileScanner.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import type { Picture, Pictures } from '../../kernel/ports/pictures.js';
import type { Clock, Ids } from '../../kernel/ports/system.js';
import { madeParts, storeMadeParts } from './madeParts.js';
import { packedParts } from './manifest.js';
import { inOne } from './openedParts.js';
import { pictureMark } from './pictureMark.js';
import type { UploadedBytes } from './uploadedBytes.js';
import { keyText } from './uploads.js';

/** An upload pays for what costs its process. A link pays nothing, so after one no further picture of its author is looked at for so long. */
export const costlyMillisMax = 3_600_000;
const costlyAuthorsMax = 20_000;

/** Authors of pictures of pages that cost their process, with the time of the last one, by the clock of `uptime`. */
export type CostlyAuthors = BoundedMap<UserId, number>;
export const costlyAuthors = (): CostlyAuthors => boundedMap({ entriesMax: costlyAuthorsMax });

export type PagePictureNeeds = {
  readonly blobs: Pick<Blobs, 'put'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly costly: CostlyAuthors;
  readonly execute: Execute;
  readonly hasRoom: () => boolean;
  readonly ids: Pick<Ids, 'next' | 'commandId'>;
  readonly pictures: Pick<Pictures, 'made'>;
  readonly scanner?: Pick<FileScanner, 'judged'>;
  readonly seal: Pick<PartSeal, 'newKey' | 'seal'>;
  readonly uploaded: UploadedBytes;
  readonly uptime: { readonly now: () => number };
};

/**
 * The picture of a page as a file of its own, made anew as a card; undefined where it is none, is refused, or may not be kept. It counts as
 * the author's upload, whose link it is of. The event comes before the bytes, so that a crash leaves nothing that no event speaks of; a use
 * has to come within the hour.
 */
export const keptPagePicture = async (
  needs: PagePictureNeeds,
  bytes: Uint8Array,
  author: UserId,
): Promise<AttachedFile | undefined> => {
  if (pictureMark(bytes) !== 'read' || !needs.hasRoom() || isCostly(needs, author)) return undefined;
  if (needs.scanner !== undefined && (await needs.scanner.judged(inOne(bytes), author)) !== 'clean') return undefined;
  // Others of the author may have been read meanwhile.
  if (isCostly(needs, author)) return undefined;
  const card = await needs.pictures.made('card', { bytes: bytes.length, parts: inOne(bytes) }, author);
  if (card === 'too costly') needs.costly.set(author, needs.uptime.now());
  if (typeof card === 'string') return undefined;
  return needs.uploaded.take(author, card.bytes.length, needs.uptime.now()) ? stored(needs, card, author) : undefined;
};

const isCostly = ({ costly, uptime }: PagePictureNeeds, author: UserId): boolean => {
  const last = costly.get(author);
  return last !== undefined && uptime.now() - last < costlyMillisMax;
};

const stored = async (
  { blobs, clock, execute, ids, seal }: PagePictureNeeds,
  { bytes, thumb, ...facts }: Picture,
  uploader: UserId,
): Promise<AttachedFile | undefined> => {
  const [file, key] = [ids.next() as FileId, seal.newKey()];
  const parts = madeParts(ids, { file, lastVersion: 0 }, bytes);
  const picture = { ...facts, thumb: Buffer.from(thumb).toString('base64url') };
  const at: Millis = clock.now();
  const about = { file, uploader, at, bytes: bytes.length, parts: parts.length };
  const command = { type: 'MakePagePicture', data: { ...about, manifest: packedParts(parts), picture } } as const;
  const commandId = ids.commandId();
  if (isRejection(await execute(files, command, { commandId, correlationId: commandId }))) return undefined;
  await storeMadeParts({ blobs, seal }, { file, key, first: 0 }, parts);
  const { type: mimetype, width, height, animated } = facts;
  const metadata = { kind: 'image', width, height, animated, preview: picture.thumb } as const;
  return { file, key: keyText(key), bytes: bytes.length, mimetype, metadata };
};
