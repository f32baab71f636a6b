import { reject, type Decider } from '../../kernel/decider.js';
import type { ReactionCommand } from './commands.js';
import { reactionStream, type ReactionEvent } from './events.js';
import { evolve, initial, type ReactionState } from './state.js';

/**
 * Events of one user about one message after which the user can add nothing more to it. Taking back stays possible, so
 * a stream has at most as many events as this and one more for each emoji that is left then.
 */
export const changesMax = 200;

export const reactions: Decider<ReactionCommand, ReactionState, ReactionEvent> = {
  stream: ({ data }) => reactionStream(data.message, data.user),
  initial,
  evolve,
  rules: {
    AddReaction: (data, { emoji, changes }) => {
      if (emoji.includes(data.emoji)) return [];
      if (changes >= changesMax) return reject('RATE_LIMITED', 'you changed your reactions to this message too often');
      return [{ type: 'ReactionAdded', data }];
    },
    RemoveReaction: (data, { emoji }) => (emoji.includes(data.emoji) ? [{ type: 'ReactionRemoved', data }] : []),
  },
};
