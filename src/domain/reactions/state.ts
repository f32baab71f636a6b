import type { Fold } from '../../kernel/event.js';
import type { ReactionEvent } from './events.js';

export type ReactionState = {
  /** In the order in which the user put them there. */
  readonly emoji: readonly string[];
  /** How often the user has added one or taken one back. */
  readonly changes: number;
};

export const initial: ReactionState = { emoji: [], changes: 0 };

export const evolve: Fold<ReactionState, ReactionEvent> = {
  ReactionAdded: ({ emoji, changes }, { data }) => ({
    emoji: [...emoji, data.emoji],
    changes: changes + 1,
  }),
  ReactionRemoved: ({ emoji, changes }, { data }) => ({
    emoji: emoji.filter((other) => other !== data.emoji),
    changes: changes + 1,
  }),
};
