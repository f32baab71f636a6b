import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { botsAdmin } from '../../../../src/container/door/bots.js';
import { usersAdmin } from '../../../../src/container/door/users.js';
import { of } from '../../../../src/container/tokens.js';
import { accounts } from '../../../../src/domain/accounts/decide.js';
import { accountStream } from '../../../../src/domain/accounts/events.js';
import type { UserId } from '../../../../src/kernel/ids.js';
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
