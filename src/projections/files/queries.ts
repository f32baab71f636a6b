import type { ChatKey } from '../../kernel/chat.js';
import type { FileId, MessageId, Millis, UserId } from '../../kernel/ids.js';
import { countIn, documentsIn, documentsOf, type Reads } from '../reading/queries.js';
import type {
  FileDocument,
  FileUseDocument,
  PhotoUseDocument,
  ReportFilesDocument,
  UploadDocument,
} from './documents.js';
import {
  fileDocuments,
  fileKey,
  fileUseDocuments,
  photoUseDocuments,
  reportFilesDocuments,
  uploadDocuments,
} from './fold.js';

/** How many uploads of the user are no file yet, up to `limit`. */
export const openUploadCount = (reads: Reads, user: UserId, limit: number): Promise<number> =>
  countIn(reads, uploadDocuments, { index: 'open', within: [user], limit });

/** Times strictly between two; without the first of them all before the second. */
export type DueSpan = { readonly after?: Millis; readonly before: Millis };

/** Uploads that began in this span, the oldest first. */
export const uploadsBegunIn = (reads: Reads, span: DueSpan, limit: number): Promise<readonly UploadDocument[]> =>
  documentsIn(reads, uploadDocuments, { index: 'begun', within: [], ...span, order: 'ascending', limit });

/** Files that nothing has used since a time in this span, those first that were used the longest ago. */
export const filesUnusedSince = (reads: Reads, span: DueSpan, limit: number): Promise<readonly FileDocument[]> =>
  documentsIn(reads, fileDocuments, { index: 'unused', within: [], ...span, order: 'ascending', limit });

/** In some order; those without a document are left out. */
export const filesById = (reads: Reads, files: readonly FileId[]): Promise<readonly FileDocument[]> =>
  documentsOf(reads, fileDocuments, files.map(fileKey));

/** Released files whose bytes may go since a time in this span. */
export const filesRemovableSince = (reads: Reads, span: DueSpan, limit: number): Promise<readonly FileDocument[]> =>
  documentsIn(reads, fileDocuments, { index: 'removable', within: [], ...span, order: 'ascending', limit });

/** The first use of the file in a chat whose key is above `after`, in the order of these keys. */
export const firstUseAfter = async (
  reads: Reads,
  file: FileId,
  after: string,
): Promise<FileUseDocument | undefined> => {
  const range = { index: 'byFile', within: [file], after, order: 'ascending', limit: 1 } as const;
  return (await documentsIn(reads, fileUseDocuments, range))[0];
};

/** The same of this chat and those above it. */
export const firstUseFrom = (reads: Reads, file: FileId, chat: ChatKey): Promise<FileUseDocument | undefined> => {
  // Keys of chats end with a digit, and have no tilde, so none is between the two.
  const end = chat.length - 1;
  const below = `${chat.slice(0, end)}${String.fromCharCode(chat.charCodeAt(end) - 1)}~`;
  return firstUseAfter(reads, file, below);
};

/** The same of the chats whose keys name the user: direct chats and saved messages. */
export const firstOwnUseAfter = async (
  reads: Reads,
  { file, user }: { readonly file: FileId; readonly user: UserId },
  after: string,
): Promise<FileUseDocument | undefined> => {
  const range = { index: 'byUser', within: [file, user], after, order: 'ascending', limit: 1 } as const;
  return (await documentsIn(reads, fileUseDocuments, range))[0];
};

/** The first uses of the file in the chat. */
export const usesIn = (
  reads: Reads,
  file: FileId,
  { chat, limit }: { readonly chat: ChatKey; readonly limit: number },
): Promise<readonly FileUseDocument[]> =>
  documentsIn(reads, fileUseDocuments, { index: 'byFile', within: [file, chat], order: 'ascending', limit });

/** Reports with files that were made before this day of the log, the oldest first. */
export const reportsWithFilesBefore = (
  reads: Reads,
  day: number,
  limit: number,
): Promise<readonly ReportFilesDocument[]> =>
  documentsIn(reads, reportFilesDocuments, { index: 'byDay', within: [], before: day, order: 'ascending', limit });

/** One of the uses of the file as a photo that everybody may read. */
export const photoUseOf = async (reads: Reads, file: FileId): Promise<PhotoUseDocument | undefined> =>
  (await documentsIn(reads, photoUseDocuments, { index: 'byFile', within: [file], order: 'ascending', limit: 1 }))[0];

/** The first chat above this one that has messages with files; the first of all above ''. */
export const firstChatAfter = async (reads: Reads, after: string): Promise<ChatKey | undefined> => {
  const range = { index: 'byChat', within: [], after, order: 'ascending', limit: 1 } as const;
  return (await documentsIn(reads, fileUseDocuments, range))[0]?.chat;
};

/** The messages of a chat that use files, of those above this one, by id. */
export const usesAfter = (
  reads: Reads,
  chat: ChatKey,
  page: { readonly after: MessageId; readonly limit: number },
): Promise<readonly FileUseDocument[]> =>
  documentsIn(reads, fileUseDocuments, { ...page, index: 'byChat', within: [chat], order: 'ascending' });
