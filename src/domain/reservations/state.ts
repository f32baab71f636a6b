import type { Fold } from '../../kernel/event.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { ReservationEvent } from './events.js';

export type ReservationState =
  { readonly status: 'free' } | { readonly status: 'claimed'; readonly holder: UserId; readonly at: Millis };

export const initial: ReservationState = { status: 'free' };

export const evolve: Fold<ReservationState, ReservationEvent> = {
  NameClaimed: (_, { data }) => ({ status: 'claimed', holder: data.holder, at: data.at }),
  NameReleased: () => ({ status: 'free' }),
};
