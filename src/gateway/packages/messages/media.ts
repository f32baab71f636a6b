import type { PictureRecord } from '../../../domain/files/events.js';
import type { AttachedFile, Media, MediaMetadata } from '../../../domain/messages/events.js';
import type { FileMetadata, MediaRef, MediaRefUploadedFile } from '../../../gen/media.js';
import { defined } from '../../../kernel/defined.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { Call } from '../../contract/call.js';
import type { FileStore } from '../../files/fileStore.js';
import { entityUrlUnitsMax } from '../../rendering/entities.js';
import { linkFault } from '../../rendering/links.js';
import { embedded, type EmbedNeeds } from './embeds.js';
import type { Written } from './contentBytes.js';

/** Things attached to one message. Their number is bounded where requests are decoded as well. */
export const attachmentsMax = 10;

/** In UTF-16 code units. */
export const fileNameUnitsMax = 255;
export const mimetypeUnitsMax = 127;
export const emojiNameUnitsMax = 64;
/** Of the picture that is shown until the file is there, in bytes. */
export const previewBytesMax = 1_024;

/** A thing that is to be attached, as the request names it. */
export type Attaching =
  | { readonly link: string }
  | (Pick<AttachedFile, 'mimetype' | 'name' | 'metadata'> & { readonly upload: bigint; readonly partCount: number });

/** All of them, in order, or the first fault in them. */
export const attachingOf = (refs: readonly MediaRef[]): readonly Attaching[] | Rejection => {
  const all: Attaching[] = [];
  for (const [index, ref] of refs.entries()) {
    const one = oneOf(ref);
    if (isRejection(one)) return { ...one, detail: `media ${index.toString()} ${one.detail ?? ''}` };
    all.push(one);
  }
  return all.length > attachmentsMax
    ? reject('TOO_MANY', `at most ${attachmentsMax.toString()} things are attached`)
    : all;
};

export type AttachingNeeds = EmbedNeeds & { readonly files: Pick<FileStore, 'made'> };

/**
 * Makes the files of what was uploaded, and follows the links. The same uploads give the same files, and links that the
 * message has already are what they were. A picture is told as it is stored, and another file is told as no picture,
 * even if its sender says so.
 */
export const attached = async (
  needs: AttachingNeeds,
  call: Call,
  { attaching, before = [], beside }: Beside & { readonly attaching: readonly Attaching[] },
): Promise<readonly Media[] | Rejection> => {
  const media: Media[] = [];
  // All at once, so that a request waits for ten files as long as for one.
  for (const one of await Promise.all(attaching.map((ref) => attachedOne(needs, call, ref)))) {
    if (isRejection(one)) return one;
    media.push(one);
  }
  return embedded(needs, call, { media, before, beside });
};

const attachedOne = async (needs: AttachingNeeds, call: Call, one: Attaching): Promise<Media | Rejection> => {
  if ('link' in one) return one;
  const { upload, partCount, ...shown } = one;
  const declared = isDeclared(shown) ? 'picture' : 'file';
  const made = await needs.files.made(call, { upload, partCount, declared });
  if (isRejection(made)) return made;
  const { picture, ...file } = made;
  return { file: { ...file, ...(picture === undefined ? notShown(shown) : pictured(shown, picture)) } };
};

type Told = Pick<AttachedFile, 'mimetype' | 'name' | 'metadata'>;

const isPictured = (metadata: MediaMetadata | undefined): boolean =>
  metadata?.kind === 'image' || metadata?.kind === 'customEmoji';

const isDeclared = ({ mimetype, metadata }: Told): boolean => /^image\//i.test(mimetype) || isPictured(metadata);

/** A picture that was sent as a mere file stays one. */
const pictured = ({ metadata, ...told }: Told, { type, width, height, animated, thumb }: PictureRecord): Told => {
  const size = { width, height, animated };
  if (metadata?.kind === 'file') return { ...told, mimetype: type, metadata };
  if (metadata?.kind === 'customEmoji') return { ...told, mimetype: type, metadata: { ...metadata, ...size } };
  return { ...told, mimetype: type, metadata: { kind: 'image', ...size, preview: thumb } };
};

const notShown = (told: Told): Told => {
  const mimetype = /^image\//i.test(told.mimetype) ? 'application/octet-stream' : told.mimetype;
  return isPictured(told.metadata) ? { ...told, mimetype, metadata: { kind: 'file' } } : { ...told, mimetype };
};
type Beside = { readonly before?: readonly Media[]; readonly beside: readonly Written[] };

const oneOf = ({ uploaded, embed }: MediaRef): Attaching | Rejection => {
  if (uploaded !== undefined) return uploadedOf(uploaded);
  return embed === undefined ? invalid('is neither a file nor a link') : linkOf(embed.url);
};

const invalid = (why: string): Rejection => reject('INVALID_ARGUMENT', why);

const linkOf = (url: string): Attaching | Rejection => {
  const isLink = url.length <= entityUrlUnitsMax && linkFault(url) === undefined && /^https?:/i.test(url);
  return isLink ? { link: url } : invalid('is no http or https link, or too long a one');
};

const uploadedOf = ({ file, filename, mimetype, metadata }: MediaRefUploadedFile): Attaching | Rejection => {
  if (file === undefined) return invalid('names no upload');
  const name = nameOf(filename ?? file.name);
  if (isRejection(name)) return name;
  const kind = mimetypeOf(mimetype);
  if (isRejection(kind)) return kind;
  const about = metadata && metadataOf(metadata);
  if (isRejection(about)) return about;
  const upload = { upload: file.id, partCount: file.partCount, mimetype: kind };
  return { ...upload, ...defined({ name, metadata: about }) };
};

// Controls, marks that turn the direction of what follows, breaks of lines, and halves of pairs.
const unshowable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;
const pathMark = /[/\\]/;

/** Undefined for none. A name is shown to people and put into headers, and is no path. */
const nameOf = (name: string): string | undefined | Rejection => {
  if (name === '') return undefined;
  if (name.length > fileNameUnitsMax) return invalid(`has a name of more than ${fileNameUnitsMax.toString()} units`);
  if (unshowable.test(name) || pathMark.test(name) || /^\.{1,2}$/.test(name)) {
    return invalid('has a name with characters that names of files must not have');
  }
  return name;
};

const mimetypeForm = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(; ?[a-z0-9-]+=[a-z0-9._-]+)*$/i;

const mimetypeOf = (mimetype: string): string | Rejection => {
  if (mimetype === '') return 'application/octet-stream';
  const isOne = mimetype.length <= mimetypeUnitsMax && mimetypeForm.test(mimetype);
  return isOne ? mimetype : invalid('has a type that is no MIME type');
};

const metadataOf = (metadata: FileMetadata): MediaMetadata | Rejection | undefined => {
  const { image, video, audio, file, customEmoji } = metadata;
  if (image !== undefined) {
    const { width, height, animated, preview } = image;
    if (preview === undefined || preview.length === 0) return { kind: 'image', width, height, animated };
    if (preview.length > previewBytesMax) {
      return invalid(`has a preview of more than ${previewBytesMax.toString()} bytes`);
    }
    return { kind: 'image', width, height, animated, preview: Buffer.from(preview).toString('base64url') };
  }
  if (video !== undefined) return { kind: 'video', ...video };
  if (audio !== undefined) return { kind: 'audio', ...audio };
  if (customEmoji !== undefined) return emojiOf(customEmoji);
  return file === undefined ? undefined : { kind: 'file' };
};

const emojiOf = ({
  width,
  height,
  emoji,
  pack,
  animated,
}: NonNullable<FileMetadata['customEmoji']>): MediaMetadata | Rejection =>
  emoji.length > emojiNameUnitsMax || unshowable.test(emoji)
    ? invalid('has a name of an emoji that is too long, or is none')
    : { kind: 'customEmoji', width, height, emoji, animated, ...defined({ pack: pack?.id }) };
