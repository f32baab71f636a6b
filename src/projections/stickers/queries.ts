import type { AttachedFile } from '../../domain/messages/events.js';
import type { CommunityId, FileId, StickerPackId } from '../../kernel/ids.js';
import { isShredded, opened } from '../../kernel/opened.js';
import { documentOf, documentsOf, type Reads } from '../reading/queries.js';
import type { EmojiDocument, StickerPackDocument } from './documents.js';
import { emojiDocuments, emojiKey, stickerPackDocuments, stickerPackKey } from './fold.js';

/** An emoji that can be shown, in its pack or where it was used. */
export type ShownEmoji = Pick<EmojiDocument, 'emoji' | 'community' | 'removed'> & {
  /** Its picture, in the form of what is attached to a message. */
  readonly file: AttachedFile;
};

/** In the order of `ids`, removed ones among them. Left out are those that are gone, never were, or are of erased users. */
export const emojiById = async (reads: Reads, ids: readonly FileId[]): Promise<readonly ShownEmoji[]> =>
  (await documentsOf(reads, emojiDocuments, ids.map(emojiKey))).flatMap(shown);

const shown = ({ emoji, community, removed, pack, bytes, ...rest }: EmojiDocument): readonly ShownEmoji[] => {
  const [name, key, mimetype] = [opened(rest.name), opened(rest.key), opened(rest.mimetype)];
  if (isShredded(name) || isShredded(key) || isShredded(mimetype)) return [];
  const { width, height, animated } = rest;
  const metadata = { kind: 'customEmoji', width, height, animated, emoji: name, pack } as const;
  return [{ emoji, community, removed, file: { file: emoji, key, bytes, mimetype, metadata } }];
};

/** The pack of this id, or that of the community of this id; undefined where there never was an emoji. */
export const stickerPack = (reads: Reads, id: StickerPackId | CommunityId): Promise<StickerPackDocument | undefined> =>
  documentOf(reads, stickerPackDocuments, stickerPackKey(id));

/** In the order of the communities; those that never had an emoji are left out. */
export const stickerPacksOf = (
  reads: Reads,
  communities: readonly CommunityId[],
): Promise<readonly StickerPackDocument[]> => documentsOf(reads, stickerPackDocuments, communities.map(stickerPackKey));
