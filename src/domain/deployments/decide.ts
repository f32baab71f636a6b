import type { Decider } from '../../kernel/decider.js';
import type { IdentityCommand, KeysCommand } from './commands.js';
import { identityStream, keysStream, type IdentityEvent, type KeyCountEvent } from './events.js';
import { evolveIdentity, evolveKeys, keysOf, uncounted, unnamed, type IdentityState, type KeysState } from './state.js';

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
