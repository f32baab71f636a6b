import type { CommunityId, FileId, Millis, StickerPackId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/**
 * A custom emoji, which is a use of the file of the same id. Key: its id, in decimal. Stays once it was removed from its
 * pack, for as long as it is shown where it was used.
 */
export type EmojiDocument = {
  readonly emoji: FileId;
  readonly community: CommunityId;
  readonly pack: StickerPackId;
  /** Nobody can use it any more. */
  readonly removed: boolean;
  readonly name: Personal<string>;
  /** Opens the bytes of the file, in base64url. */
  readonly key: Personal<string>;
  readonly mimetype: Personal<string>;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
};

/** The pack of a community. Two keys, which have the same document: the ids of the pack and of the community, in decimal. */
export type StickerPackDocument = {
  readonly pack: StickerPackId;
  readonly community: CommunityId;
  /** Those that can be used, the oldest first; at most `emojiMax`, and those of erased users besides. */
  readonly emoji: readonly FileId[];
  readonly changedAt: Millis;
};
