import type { Fold } from '../../kernel/event.js';
import { reactionOf, type Reaction, type ReactionEvent } from './events.js';

export type ReactionState = {
  /** In the order in which the user put them there. */
  readonly reactions: readonly Reaction[];
  /** How often the user has added one or taken one back. */
  readonly changes: number;
};

export const initial: ReactionState = { reactions: [], changes: 0 };

const added = ({ reactions, changes }: ReactionState, event: ReactionEvent): ReactionState => ({
  reactions: [...reactions, reactionOf(event)],
  changes: changes + 1,
});

const takenBack = ({ reactions, changes }: ReactionState, event: ReactionEvent): ReactionState => ({
  reactions: reactions.filter((other) => other !== reactionOf(event)),
  changes: changes + 1,
});

export const evolve: Fold<ReactionState, ReactionEvent> = {
  ReactionAdded: added,
  ReactionRemoved: takenBack,
  CustomReactionAdded: added,
  CustomReactionRemoved: takenBack,
};
