import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { permission } from '../../kernel/permissions.js';
import type { Personal } from '../../kernel/personal.js';
import type { BotInfo } from './botInfo.js';
import { media as schema, type Media } from './events.js';
import type { AliveMessage } from './state.js';

type Attaching = { readonly files: readonly FileId[]; readonly media: readonly Media[] };
type AttachingFirst = Pick<Attaching, 'files'> & Partial<Pick<Attaching, 'media'>>;

type Sent = { readonly media?: readonly Media[]; readonly botInfo?: BotInfo | undefined };

/** Those that are attached, and the photo of a cloak. */
export const filesOf = (media: readonly Media[], botInfo: BotInfo | undefined): readonly FileId[] => {
  const files = filesIn(media);
  const photo = botInfo?.cloakPhoto?.file;
  return photo === undefined || files.includes(photo) ? files : [...files, photo];
};

/** The fields of a message that is sent with this. None without anything attached; the photo of a cloak alone is no media. */
export const attachedBy = ({ media = [], botInfo }: Sent): AttachingFirst | object => {
  const files = filesOf(media, botInfo);
  if (media.length > 0) return { files, media };
  return files.length === 0 ? {} : { files };
};

/** Whether it took the right to attach something. Older releases wrote a list without anything beside the photo of a cloak. */
export const attachesMedia = ({ media }: { readonly media?: Personal<readonly Media[]> }): boolean =>
  media !== undefined && unless(media, undefined)?.length !== 0;

/** The bits of the rights in its chat that a new message takes: something attached takes one of its own. */
export const rightsTaken = (sent: { readonly media?: Personal<readonly Media[]> }): bigint =>
  attachesMedia(sent) ? permission.sendMessages | permission.sendMedia : permission.sendMessages;

/** Nothing of a message that was shredded. */
export const mediaOf = ({ attached: { media } }: AliveMessage): readonly Media[] =>
  media === undefined ? [] : unless(media, []);

type Replacing = Attaching & { readonly filesGained?: readonly FileId[]; readonly filesLost?: readonly FileId[] };

/**
 * The fields of an edit after which this is attached. An edit has all that the message shows from then on, so one of a message
 * that once had something attached says that there is nothing now. None where there never was anything.
 */
export const attachedInstead = (
  { attached }: AliveMessage,
  media: readonly Media[],
  botInfo: BotInfo | undefined,
): Replacing | object => {
  if (attached.files === undefined && media.length === 0) return {};
  const [had, files] = [attached.files ?? [], filesOf(media, botInfo)];
  const filesGained = files.filter((file) => !had.includes(file));
  const filesLost = had.filter((file) => !files.includes(file));
  return {
    files,
    media,
    ...(filesGained.length > 0 && { filesGained }),
    ...(filesLost.length > 0 && { filesLost }),
  };
};

/** The field of a deletion. */
export const lostBy = ({ attached: { files = [] } }: AliveMessage): { readonly files?: readonly FileId[] } =>
  files.length === 0 ? {} : { files };

/** Each of the files once. */
export const filesIn = (all: readonly Media[]): readonly FileId[] => [
  ...new Set(all.flatMap(({ file }) => (file === undefined ? [] : [file.file]))),
];

/** Whether both show the same, in the same order. */
export const isSameMedia = (some: readonly Media[], others: readonly Media[]): boolean =>
  JSON.stringify(some.map(schema.encode)) === JSON.stringify(others.map(schema.encode));
