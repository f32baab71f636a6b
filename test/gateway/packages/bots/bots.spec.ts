import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { botsAdmin } from '../../../../src/container/door/bots.js';
import { of } from '../../../../src/container/tokens.js';
import { botsMax } from '../../../../src/domain/bots/decide.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import { botAt, connectBot, madeBot, type BotSeat } from '../../../support/house/bots.js';
import { ada, bob, community, dm, dora, general, joined, nobody } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

const opened = async (t: TestContext): Promise<{ readonly here: House; readonly node: Node }> => {
  const here = await house();
  t.after(() => here.close());
  return { here, node: await here.node() };
};

const refusalOf = async (answer: Promise<unknown>): Promise<string> => {
  const given = await answer;
  assert.ok(isRejection(given), 'it was not refused');
  return given.rejected;
};

const objectionTo = async (answer: Promise<unknown>): Promise<string> => {
  const given = await answer;
  assert.ok(typeof given === 'object' && given !== null && 'objection' in given, 'nothing was objected');
  return String(given.objection);
};

const member = (here: House, { user }: Pick<BotSeat, 'user'>): Promise<void> =>
  here.happened(`member-${community.toString()}.${user.toString()}`, joined(user));

const isConnected = (node: Node, { user }: Pick<BotSeat, 'user'>): boolean =>
  [...node.get(of.gateway).hub.sessions()].some(({ caller }) => caller.user === user);

describe('a bot', () => {
  it('comes in by its token, and everybody sees that it is one', async (t) => {
    const { here, node } = await opened(t);
    const bot = await botAt(here, node, ada);
    const { authorization } = await bot.must('authAuthorize', { token: bot.token });
    assert.deepEqual([authorization.user?.bot, authorization.user?.name], [true, 'Beep']);
    await bot.must('settingsEditProfile', { username: 'beep' });
    const { userDetails } = await node.must(bob, 'usersLookupUsername', { username: 'beep' });
    assert.deepEqual([userDetails.user?.id, userDetails.user?.bot], [bot.user, true]);
    assert.equal(await node.refused(undefined, 'authAuthorize', { token: `${bot.token}A` }), 'INVALID_TOKEN');
  });

  it('is told what members are told', async (t) => {
    const { here, node } = await opened(t);
    const bot = await botAt(here, node, ada);
    await member(here, bot);
    await node.send(ada, { chatRef: general, message: 'hello, bot' });
    await bot.caughtUp();
    assert.ok(bot.heard().some(({ messageCreated }) => messageCreated?.message?.message === 'hello, bot'));
    await bot.must('messagesSendMessage', { chatRef: general, message: 'beep' });
  });

  it('writes directly to nobody who has not written to it and shares no community with it', async (t) => {
    const { here, node } = await opened(t);
    const bot = await botAt(here, node, ada);
    const say = (to: typeof ada) => bot.ask('messagesSendMessage', { chatRef: dm(to), message: 'beep' });
    assert.equal(await refusalOf(say(dora)), 'BOT_NOT_ADDRESSED');
    assert.equal(await refusalOf(say(nobody)), 'USER_NOT_FOUND');
    await node.send(dora, { chatRef: dm(bot.user), message: 'hello' });
    assert.ok(!isRejection(await say(dora)));
    assert.equal(await refusalOf(say(bob)), 'BOT_NOT_ADDRESSED');
    await member(here, bot);
    assert.ok(!isRejection(await say(bob)));
  });

  it('does not type to strangers either, and people write to whom they like', async (t) => {
    const { here, node } = await opened(t);
    const bot = await botAt(here, node, ada);
    const typing = bot.ask('chatsSetTyping', { chatRef: dm(dora), typing: true });
    assert.equal(await refusalOf(typing), 'BOT_NOT_ADDRESSED');
    await node.send(bob, { chatRef: dm(dora), message: 'we have not met' });
  });

  it('that is deleted is cut off on every node, and its token is worth nothing', async (t) => {
    const { here, node } = await opened(t);
    const other = await here.node();
    const bot = await botAt(here, node, ada);
    const elsewhere = await connectBot(here, other, bot);
    assert.equal(await botsAdmin(node.get).drop(bot.user.toString()), undefined);
    await here.settled();
    assert.ok(elsewhere.heard().some(({ sessionDeleted }) => sessionDeleted !== undefined));
    assert.deepEqual([isConnected(node, bot), isConnected(other, bot)], [false, false]);
    assert.equal(await other.refused(undefined, 'authAuthorize', { token: bot.token }), 'INVALID_TOKEN');
    assert.match(await objectionTo(botsAdmin(other.get).token(bot.user.toString())), /no bot/);
    assert.deepEqual(await botsAdmin(node.get).list(undefined), []);
  });

  it('has one token, and the one before ends with the next', async (t) => {
    const { here, node } = await opened(t);
    const bot = await botAt(here, node, ada);
    const next = await botsAdmin(node.get).token(bot.user.toString());
    assert.ok('token' in next);
    await here.settled();
    assert.ok(!isConnected(node, bot));
    await connectBot(here, node, { user: bot.user, token: next.token });
  });
});

describe('the bots of an owner', () => {
  it('are made for users by id or username, and for nobody else', async (t) => {
    const { here, node } = await opened(t);
    const { create } = botsAdmin(node.get);
    const bot = await madeBot(node, ada);
    await node.must(bob, 'settingsEditProfile', { username: 'Bobby' });
    for (const owner of ['@bobby', 'BOBBY', bob.toString()]) {
      assert.ok('token' in (await create({ name: 'Another', owner })), owner);
    }
    await here.settled();
    // Claimed in the house, and carried by nobody.
    for (const owner of ['user3', 'nobody.here', nobody.toString(), '', '0', '-1', '9'.repeat(40)]) {
      assert.match(await objectionTo(create({ name: 'Another', owner })), /no user/, owner);
    }
    assert.match(await objectionTo(create({ name: 'Another', owner: bot.user.toString() })), /owns no bots/);
    for (const name of ['', ' ', 'a\u202eb', 'x'.repeat(65)]) {
      assert.match(await objectionTo(create({ name, owner: ada.toString() })), /name/);
    }
  });

  it('are listed with their names, all or those of one owner', async (t) => {
    const { here, node } = await opened(t);
    const [first, second] = [await madeBot(node, ada, 'First'), await madeBot(node, bob, 'Second')];
    const shown = [
      { id: first.user.toString(), owner: ada.toString(), name: 'First' },
      { id: second.user.toString(), owner: bob.toString(), name: 'Second' },
    ];
    const { list } = botsAdmin((await here.node()).get);
    assert.deepEqual(await list(undefined), shown);
    assert.deepEqual(await list(bob.toString()), shown.slice(1));
    assert.deepEqual(await list(dora.toString()), []);
  });

  it('are twenty-five at most, also when they are made at the same time', async (t) => {
    const { here, node } = await opened(t);
    const other = await here.node();
    for (let made = 0; made < botsMax - 1; made += 1) await madeBot(node, ada);
    const owner = ada.toString();
    const both = await Promise.all([node, other].map(({ get }) => botsAdmin(get).create({ name: 'Last', owner })));
    assert.deepEqual(both.map((one) => 'token' in one).sort(), [false, true]);
    assert.match(await objectionTo(botsAdmin(node.get).create({ name: 'More', owner })), /25 bots/);
  });

  it('that were not finished are listed, and can be deleted', async (t) => {
    const { here, node } = await opened(t);
    const bot = 5_000n as typeof ada;
    await here.happened('bots-1', { type: 'BotCreated', data: { owner: ada, bot, bots: [bot] } });
    const { list, token, drop } = botsAdmin(node.get);
    assert.deepEqual(await list(undefined), [{ id: '5000', owner: '1', name: '' }]);
    assert.match(await objectionTo(token('5000')), /no such user/);
    assert.equal(await drop('5000'), undefined);
    assert.deepEqual(await list(undefined), []);
    assert.match(await objectionTo(drop('5000')), /no bot/);
    assert.match(await objectionTo(drop('five')), /no bot/);
    assert.match(await objectionTo(drop(bob.toString())), /no bot/);
  });
});
