import { uploadKey, type FileEvent, type UploadEvent } from '../../domain/files/events.js';
import type { MessageEvent } from '../../domain/messages/events.js';
import type { CommunityEvent } from '../../domain/communities/events.js';
import type { PreviewEvent } from '../../domain/previews/events.js';
import { reportStreams, type ReportEvent } from '../../domain/reports/events.js';
import type { StickerPackEvent } from '../../domain/stickers/events.js';
import type { UserEvent } from '../../domain/users/events.js';
import { membersNamedBy } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import type { EventOf } from '../../kernel/event.js';
import type { CommunityId, FileId, MessageId, Millis, UserId } from '../../kernel/ids.js';
import { removed, whenThere } from '../runner/foldHelpers.js';
import type {
  FileDocument,
  FileUseDocument,
  PhotoUseDocument,
  ReportFilesDocument,
  UploadDocument,
} from './documents.js';

type Made = EventOf<FileEvent, 'FileMade'>;
/** Announcements have nothing attached. */
type Attaching = Exclude<MessageEvent, { readonly type: 'MemberAnnounced' }>;
/** A report uses its files until it ends. Nobody in the chat sees them by that. */
type ReportUse = EventOf<ReportEvent, 'MessageReported' | 'ReportEnded'>;

/** A message also uses the picture of its preview. */
type PreviewUse = Exclude<PreviewEvent, { readonly type: 'PreviewsAllowed' }>;

/** The files that are shown beside a name, to everybody. */
type PhotoUse =
  | EventOf<UserEvent, 'UserPhotoChanged' | 'UserPhotoRemoved' | 'BannerChanged' | 'BannerRemoved'>
  | EventOf<CommunityEvent, 'CommunityPhotoChanged' | 'CommunityPhotoRemoved' | 'CommunityDeleted'>;

export const uploadDocuments: DocumentType<UploadDocument, UploadEvent | Made> = {
  name: 'uploads',
  version: 1,
  keys: {
    UploadBegun: ({ data }) => [uploadKey(data)],
    UploadEnded: ({ data }) => [uploadKey(data)],
    FileMade: ({ data }) => [uploadKey(data)],
  },
  streams: 'log',
  indexes: {
    begun: ({ at, file }) => [[at, file]],
    open: ({ isFile, user, file }) => (isFile ? [] : [[user, file]]),
  },
  evolve: {
    UploadBegun: (_, { data: { user, session, upload, file, at } }) => ({
      user,
      session,
      upload,
      file,
      at,
      isFile: false,
    }),
    UploadEnded: removed,
    FileMade: whenThere((upload) => ({ ...upload, isFile: true })),
  },
};

/** Nothing uses the bytes of an upload that became no file, so they go sooner. */
export const expiredKeptMillis = 1_800_000;
export const releasedKeptMillis = 3_600_000;

export const fileKey = (file: FileId): string => file.toString();

const ofFile = ({ data }: { readonly data: { readonly file: FileId } }): readonly string[] => [fileKey(data.file)];

/** The files that an event begins to use, and those that it does not use any more. */
type Change = { readonly gained: readonly FileId[]; readonly lost: readonly FileId[] };

const photoChanged = ({ file, replaced }: { readonly file: FileId; readonly replaced?: FileId }): Change => ({
  gained: [file],
  lost: replaced === undefined ? [] : [replaced],
});
const photoRemoved = ({ file }: { readonly file: FileId }): Change => ({ gained: [], lost: [file] });

type Previewing = { readonly gained?: FileId; readonly lost?: FileId };
const previewChanged = ({ gained, lost }: Previewing): Change => ({
  gained: gained === undefined ? [] : [gained],
  lost: lost === undefined ? [] : [lost],
});

const changeBy = {
  PreviewFound: previewChanged,
  PreviewsSuppressed: previewChanged,
  PreviewOutdated: previewChanged,
  PreviewRemoved: previewChanged,
  MessageSent: ({ files = [] }: EventOf<MessageEvent, 'MessageSent'>['data']): Change => ({ gained: files, lost: [] }),
  MessageForwarded: ({ files = [] }: EventOf<MessageEvent, 'MessageForwarded'>['data']): Change => ({
    gained: files,
    lost: [],
  }),
  MessageEdited: ({ filesGained = [], filesLost = [] }: EventOf<MessageEvent, 'MessageEdited'>['data']): Change => ({
    gained: filesGained,
    lost: filesLost,
  }),
  MessageDeleted: ({ files = [] }: EventOf<MessageEvent, 'MessageDeleted'>['data']): Change => ({
    gained: [],
    lost: files,
  }),
  MessageReported: ({ files = [] }: EventOf<ReportEvent, 'MessageReported'>['data']): Change => ({
    gained: files,
    lost: [],
  }),
  ReportEnded: ({ files }: EventOf<ReportEvent, 'ReportEnded'>['data']): Change => ({ gained: [], lost: files }),
  EmojiAdded: ({ emoji }: EventOf<StickerPackEvent, 'EmojiAdded'>['data']): Change => ({ gained: [emoji], lost: [] }),
  // An emoji that was removed is still shown where it was used.
  EmojiRemoved: ({ released }: EventOf<StickerPackEvent, 'EmojiRemoved'>['data']): Change => ({
    gained: [],
    lost: released,
  }),
  StickerPackEnded: ({ released }: EventOf<StickerPackEvent, 'StickerPackEnded'>['data']): Change => ({
    gained: [],
    lost: released,
  }),
  UserPhotoChanged: photoChanged,
  UserPhotoRemoved: photoRemoved,
  BannerChanged: photoChanged,
  BannerRemoved: photoRemoved,
  CommunityPhotoChanged: photoChanged,
  CommunityPhotoRemoved: photoRemoved,
  CommunityDeleted: ({ photo }: EventOf<CommunityEvent, 'CommunityDeleted'>['data']): Change => ({
    gained: [],
    lost: photo === undefined ? [] : [photo],
  }),
};

const changed = ({ gained, lost }: Change): readonly string[] => [...gained, ...lost].map(fileKey);

const counted = (document: FileDocument, { gained, lost }: Change, at: Millis): FileDocument => {
  if (gained.includes(document.file)) return { ...document, uses: document.uses + 1 };
  if (!lost.includes(document.file)) return document;
  return { ...document, uses: Math.max(0, document.uses - 1), since: at };
};

type MadeData = Pick<Made['data'], 'file' | 'uploader' | 'bytes' | 'at'>;
const made = (
  _: FileDocument | undefined,
  { data: { file, uploader, bytes, at } }: { readonly data: MadeData },
): FileDocument => ({ file, uploader, bytes, uses: 0, since: at });

export const fileDocuments: DocumentType<
  FileDocument,
  FileEvent | Attaching | PreviewUse | ReportUse | StickerPackEvent | PhotoUse
> = {
  name: 'files',
  version: 3,
  keys: {
    FileMade: ofFile,
    PagePictureMade: ofFile,
    FileUsed: ofFile,
    FileReleased: ofFile,
    FileRemoved: ofFile,
    MessageSent: ({ data }) => changed(changeBy.MessageSent(data)),
    MessageForwarded: ({ data }) => changed(changeBy.MessageForwarded(data)),
    MessageEdited: ({ data }) => changed(changeBy.MessageEdited(data)),
    MessageDeleted: ({ data }) => changed(changeBy.MessageDeleted(data)),
    PreviewFound: ({ data }) => changed(changeBy.PreviewFound(data)),
    PreviewsSuppressed: ({ data }) => changed(changeBy.PreviewsSuppressed(data)),
    PreviewOutdated: ({ data }) => changed(changeBy.PreviewOutdated(data)),
    PreviewRemoved: ({ data }) => changed(changeBy.PreviewRemoved(data)),
    MessageReported: ({ data }) => changed(changeBy.MessageReported(data)),
    ReportEnded: ({ data }) => changed(changeBy.ReportEnded(data)),
    EmojiAdded: ({ data }) => changed(changeBy.EmojiAdded(data)),
    EmojiRemoved: ({ data }) => changed(changeBy.EmojiRemoved(data)),
    StickerPackEnded: ({ data }) => changed(changeBy.StickerPackEnded(data)),
    UserPhotoChanged: ({ data }) => changed(changeBy.UserPhotoChanged(data)),
    UserPhotoRemoved: ({ data }) => changed(changeBy.UserPhotoRemoved(data)),
    BannerChanged: ({ data }) => changed(changeBy.BannerChanged(data)),
    BannerRemoved: ({ data }) => changed(changeBy.BannerRemoved(data)),
    CommunityPhotoChanged: ({ data }) => changed(changeBy.CommunityPhotoChanged(data)),
    CommunityPhotoRemoved: ({ data }) => changed(changeBy.CommunityPhotoRemoved(data)),
    CommunityDeleted: ({ data }) => changed(changeBy.CommunityDeleted(data)),
  },
  streams: 'log',
  indexes: {
    unused: ({ uses, dueAt, since, file }) => (uses === 0 && dueAt === undefined ? [[since, file]] : []),
    removable: ({ dueAt, file }) => (dueAt === undefined ? [] : [[dueAt, file]]),
    uploader: ({ uploader, file }) => [[uploader, file]],
  },
  evolve: {
    FileMade: made,
    PagePictureMade: made,
    FileUsed: whenThere((document, { data: { at } }) => ({ ...document, since: at })),
    FileReleased: (document, { data }) => released(document, data),
    FileRemoved: removed,
    MessageSent: whenThere((document, { data, at }) => counted(document, changeBy.MessageSent(data), at)),
    MessageForwarded: whenThere((document, { data, at }) => counted(document, changeBy.MessageForwarded(data), at)),
    MessageEdited: whenThere((document, { data, at }) => counted(document, changeBy.MessageEdited(data), at)),
    MessageDeleted: whenThere((document, { data, at }) => counted(document, changeBy.MessageDeleted(data), at)),
    PreviewFound: whenThere((document, { data, at }) => counted(document, changeBy.PreviewFound(data), at)),
    PreviewsSuppressed: whenThere((document, { data, at }) => counted(document, changeBy.PreviewsSuppressed(data), at)),
    PreviewOutdated: whenThere((document, { data, at }) => counted(document, changeBy.PreviewOutdated(data), at)),
    PreviewRemoved: whenThere((document, { data, at }) => counted(document, changeBy.PreviewRemoved(data), at)),
    MessageReported: whenThere((document, { data, at }) => counted(document, changeBy.MessageReported(data), at)),
    ReportEnded: whenThere((document, { data, at }) => counted(document, changeBy.ReportEnded(data), at)),
    EmojiAdded: whenThere((document, { data, at }) => counted(document, changeBy.EmojiAdded(data), at)),
    EmojiRemoved: whenThere((document, { data, at }) => counted(document, changeBy.EmojiRemoved(data), at)),
    StickerPackEnded: whenThere((document, { data, at }) => counted(document, changeBy.StickerPackEnded(data), at)),
    UserPhotoChanged: whenThere((document, { data, at }) => counted(document, changeBy.UserPhotoChanged(data), at)),
    UserPhotoRemoved: whenThere((document, { data, at }) => counted(document, changeBy.UserPhotoRemoved(data), at)),
    BannerChanged: whenThere((document, { data, at }) => counted(document, changeBy.BannerChanged(data), at)),
    BannerRemoved: whenThere((document, { data, at }) => counted(document, changeBy.BannerRemoved(data), at)),
    CommunityPhotoChanged: whenThere((document, { data, at }) =>
      counted(document, changeBy.CommunityPhotoChanged(data), at),
    ),
    CommunityPhotoRemoved: whenThere((document, { data, at }) =>
      counted(document, changeBy.CommunityPhotoRemoved(data), at),
    ),
    CommunityDeleted: whenThere((document, { data, at }) => counted(document, changeBy.CommunityDeleted(data), at)),
  },
};

const released = (
  document: FileDocument | undefined,
  { file, uploader, because, at }: EventOf<FileEvent, 'FileReleased'>['data'],
): FileDocument => ({
  ...(document ?? { file, uploader, bytes: 0, uses: 0, since: at }),
  dueAt: (at + (because === 'expired' ? expiredKeptMillis : releasedKeptMillis)) as Millis,
});

export const messageUseKey = (message: MessageId): string => `message.${message.toString()}`;

const ofUser = ({ data }: { readonly data: { readonly message: MessageId } }): readonly string[] => [
  messageUseKey(data.message),
];
const none: readonly string[] = [];

/** The picture of a preview is a use of its own, as edits of the message know nothing of it. */
const ofPreview = (event: PreviewUse): readonly string[] =>
  previewChanged(event.data).gained.length + previewChanged(event.data).lost.length === 0
    ? none
    : [`preview.${event.data.message.toString()}`];

export const fileUseDocuments: DocumentType<FileUseDocument, Attaching | PreviewUse> = {
  name: 'fileUses',
  version: 2,
  keys: {
    MessageSent: (event) => (isEmpty(event.data.files) ? none : ofUser(event)),
    MessageForwarded: (event) => (isEmpty(event.data.files) ? none : ofUser(event)),
    MessageEdited: (event) => (isEmpty(event.data.filesGained) && isEmpty(event.data.filesLost) ? none : ofUser(event)),
    MessageDeleted: (event) => (isEmpty(event.data.files) ? none : ofUser(event)),
    PreviewFound: ofPreview,
    PreviewsSuppressed: ofPreview,
    PreviewOutdated: ofPreview,
    PreviewRemoved: ofPreview,
  },
  streams: 'log',
  indexes: {
    byFile: ({ files, chat, message }) => files.map((file) => [file, chat, message]),
    byChat: ({ chat, message }) => [[chat, message]],
    byUser: ({ files, chat, message }) =>
      membersNamedBy(chat).flatMap((user) => files.map((file) => [file, user, chat, message])),
  },
  evolve: {
    MessageSent: (_, { data }) => using(data),
    MessageForwarded: (_, { data }) => using(data),
    MessageEdited: (_, { data }) => using(data),
    MessageDeleted: removed,
    PreviewFound: (_, { data }) => using({ ...data, files: previewChanged(data).gained }),
    PreviewsSuppressed: removed,
    PreviewOutdated: removed,
    PreviewRemoved: removed,
  },
};

const isEmpty = (files: readonly FileId[] | undefined): boolean => files === undefined || files.length === 0;

type Using = Pick<FileUseDocument, 'chat' | 'message'> & { readonly files?: readonly FileId[] };

const using = ({ chat, message, files = [] }: Using): FileUseDocument | undefined =>
  files.length === 0 ? undefined : { chat, message, files };

export const reportFilesDocuments: DocumentType<ReportFilesDocument, ReportUse> = {
  name: 'reportFiles',
  version: 1,
  keys: {
    MessageReported: ({ data, stream }) => (isEmpty(data.files) ? none : reportKeys(stream)),
    ReportEnded: ({ stream }) => reportKeys(stream),
  },
  streams: (key) => [reportStreams.named(key)],
  indexes: { byDay: ({ day, message, by }) => [[day, message, by]] },
  evolve: {
    MessageReported: (_, { data: { message, by, day } }) => ({ message, by, day }),
    ReportEnded: removed,
  },
};

const reportKeys = (stream: string): readonly string[] => [reportStreams.keyOf(stream) ?? stream];

type OfUser = { readonly data: { readonly user: UserId } };
const ofPhoto = ({ data: { user } }: OfUser): readonly string[] => [`photo.${user.toString()}`];
const ofBanner = ({ data: { user } }: OfUser): readonly string[] => [`banner.${user.toString()}`];
type OfCommunity = { readonly data: { readonly community: CommunityId } };
const ofCommunity = ({ data: { community } }: OfCommunity): readonly string[] => [`community.${community.toString()}`];

type PhotoData = Pick<PhotoUseDocument, 'file' | 'content'>;
const photoUse = ({ file, content }: PhotoData, [holder = '']: readonly string[]): PhotoUseDocument => ({
  holder,
  file,
  content,
});

export const photoUseDocuments: DocumentType<PhotoUseDocument, PhotoUse> = {
  name: 'photoUses',
  version: 1,
  keys: {
    UserPhotoChanged: ofPhoto,
    UserPhotoRemoved: ofPhoto,
    BannerChanged: ofBanner,
    BannerRemoved: ofBanner,
    CommunityPhotoChanged: ofCommunity,
    CommunityPhotoRemoved: ofCommunity,
    CommunityDeleted: ofCommunity,
  },
  streams: 'log',
  indexes: { byFile: ({ file, holder }) => [[file, holder]] },
  evolve: {
    UserPhotoChanged: (_, event) => photoUse(event.data, ofPhoto(event)),
    UserPhotoRemoved: removed,
    BannerChanged: (_, event) => photoUse(event.data, ofBanner(event)),
    BannerRemoved: removed,
    CommunityPhotoChanged: (_, event) => photoUse(event.data, ofCommunity(event)),
    CommunityPhotoRemoved: removed,
    CommunityDeleted: removed,
  },
};
