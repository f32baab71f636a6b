import type { Fold } from '../../kernel/event.js';
import { reactionOf, type Reaction, type ReactionEvent } from './events.js';

export type ReactionState = {
  /** In the order in which the user put them there. */
  readonly reactions: readonly Put[];
  /** How often the user has added one or taken one back. */
  readonly changes: number;
};

/** `change`: the number of the user's change with which it came. */
export type Put = { readonly reaction: Reaction; readonly change: number };

export const initial: ReactionState = { reactions: [], changes: 0 };

const added = ({ reactions, changes }: ReactionState, event: ReactionEvent): ReactionState => ({
  reactions: [...reactions, { reaction: reactionOf(event), change: changes + 1 }],
  changes: changes + 1,
});

const takenBack = ({ reactions, changes }: ReactionState, event: ReactionEvent): ReactionState => ({
  reactions: reactions.filter(({ reaction }) => reaction !== reactionOf(event)),
  changes: changes + 1,
});

export const evolve: Fold<ReactionState, ReactionEvent> = {
  ReactionAdded: added,
  ReactionRemoved: takenBack,
  CustomReactionAdded: added,
  CustomReactionRemoved: takenBack,
};
