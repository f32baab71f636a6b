import type { Decider } from '../../kernel/decider.js';
import type { VisibilityCommand } from './commands.js';
import { visibilityStream, type VisibilityEvent } from './events.js';
import { evolve, initial, type VisibilityState } from './state.js';

export const visibilities: Decider<VisibilityCommand, VisibilityState, VisibilityEvent> = {
  stream: ({ data }) => visibilityStream(data.session),
  initial,
  evolve,
  // Former choices are of no use to anybody.
  keepsEvents: 1,
  rules: {
    ChooseVisibility: ({ user, session, visibility, at }, chosen) => {
      if (visibility === chosen.visibility) return [];
      const type = visibility === 'invisible' ? 'InvisibilityChosen' : 'VisibilityChosen';
      return [{ type, data: { user, session, at } }];
    },
  },
};
