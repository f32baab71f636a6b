import { describe, it } from 'node:test';
import type { AccountCommand, SessionDevice } from '../../../src/domain/accounts/commands.js';
import {
  accounts,
  emailKeysMax,
  sessionsMax,
  unusedDaysMax,
  useNotedDays,
} from '../../../src/domain/accounts/decide.js';
import { networksMax } from '../../../src/domain/accounts/state.js';
import type { AccountEvent } from '../../../src/domain/accounts/events.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(accounts);
const user = 1n as UserId;
const session = (id: number): SessionId => BigInt(id) as SessionId;
const laptop: SessionDevice = { clientId: 7, deviceType: 'laptop', deviceVersion: '1', appVersion: '2' };
const phone: SessionDevice = { ...laptop, deviceType: 'phone' };

const opening = (id: number, device = laptop) => ({
  user,
  session: session(id),
  tokenHash: `hash ${id.toString()}`,
  device,
  today: 0,
});
const registered: Bare<AccountEvent> = { type: 'AccountRegistered', data: { user, hasPassword: false } };
const opened = (id: number): Bare<AccountEvent> => ({
  type: 'SessionOpened',
  data: {
    user,
    session: session(id),
    tokenHash: `hash ${id.toString()}`,
    ...laptop,
    day: 0,
    withoutNetwork: true,
  },
});
const revoked = (id: number): Bare<AccountEvent> => ({
  type: 'SessionRevoked',
  data: { user, session: session(id) },
});
const deviceChanged = (id: number, device: SessionDevice): Bare<AccountEvent> => ({
  type: 'SessionDeviceChanged',
  data: { user, session: session(id), ...device },
});
const register: AccountCommand = { type: 'RegisterAccount', data: { ...opening(1), hasPassword: false } };
const open = (id: number): AccountCommand => ({ type: 'OpenSession', data: opening(id) });
const resume = (id: number, changes: object = {}): AccountCommand => ({
  type: 'ResumeSession',
  data: { ...opening(id), ...changes },
});
const revoke = (...ids: readonly number[]): AccountCommand => ({
  type: 'RevokeSessions',
  data: { user, sessions: ids.map(session) },
});

const withEmail: Bare<AccountEvent> = {
  type: 'AccountRegistered',
  data: { user, hasPassword: true, email: 'ada@example.org', emailKey: 'key 1' },
};
const keyed = (emailKey: string): Bare<AccountEvent> => ({ type: 'EmailKeyAdded', data: { user, emailKey } });
const addKey = (emailKey: string): AccountCommand => ({ type: 'AddEmailKey', data: { user, emailKey } });

const openedFrom = (id: number, network: string): Bare<AccountEvent> => ({
  type: 'SessionOpened',
  data: { user, session: session(id), tokenHash: `hash ${id.toString()}`, ...laptop, day: 0, network },
});
const openFrom = (id: number, network: string): AccountCommand => ({
  type: 'OpenSession',
  data: { ...opening(id), network },
});

describe('the networks from which an account signed in', () => {
  const many = Array.from({ length: networksMax }, (_, index) => openedFrom(index + 2, `network ${index.toString()}`));

  it('are written down at the sign-up and at the first sign-in from each', () => {
    given()
      .when({ type: 'RegisterAccount', data: { ...opening(1), hasPassword: false, network: 'home' } })
      .then(registered, openedFrom(1, 'home'));
    given(registered, openedFrom(1, 'home')).when(openFrom(2, 'office')).then(openedFrom(2, 'office'));
    given(registered, openedFrom(1, 'home')).when(openFrom(2, 'home')).then(opened(2));
  });
  it('are remembered after their sessions have ended', () => {
    given(registered, openedFrom(1, 'home'), revoked(1)).when(openFrom(2, 'home')).then(opened(2));
  });
  it('are so many at most, of which the oldest is forgotten', () => {
    given(registered, openedFrom(1, 'home'), ...many)
      .when(openFrom(99, 'network 0'))
      .then(opened(99));
    given(registered, openedFrom(1, 'home'), ...many)
      .when(openFrom(99, 'home'))
      .then(openedFrom(99, 'home'));
  });
  it('are unknown once their key is destroyed', () => {
    const erased = { ...openedFrom(1, 'home').data, network: shredded };
    given(registered, { type: 'SessionOpened', data: erased } as Bare<AccountEvent>)
      .when(openFrom(2, 'home'))
      .then(openedFrom(2, 'home'));
  });
});

describe('an account with an e-mail address', () => {
  it('takes one more key for it, once', () => {
    given(withEmail).when(addKey('key 2')).thenOnce(keyed('key 2'));
    given(withEmail).when(addKey('key 1')).then();
  });
  it('takes so many keys at most', () => {
    const more = Array.from({ length: emailKeysMax - 1 }, (_, index) => keyed(`more ${index.toString()}`));
    given(withEmail, ...more)
      .when(addKey('too many'))
      .then();
  });
  it('is the only one that takes any', () => {
    given(registered).when(addKey('key')).then();
    given().when(addKey('key')).then();
  });
});

describe('registering an account', () => {
  it('opens its first session with it, once', () => {
    given().when(register).thenOnce(registered, opened(1));
  });
  it('keeps the e-mail address and the key under which it is reserved', () => {
    const email = { address: 'ada@example.org', key: 'abc' };
    given()
      .when({ type: 'RegisterAccount', data: { ...opening(1), hasPassword: true, email } })
      .then(
        {
          type: 'AccountRegistered',
          data: { user, hasPassword: true, email: 'ada@example.org', emailKey: 'abc' },
        },
        opened(1),
      );
  });
});

describe('opening a session', () => {
  it('is a fact, once', () => {
    given(registered, opened(1)).when(open(2)).thenOnce(opened(2));
  });
  it('needs an account', () => {
    given().when(open(2)).refuses('INVALID_CREDENTIALS');
  });
  it('makes room by ending the oldest', () => {
    const many = Array.from({ length: sessionsMax }, (_, index) => opened(index + 1));
    given(registered, ...many)
      .when(open(1000))
      .then(revoked(1), opened(1000));
  });
  it('does not count those that were revoked', () => {
    const many = Array.from({ length: sessionsMax }, (_, index) => opened(index + 1));
    given(registered, ...many, revoked(50))
      .when(open(1000))
      .then(opened(1000));
  });
});

describe('resuming a session', () => {
  it('is nothing new', () => {
    given(registered, opened(1)).when(resume(1)).then();
  });
  it('needs its token', () => {
    given(registered, opened(1))
      .when(resume(1, { tokenHash: 'guess' }))
      .refuses('INVALID_TOKEN');
  });
  it('is over once it was revoked', () => {
    given(registered, opened(1), revoked(1)).when(resume(1)).refuses('INVALID_TOKEN');
  });
  it('is refused where there is no account', () => {
    given().when(resume(1)).refuses('INVALID_TOKEN');
  });
});

describe('changing the device of a session', () => {
  const change = (id: number, device: SessionDevice): AccountCommand => ({
    type: 'ChangeDevice',
    data: { user, session: session(id), device },
  });
  it('is a fact, once', () => {
    given(registered, opened(1)).when(change(1, phone)).thenOnce(deviceChanged(1, phone));
  });
  it('to the same one is nothing new', () => {
    given(registered, opened(1)).when(change(1, laptop)).then();
  });
  it('names it anew where it was erased', () => {
    const erased = { deviceType: shredded, deviceVersion: shredded, appVersion: shredded };
    const old: Bare<AccountEvent> = {
      type: 'SessionOpened',
      data: { user, session: session(1), tokenHash: 'hash 1', clientId: 7, ...erased },
    };
    given(registered, old).when(change(1, laptop)).thenOnce(deviceChanged(1, laptop));
  });
  it('that is over or was never opened is nothing', () => {
    given(registered, opened(1), revoked(1)).when(change(1, phone)).then();
    given().when(change(1, phone)).then();
  });
});

describe('revoking sessions', () => {
  it('ends each that is open, once', () => {
    given(registered, opened(1), opened(2))
      .when(revoke(2, 1, 2))
      .thenOnce(revoked(2), revoked(1));
  });
  it('passes over those that are not', () => {
    given(registered, opened(1), revoked(1)).when(revoke(1, 9)).then();
    given().when(revoke(1)).then();
  });
});

describe('a session that is in use', () => {
  const used = (day: number): Bare<AccountEvent> => ({ type: 'SessionUsed', data: { user, session: session(1), day } });
  const use = (today: number): AccountCommand => ({ type: 'UseSession', data: { user, session: session(1), today } });
  const end = (today: number): AccountCommand => ({
    type: 'EndUnusedSession',
    data: { user, session: session(1), today },
  });
  const formerly: Bare<AccountEvent> = {
    type: 'SessionOpened',
    data: { user, session: session(1), tokenHash: 'hash 1', ...laptop },
  };

  it('is noted to be, at most once in thirty days', () => {
    given(registered, opened(1))
      .when(use(useNotedDays - 1))
      .then();
    given(registered, opened(1)).when(use(useNotedDays)).thenOnce(used(useNotedDays));
    given(registered, opened(1), used(40)).when(use(69)).then();
    given(registered, opened(1), used(40)).when(use(70)).thenOnce(used(70));
  });

  it('lives for a year from then on', () => {
    given(registered, opened(1), used(40))
      .when(resume(1, { today: 40 + unusedDaysMax - 1 }))
      .then();
    given(registered, opened(1), used(40))
      .when(resume(1, { today: 40 + unusedDaysMax }))
      .refuses('INVALID_TOKEN');
  });

  it('ends when nobody used it for a year, once', () => {
    given(registered, opened(1)).when(end(unusedDaysMax)).thenOnce(revoked(1));
    given(registered, opened(1), used(40)).when(end(unusedDaysMax)).then();
  });

  it('has its year from the first day on where it is of before days were counted', () => {
    given(registered, formerly)
      .when(end(unusedDaysMax - 1))
      .then();
    given(registered, formerly).when(end(unusedDaysMax)).then(revoked(1));
  });

  it('is not brought back by a look that comes late', () => {
    given(registered, opened(1), revoked(1)).when(use(400)).then();
  });
});
