import { communities } from '../domain/communities/decide.js';
import { communityStream, type CommunityEvent } from '../domain/communities/events.js';
import { stickerPacks } from '../domain/stickers/decide.js';
import type { StickerPackEvent } from '../domain/stickers/events.js';
import type { EventOf } from '../kernel/event.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import type { Workflow } from './runner.js';

export type EndStickerPacksNeeds = { readonly streams: Pick<FoldedStreams, 'caughtUp'> };

type Reacts = EventOf<CommunityEvent, 'CommunityDeleted'> | EventOf<StickerPackEvent, 'EmojiAdded'>;

/**
 * Whenever a community was deleted, its pack ends, and uses the files of its emoji no more. Another node may add the first
 * emoji behind the deletion, of which it has not heard: then there was no pack to end, and that one ends at once.
 */
export const endStickerPacks = ({ streams }: EndStickerPacksNeeds): Workflow<Reacts> => ({
  name: 'endStickerPacks',
  // A pack that was left would keep its files for ever; one that has ended stays so.
  begins: 'start',
  belongsTo: 'deployment',
  reactions: {
    CommunityDeleted: async ({ data: { community } }, run) => {
      await run(stickerPacks, { type: 'EndStickerPack', data: { community } }, `deleted.${community.toString()}`);
    },
    EmojiAdded: async ({ id, data: { community } }, run) => {
      const { state } = await streams.caughtUp(communityStream(community), communities);
      if (state.status !== 'deleted') return;
      await run(stickerPacks, { type: 'EndStickerPack', data: { community } }, `addedLate.${id}`);
    },
  },
});
