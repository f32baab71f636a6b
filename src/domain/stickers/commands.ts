import type { Command } from '../../kernel/decider.js';
import type { CommunityId, FileId, StickerPackId, UserId } from '../../kernel/ids.js';

type InPack = { readonly community: CommunityId };

export type StickerPackCommand =
  | Command<
      'AddStickerToPack',
      InPack & {
        /** The id of the pack, if there is none yet. */
        readonly newPack: StickerPackId;
        readonly emoji: FileId;
        readonly uploader: UserId;
        readonly name: string;
        readonly key: string;
        readonly mimetype: string;
        readonly bytes: number;
        readonly width: number;
        readonly height: number;
        readonly animated: boolean;
      }
    >
  | Command<'RemoveStickerFromPack', InPack & { readonly emoji: FileId; readonly by: UserId }>
  | Command<'EndStickerPack', InPack>;
