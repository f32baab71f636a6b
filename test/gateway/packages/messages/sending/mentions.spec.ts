import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mentionsMax } from '../../../../../src/gateway/packages/messages/sending/mentions.js';
import type { MessageEntityInit } from '../../../../../src/gen/types.js';
import type { UserId } from '../../../../../src/kernel/ids.js';
import { ada, bob, cleo, dm, dora, general, hidden, self } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const whole = (message: string, kind: MessageEntityInit) => ({
  message,
  entities: [{ startIndex: 0, length: message.length, ...kind }],
});
const named = (name: string) => whole(name, { username: true });
const numbered = (name: string) => whole(name, { userMention: {} });

/** How many messages of the chat that they have not read name the user. */
const mentionsOf = async (user: UserId, chatRef = general): Promise<number> => {
  const { chat } = await node.must(user, 'chatsGetChat', { chatRef });
  return chat.chat?.unreadMentionsCount ?? 0;
};
const counted = async (user: UserId, from: UserId, request: Parameters<Node['send']>[1]): Promise<number> => {
  const chatRef = request.chatRef ?? general;
  const theirs = chatRef.user === undefined ? chatRef : dm(from);
  const before = await mentionsOf(user, theirs);
  await node.send(from, { ...request, chatRef });
  return (await mentionsOf(user, theirs)) - before;
};

describe('a message mentions', () => {
  it('who is named by their username, with or without the @, in any case', async () => {
    assert.equal(await counted(bob, ada, named('@user2')), 1);
    assert.equal(await counted(bob, ada, named('USER2')), 1);
    assert.equal(await counted(bob, ada, named('＠ｕｓｅｒ２')), 1);
  });
  it('who is named by their number, with or without the @', async () => {
    assert.equal(await counted(bob, ada, numbered('@2')), 1);
    assert.equal(await counted(bob, ada, numbered('2')), 1);
  });
  it('somebody once, however often they are named', async () => {
    const entities = [
      { startIndex: 0, length: 1, userMention: {} },
      { startIndex: 2, length: 6, username: true },
    ];
    assert.equal(await counted(bob, ada, { message: '2 @user2', entities }), 1);
  });
  it('nobody who only appears in the text', async () => {
    assert.equal(await counted(bob, ada, { message: '@user2' }), 0);
  });
  it('nobody where the name is nobody’s or no name', async () => {
    assert.equal(await counted(bob, ada, named('@user22')), 0);
    assert.equal(await counted(bob, ada, numbered('two')), 0);
    assert.equal(await counted(bob, ada, numbered('18446744073709551618')), 0);
  });
  it('not its author', async () => {
    await node.send(cleo, { chatRef: general, message: 'hello' });
    await node.send(cleo, { chatRef: general, ...numbered('3') });
    assert.equal(await mentionsOf(cleo), 0);
  });
  it('nobody who does not see the channel', async () => {
    await node.send(ada, { chatRef: hidden, ...numbered('2') });
    await node.send(ada, { chatRef: general, ...numbered('4') });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 1 });
    assert.deepEqual(
      messages.users.map(({ id }) => id),
      [ada],
    );
  });
  it('in a direct chat its other side and nobody else', async () => {
    assert.equal(await counted(dora, bob, { chatRef: dm(dora), ...numbered('4') }), 1);
    assert.equal(await counted(dora, bob, { chatRef: dm(dora), ...named('@user4') }), 1);
    assert.equal(await counted(dora, bob, { chatRef: dm(dora), ...numbered('1') }), 0);
  });
  it('nobody in one’s own notes', async () => {
    await node.send(bob, { chatRef: self, ...numbered('1') });
    assert.equal(await mentionsOf(bob, self), 0);
  });
  it('fifty users at most', async () => {
    const ids = Array.from({ length: mentionsMax + 1 }, (_, index) => (1000 + index).toString());
    const message = ids.join(' ');
    const entities = ids.map((_, index) => ({ startIndex: index * 5, length: 4, userMention: {} }));
    const answer = await node.ask(ada, 'messagesSendMessage', { chatRef: general, message, entities });
    assert.ok('rejected' in answer && answer.rejected === 'TOO_MANY');
    await node.send(ada, { chatRef: general, message, entities: entities.slice(1) });
  });
});

describe('an edited message mentions', () => {
  it('who is named in it now', async () => {
    const messageId = await node.send(ada, { chatRef: general, ...numbered('2') });
    const [bobs, cleos] = [await mentionsOf(bob), await mentionsOf(cleo)];
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId, ...numbered('3') });
    assert.deepEqual([await mentionsOf(bob), await mentionsOf(cleo)], [bobs - 1, cleos + 1]);
  });
  it('who is named by entities that are laid over the text it had', async () => {
    const messageId = await node.send(ada, { chatRef: general, message: '3' });
    const before = await mentionsOf(cleo);
    const { entities } = numbered('3');
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId, entities });
    assert.equal(await mentionsOf(cleo), before + 1);
  });
});

describe('a mention by a username', () => {
  it('stays with whom it meant when the name goes to somebody else', async () => {
    const named = async (username: string): Promise<UserId | undefined> =>
      (await node.must(ada, 'usersLookupUsername', { username })).userDetails.user?.id;
    await node.must(bob, 'settingsEditProfile', { username: 'mila' });
    const whole = (message: string) => ({
      message,
      entities: [{ startIndex: 0, length: message.length, username: true }],
    });
    const earlier = await node.send(ada, { chatRef: general, ...whole('@mila') });
    await node.must(bob, 'settingsEditProfile', { username: 'MILA' });
    assert.equal(await named('mila'), bob);
    await node.must(bob, 'settingsEditProfile', { username: 'milan' });
    await node.must(cleo, 'settingsEditProfile', { username: 'mila' });
    assert.equal(await named('mila'), cleo);
    assert.equal(await named('milan'), bob);
    const later = await node.send(ada, { chatRef: general, ...whole('@Mila') });
    const mentioning = async (user: UserId): Promise<readonly bigint[]> => {
      const { unreadMentions } = await node.must(user, 'messagesGetUnreadMentions', { chatRef: general });
      return unreadMentions.messageIds.filter((id) => id === earlier || id === later);
    };
    assert.deepEqual([await mentioning(bob), await mentioning(cleo)], [[earlier], [later]]);
  });
});
