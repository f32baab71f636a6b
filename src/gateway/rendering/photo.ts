import type { PhotoContent } from '../../domain/files/events.js';
import type { ChatPhotoInit } from '../../gen/types.js';
import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import type { Personal } from '../../kernel/personal.js';

type Shown = { readonly file: FileId; readonly content: Personal<PhotoContent> };

/** None where there is none, and none whose key is erased. */
export const photoFor = (photo: Shown | undefined): ChatPhotoInit | undefined => {
  const content = photo && unless(photo.content, undefined);
  return photo && content && chatPhoto(photo.file, content);
};

export const chatPhoto = (fileId: FileId, { thumb }: Pick<PhotoContent, 'thumb'>): ChatPhotoInit => ({
  fileId,
  preview: Buffer.from(thumb, 'base64url'),
});
