import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { botsAdmin } from '../../../../src/container/door/bots.js';
import { usersAdmin } from '../../../../src/container/door/users.js';
import { of } from '../../../../src/container/tokens.js';
import { accounts } from '../../../../src/domain/accounts/decide.js';
import { accountStream } from '../../../../src/domain/accounts/events.js';
import { reservations } from '../../../../src/domain/reservations/decide.js';
import { isRejection, type Command, type Decider } from '../../../../src/kernel/decider.js';
import type { Event } from '../../../../src/kernel/event.js';
import type { Millis, SessionId, UserId } from '../../../../src/kernel/ids.js';
import { ada, dora } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

const email = 'mila@example.org';
const forgotten = 'it was something with horses';

let here: House;
let node: Node;
/** The session of the sign-up. */
let token: string;
let mila: UserId;
before(async () => {
  here = await house();
  node = await here.node();
  const { authorization } = await node.must(undefined, 'authSignUp', { name: 'Mila', email, password: forgotten });
  token = authorization.token;
  mila = authorization.user?.id ?? assert.fail('nobody signed up');
});
after(() => here.close());

/** As a former release would have. */
const run: Run = async (decider, command) => {
  const outcome = await node.get(of.execute)(decider, command, { commandId: randomUUID(), correlationId: 'test' });
  assert.ok(!isRejection(outcome));
};
type Run = <C extends Command, State, E extends Event>(decider: Decider<C, State, E>, command: C) => Promise<void>;

const given = async (named: string, on = node): Promise<string> => {
  const answer = await usersAdmin(on.get).password(named);
  if ('objection' in answer) return answer.objection;
  assert.equal(answer.id, mila.toString());
  return answer.password;
};

describe('a forgotten password', () => {
  it('gives way to another one, which is told once, and all sessions end on every node', async () => {
    const other = await here.node();
    const password = await given('Mila@Example.org', other);
    await here.settled();
    assert.ok(password.length >= 20);
    assert.equal(await other.refused(undefined, 'authAuthorize', { token }), 'INVALID_TOKEN');
    const stranger = { email, password: forgotten };
    assert.equal(await (await here.node()).refused(undefined, 'authLegacySignIn', stranger), 'INVALID_CREDENTIALS');
    const { authorization } = await (await here.node()).must(undefined, 'authLegacySignIn', { email, password });
    assert.equal(authorization.user?.id, mila);
  });

  it('lets nobody in who was signing in with the former one', async (t) => {
    const former = await given(mila.toString());
    const hasher = node.get(of.hasher);
    const verify = hasher.verify.bind(hasher);
    let password = '';
    t.mock.method(hasher, 'verify', async (...compared: Parameters<typeof verify>) => {
      const isRight = await verify(...compared);
      if (password === '') password = await given(mila.toString());
      return isRight;
    });
    const intruder = await here.node();
    const answer = await intruder.refused(undefined, 'authLegacySignIn', { email, password: former });
    assert.equal(answer, 'INVALID_CREDENTIALS');
    assert.notEqual(password, '');
    const { state } = await node.get(of.streams).caughtUp(accountStream(mila), accounts);
    assert.deepEqual(state.status === 'registered' && state.sessions, []);
    await (await here.node()).must(undefined, 'authLegacySignIn', { email, password });
  });

  it('is another one each time', async () => {
    const [first, second] = [await given(mila.toString()), await given(mila.toString())];
    assert.notEqual(first, second);
  });

  it('is not told while sessions may go on', async (t) => {
    const { authorization } = await (
      await here.node()
    ).must(undefined, 'authLegacySignIn', {
      email,
      password: await given(mila.toString()),
    });
    const streams = node.get(of.streams);
    const away = t.mock.method(streams, 'caughtUp', streams.caughtUp.bind(streams));
    away.mock.mockImplementationOnce(() => Promise.reject(new Error('away')), 1);
    assert.match(await given(mila.toString()), /sessions could not be ended: run this again/);
    assert.equal(node.troubles.splice(0).length, 1);
    away.mock.restore();
    await given(mila.toString());
    const answer = await (await here.node()).refused(undefined, 'authAuthorize', { token: authorization.token });
    assert.equal(answer, 'INVALID_TOKEN');
  });

  it('is of one user alone, where two have the address', async () => {
    const names = node.get(of.names);
    const device = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };
    const two = ['nila@b\u00fccher.example', 'nila@xn--bcher-kva.example'].map((address, index) => {
      const user = BigInt(9_001 + index) as UserId;
      return { address, user, key: names.nameOf('email', address).key };
    });
    for (const { address, user, key } of two) {
      await run(reservations, { type: 'ClaimName', data: { kind: 'email', key, holder: user, at: 0 as Millis } });
      const account = {
        user,
        session: user as bigint as SessionId,
        tokenHash: '',
        device,
        today: 0,
        hasPassword: true,
      };
      await run(accounts, { type: 'RegisterAccount', data: { ...account, email: { address, key } } });
    }
    for (const { address } of two) assert.match(await given(address), /9001 and 9002|9002 and 9001/);
  });

  it('is of nobody who has none', async () => {
    const bot = await botsAdmin(node.get).create({ name: 'Beep', owner: ada.toString() });
    assert.ok('id' in bot);
    assert.match(await given(bot.id), /another token/);
    const { authorization } = await (await here.node()).must(undefined, 'authSignUp', { name: 'Guest' });
    assert.match(await given(authorization.user?.id.toString() ?? ''), /guest/);
    for (const named of ['nobody@example.org', 'nobody', '99', '@', '', dora.toString()])
      assert.match(await given(named), /no user|guest/, named);
  });
});
