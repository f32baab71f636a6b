import type { Decider } from '../../kernel/decider.js';
import type { DaysCommand, IdentityCommand, KeysCommand } from './commands.js';
import {
  daysStream,
  identityStream,
  keysStream,
  type DayCountEvent,
  type IdentityEvent,
  type KeyCountEvent,
} from './events.js';
import {
  evolveDays,
  evolveIdentity,
  evolveKeys,
  keysOf,
  uncounted,
  unnamed,
  type DaysState,
  type IdentityState,
  type KeysState,
} from './state.js';

export const identities: Decider<IdentityCommand, IdentityState, IdentityEvent> = {
  stream: () => identityStream,
  initial: unnamed,
  evolve: evolveIdentity,
  rules: {
    // A log keeps its first name: a second node that starts at the same moment finds the name there.
    NameDeployment: (named, state) => (state.status === 'unnamed' ? [{ type: 'DeploymentNamed', data: named }] : []),

    GiveUpKeys: ({ deployment }, state) =>
      state.status === 'named' && state.deployment === deployment
        ? []
        : [{ type: 'KeysGivenUp', data: { deployment } }],
  },
};

export const keyCounts: Decider<KeysCommand, KeysState, KeyCountEvent> = {
  stream: () => keysStream,
  initial: uncounted,
  evolve: evolveKeys,
  keepsEvents: 1,
  rules: {
    // Nodes count at different moments, so a lower count is an older one.
    CountKeys: (counted, state) =>
      counted.keys > keysOf(state, counted.deployment) ? [{ type: 'KeysCounted', data: counted }] : [],
  },
};

export const dayCounts: Decider<DaysCommand, DaysState, DayCountEvent> = {
  stream: () => daysStream,
  initial: uncounted,
  evolve: evolveDays,
  keepsEvents: 1,
  rules: {
    // A clock that was ten years ahead and is right again would otherwise hide the pauses of ten years.
    BeginDays: ({ clock }, state) => {
      if (state.status === 'uncounted') return [{ type: 'DaysCounted', data: { days: 0, clock } }];
      return clock < state.clock ? [{ type: 'DaysCounted', data: { days: state.days, clock } }] : [];
    },

    // Two nodes that count at the same moment count one day.
    CountDay: ({ after, clock }, state) =>
      state.status === 'counted' && state.days === after
        ? [{ type: 'DaysCounted', data: { days: after + 1, clock } }]
        : [],
  },
};
