import { describe, it } from 'node:test';
import type { NameKind, ReservationCommand } from '../../../src/domain/reservations/commands.js';
import { reservations } from '../../../src/domain/reservations/decide.js';
import type { ReservationEvent } from '../../../src/domain/reservations/events.js';
import type { Millis, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(reservations);
const ada = 1n as UserId;
const bob = 2n as UserId;
const at = 1_767_225_600_000 as Millis;
const about = (holder: UserId, kind: NameKind = 'username') => ({ kind, key: 'abc', holder });
const claimed = (holder: UserId): Bare<ReservationEvent> => ({
  type: 'NameClaimed',
  data: { ...about(holder), at },
});
const released = (holder: UserId): Bare<ReservationEvent> => ({ type: 'NameReleased', data: about(holder) });
const claim = (holder: UserId, kind?: NameKind): ReservationCommand => ({
  type: 'ClaimName',
  data: { ...about(holder, kind), at },
});
const release = (holder: UserId, claimedAt = at): ReservationCommand => ({
  type: 'ReleaseName',
  data: { ...about(holder), claimedAt },
});

describe('claiming a name', () => {
  it('that is free makes it theirs', () => {
    given().when(claim(ada)).then(claimed(ada));
  });
  it('of somebody else is refused', () => {
    given(claimed(ada)).when(claim(bob)).refuses('USERNAME_TAKEN');
    given(claimed(ada)).when(claim(bob, 'email')).refuses('EMAIL_TAKEN');
  });
  it('again is another claim, and never of the same moment, so that it is not given up with the one before', () => {
    const claimedAt = (later: number): Bare<ReservationEvent> => ({
      type: 'NameClaimed',
      data: { ...about(ada), at: later as Millis },
    });
    const again = { ...about(ada), at: (at + 5) as Millis };
    given(claimed(ada))
      .when({ type: 'ClaimName', data: again })
      .then(claimedAt(at + 5));
    given(claimed(ada))
      .when(claim(ada))
      .then(claimedAt(at + 1));
  });
  it('that was given up is for anybody', () => {
    given(claimed(ada), released(ada)).when(claim(bob)).then(claimed(bob));
  });
});

describe('releasing a name', () => {
  it('leaves alone a claim that was made again since', () => {
    given(claimed(ada))
      .when(release(ada, (at - 1) as Millis))
      .then();
  });
  it('is a fact, once', () => {
    given(claimed(ada)).when(release(ada)).thenOnce(released(ada));
  });
  it('leaves alone what is not theirs', () => {
    given(claimed(bob)).when(release(ada)).then();
    given().when(release(ada)).then();
  });
});
