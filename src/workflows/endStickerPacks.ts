import type { CommunityEvent } from '../domain/communities/events.js';
import { stickerPacks } from '../domain/stickers/decide.js';
import type { EventOf } from '../kernel/event.js';
import type { Workflow } from './runner.js';

/** Whenever a community was deleted, its pack ends, and uses the files of its emoji no more. */
export const endStickerPacks: Workflow<EventOf<CommunityEvent, 'CommunityDeleted'>> = {
  name: 'endStickerPacks',
  // A pack that was left would keep its files for ever; one that has ended stays so.
  begins: 'start',
  belongsTo: 'deployment',
  reactions: {
    CommunityDeleted: async ({ data: { community } }, run) => {
      await run(stickerPacks, { type: 'EndStickerPack', data: { community } }, `deleted.${community.toString()}`);
    },
  },
};
