import type { HistoryPart } from '../../contract/historyPart.js';
import { fitting } from '../../rendering/answerSize.js';
import { bytesOfReactions, reactionsOnPage } from '../../rendering/reactions.js';

/** Reactions to the messages of a page, of which a hundred with twenty emoji each fit. */
export const reactionsInHistory: HistoryPart = {
  reads: ['reactions'],
  share: 0.18,
  partOf: async ({ reads, messages, viewer, bytesMax }) => ({
    reactions: fitting(await reactionsOnPage(reads, messages, viewer), bytesMax, bytesOfReactions),
  }),
};
