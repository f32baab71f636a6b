import type { Fold } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import type { Visibility } from './commands.js';
import type { VisibilityEvent } from './events.js';

export type VisibilityState = {
  readonly visibility: Visibility;
  /** When it was chosen; undefined for a session that never chose. */
  readonly at: Millis | undefined;
};

export const initial: VisibilityState = { visibility: 'visible', at: undefined };

export const evolve: Fold<VisibilityState, VisibilityEvent> = {
  InvisibilityChosen: (_, { data: { at } }) => ({ visibility: 'invisible', at }),
  VisibilityChosen: (_, { data: { at } }) => ({ visibility: 'visible', at }),
};
