import type { Command } from '../../kernel/decider.js';
import type { Millis, SessionId, UserId } from '../../kernel/ids.js';

export type Visibility = 'visible' | 'invisible';

export type VisibilityCommand = Command<
  'ChooseVisibility',
  {
    readonly user: UserId;
    readonly session: SessionId;
    readonly visibility: Visibility;
    /** When it was chosen. */
    readonly at: Millis;
  }
>;
