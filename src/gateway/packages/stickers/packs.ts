import type { FileInit } from '../../../gen/media.js';
import { StickerPackType, type StickerPackInit } from '../../../gen/stickers.js';
import type { CommunityId, StickerPackId } from '../../../kernel/ids.js';
import type { CommunityDocument } from '../../../projections/communities/documents.js';
import { shownName } from '../../rendering/user.js';

export type ShownPack = {
  /** That of its community as long as there never was an emoji. */
  readonly id: StickerPackId | CommunityId;
  readonly files: readonly FileInit[];
};

/** A pack is called as its community is. */
export const packFor = (community: CommunityDocument | undefined, { id, files }: ShownPack): StickerPackInit => ({
  // Ids are unique over all kinds, so one of a community names its pack.
  id: id as bigint as StickerPackId,
  type: StickerPackType.EMOJI,
  name: community === undefined ? '' : shownName(community.name),
  stickers: files,
});
