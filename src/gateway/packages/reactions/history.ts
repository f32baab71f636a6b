import { MessageReactions, type MessageReactionsInit } from '../../../gen/reactions.js';
import type { HistoryPart } from '../../contract/historyPart.js';
import { encodedFitting } from '../../rendering/answerSize.js';
import { reactionsOnPage } from '../../rendering/reactions.js';

/** Reactions to the messages of a page, of which a hundred with twenty emoji each fit. */
export const reactionsInHistory: HistoryPart = {
  reads: ['reactions'],
  share: 0.18,
  partOf: async ({ reads, messages, viewer, bytesMax, meter }) => {
    const found = await reactionsOnPage(reads, messages, viewer);
    const made = (reactions: (typeof found)[number]): MessageReactionsInit => reactions;
    return { reactions: await encodedFitting(found, { codec: MessageReactions, made, bytesMax }, meter) };
  },
};
