import { reject, type Decider } from '../../kernel/decider.js';
import type { ReactionCommand } from './commands.js';
import { customEmojiOf, reactionStream, type ReactionEvent } from './events.js';
import { evolve, initial, type Put, type ReactionState } from './state.js';

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
    AddReaction: (data, { reactions: put, changes }) => {
      if (changeOf(put, data) !== undefined) return [];
      if (changes >= changesMax) return reject('RATE_LIMITED', 'you changed your reactions to this message too often');
      return [added(data)];
    },
    RemoveReaction: (data, { reactions: put }) => (changeOf(put, data) === undefined ? [] : [takenBack(data)]),
    // It may have been taken back since, and put there again with the right to do so.
    WithdrawReaction: ({ change, ...data }, { reactions: put }) =>
      changeOf(put, data) === change ? [takenBack({ ...data, because: 'rightLost' })] : [],
  },
};

type Reacting = Extract<ReactionCommand, { readonly type: 'AddReaction' }>['data'];

const changeOf = (put: readonly Put[], { reaction }: Pick<Reacting, 'reaction'>): number | undefined =>
  put.find((other) => other.reaction === reaction)?.change;

const added = ({ reaction, ...about }: Reacting): ReactionEvent => {
  const emoji = customEmojiOf(reaction);
  return emoji === undefined
    ? { type: 'ReactionAdded', data: { ...about, emoji: reaction } }
    : { type: 'CustomReactionAdded', data: { ...about, emoji } };
};

const takenBack = ({ reaction, ...about }: Reacting & { readonly because?: 'rightLost' }): ReactionEvent => {
  const emoji = customEmojiOf(reaction);
  return emoji === undefined
    ? { type: 'ReactionRemoved', data: { ...about, emoji: reaction } }
    : { type: 'CustomReactionRemoved', data: { ...about, emoji } };
};
