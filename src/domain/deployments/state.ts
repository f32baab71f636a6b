import type { Fold } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import type { DayCountEvent, IdentityEvent, KeyCountEvent } from './events.js';

export type IdentityState =
  | { readonly status: 'unnamed' }
  | {
      readonly status: 'named';
      readonly deployment: string;
      /** Names of before keys were given up, oldest first. */
      readonly former: readonly string[];
      /** The last event of the stream gave keys up, so events before it in the log may not open. */
      readonly givenUp: boolean;
    };

export const unnamed: IdentityState = { status: 'unnamed' };

export const evolveIdentity: Fold<IdentityState, IdentityEvent> = {
  DeploymentNamed: (_, { data: { deployment } }) => ({
    status: 'named',
    deployment,
    former: [],
    givenUp: false,
  }),
  KeysGivenUp: (state, { data: { deployment } }) => ({
    status: 'named',
    deployment,
    former: state.status === 'named' ? [...state.former, state.deployment] : [],
    givenUp: true,
  }),
};

export type KeysState =
  { readonly status: 'uncounted' } | { readonly status: 'counted'; readonly deployment: string; readonly keys: number };

export const uncounted = { status: 'uncounted' } as const;

export const evolveKeys: Fold<KeysState, KeyCountEvent> = {
  KeysCounted: (_, { data }) => ({ status: 'counted', ...data }),
};

/** How many keys the vault of a deployment had, as far as the log knows. */
export const keysOf = (state: KeysState, deployment: string): number =>
  state.status === 'counted' && state.deployment === deployment ? state.keys : 0;

export type DaysState =
  { readonly status: 'uncounted' } | { readonly status: 'counted'; readonly days: number; readonly clock: Millis };

export const evolveDays: Fold<DaysState, DayCountEvent> = {
  DaysCounted: (_, { data }) => ({ status: 'counted', ...data }),
};
