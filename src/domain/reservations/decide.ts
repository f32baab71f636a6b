import { reject, type Decider } from '../../kernel/decider.js';
import type { Millis } from '../../kernel/ids.js';
import type { ReservationCommand } from './commands.js';
import { reservationStream, type ReservationEvent } from './events.js';
import { evolve, initial, type ReservationState } from './state.js';

export const reservations: Decider<ReservationCommand, ReservationState, ReservationEvent> = {
  stream: ({ data }) => reservationStream(data.kind, data.key),
  initial,
  evolve,
  foldsFromLatest: true,
  rules: {
    ClaimName: (claim, state) => {
      if (state.status === 'free') return [{ type: 'NameClaimed', data: claim }];
      if (state.holder !== claim.holder) return reject(claim.kind === 'email' ? 'EMAIL_TAKEN' : 'USERNAME_TAKEN');
      // A claim made again is a claim of its own, never of the same moment. So a writer that takes the one before for
      // left behind, or is just giving it up, leaves this one alone.
      const at = Math.max(claim.at, state.at + 1) as Millis;
      return [{ type: 'NameClaimed', data: { ...claim, at } }];
    },

    // Somebody else's claim is left alone, and so is a later one of the same holder: they were made after this one.
    ReleaseName: ({ claimedAt, ...release }, state) =>
      state.status === 'claimed' && state.holder === release.holder && state.at === claimedAt
        ? [{ type: 'NameReleased', data: release }]
        : [],
  },
};
