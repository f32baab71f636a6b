import type { StickerPackEvent } from '../../domain/stickers/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { CommunityId, FileId, StickerPackId } from '../../kernel/ids.js';
import { removed, whenThere } from '../runner/foldHelpers.js';
import type { EmojiDocument, StickerPackDocument } from './documents.js';

export const emojiKey = (emoji: FileId): string => emoji.toString();

export const emojiDocuments: DocumentType<EmojiDocument, StickerPackEvent> = {
  name: 'emoji',
  version: 1,
  keys: {
    EmojiAdded: ({ data }) => [emojiKey(data.emoji)],
    EmojiRemoved: ({ data }) => [...new Set([data.emoji, ...data.released].map(emojiKey))],
    StickerPackEnded: ({ data }) => data.released.map(emojiKey),
  },
  // Its events are in the stream of its community, which the key does not name.
  streams: 'log',
  indexes: {},
  evolve: {
    // One that is in a pack already stays there: of two nodes each may have been asked to put a file into another pack.
    EmojiAdded: (document, { data: { uploader: _, ...emoji } }) => document ?? { ...emoji, removed: false },
    EmojiRemoved: whenThere((document, { data: { community, released } }) => {
      if (document.community !== community) return document;
      return released.includes(document.emoji) ? undefined : { ...document, removed: true };
    }),
    StickerPackEnded: whenThere((document, { data: { community } }) =>
      document.community === community ? undefined : document,
    ),
  },
};

/** An id names either a pack or a community: ids are unique over all kinds. */
export const stickerPackKey = (id: StickerPackId | CommunityId): string => id.toString();

type InPack = { readonly data: { readonly pack: StickerPackId; readonly community: CommunityId } };

const ofPack = ({ data: { pack, community } }: InPack): readonly string[] => [
  stickerPackKey(pack),
  stickerPackKey(community),
];

export const stickerPackDocuments: DocumentType<StickerPackDocument, StickerPackEvent> = {
  name: 'stickerPacks',
  version: 1,
  keys: { EmojiAdded: ofPack, EmojiRemoved: ofPack, StickerPackEnded: ofPack },
  // Of its two keys one does not name the stream.
  streams: 'log',
  indexes: {},
  evolve: {
    EmojiAdded: (document, { data: { pack, community, emoji }, at }) => ({
      pack,
      community,
      emoji: [...(document?.emoji ?? []), emoji],
      changedAt: at,
    }),
    EmojiRemoved: whenThere((document, { data: { emoji: gone }, at }) => ({
      ...document,
      emoji: document.emoji.filter((emoji) => emoji !== gone),
      changedAt: at,
    })),
    StickerPackEnded: removed,
  },
};
