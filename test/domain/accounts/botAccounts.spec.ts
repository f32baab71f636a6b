import { describe, it } from 'node:test';
import { accounts } from '../../../src/domain/accounts/decide.js';
import type { AccountEvent } from '../../../src/domain/accounts/events.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(accounts);
const user = 2n as UserId;
const owner = 1n as UserId;
const session = (id: number): SessionId => BigInt(id) as SessionId;
const device = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };
const opening = (id: number) => ({ user, session: session(id), tokenHash: `hash ${id.toString()}`, device, today: 0 });
const registered: Bare<AccountEvent> = { type: 'AccountRegistered', data: { user, hasPassword: false, owner } };
const person: Bare<AccountEvent> = { type: 'AccountRegistered', data: { user, hasPassword: false } };
const retired: Bare<AccountEvent> = { type: 'BotRetired', data: { user } };
const revoked = (id: number): Bare<AccountEvent> => ({ type: 'SessionRevoked', data: { user, session: session(id) } });
const opened = (id: number): Bare<AccountEvent> => ({
  type: 'SessionOpened',
  data: { user, session: session(id), tokenHash: `hash ${id.toString()}`, ...device, day: 0, withoutNetwork: true },
});
const issue = (id: number) => ({ type: 'IssueBotToken', data: opening(id) }) as const;
const retire = { type: 'RetireBot', data: { user } } as const;

describe('the account of a bot', () => {
  it('begins with the session of its token', () => {
    given()
      .when({ type: 'RegisterAccount', data: { ...opening(1), hasPassword: false, owner } })
      .thenOnce(registered, opened(1));
  });

  it('gets no session by signing in', () => {
    given(registered, opened(1))
      .when({ type: 'OpenSession', data: opening(2) })
      .refuses('INVALID_CREDENTIALS');
  });

  it('has one token, and the next one ends the sessions of the one before', () => {
    given(registered, opened(1)).when(issue(2)).thenOnce(revoked(1), opened(2));
    given(registered, opened(1), revoked(1)).when(issue(2)).thenOnce(opened(2));
  });

  it('is retired with its sessions, and gets no token any more', () => {
    given(registered, opened(1)).when(retire).thenOnce(revoked(1), retired);
    given(registered, opened(1), revoked(1), retired).when(issue(2)).refuses('USER_NOT_FOUND');
  });

  it('is no person’s: those get no token and are not retired', () => {
    given(person, opened(1)).when(issue(2)).refuses('USER_NOT_FOUND');
    given(person, opened(1)).when(retire).then();
    given().when(issue(2)).refuses('USER_NOT_FOUND');
    given().when(retire).then();
  });
});
