import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isRejection } from '../../../src/kernel/decider.js';
import { ada, bob, community, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';

/** Bob is signed in, hears no updates, and has written nothing. */
const beside = async (t: TestContext): Promise<{ readonly here: House; readonly node: Node }> => {
  const here = await house();
  t.after(here.close);
  const node = await here.node();
  await node.must(bob, 'chatsGetChats', {});
  await node.must(ada, 'chatsGetChats', {});
  here.hold();
  return { here, node };
};

const acknowledged = async (answer: Promise<unknown>): Promise<void> => {
  assert.ok(!isRejection(await answer));
};

describe('a read that begins after an acknowledgement to somebody else', () => {
  it('sees what was sent', async (t) => {
    const { node } = await beside(t);
    await acknowledged(node.askOnly(ada, 'messagesSendMessage', { chatRef: general, message: 'hello' }));
    const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: general, limit: 1 });
    assert.deepEqual(
      messages.messages.map(({ message }) => message),
      ['hello'],
    );
  });

  it('counts it as unread', async (t) => {
    const { node } = await beside(t);
    await acknowledged(node.askOnly(ada, 'messagesSendMessage', { chatRef: general, message: 'hello' }));
    const { chat } = await node.must(bob, 'chatsGetChat', { chatRef: general });
    assert.equal(chat.chat?.unreadCount, 1);
  });

  it('sees a channel that was made', async (t) => {
    const { node } = await beside(t);
    await acknowledged(node.askOnly(ada, 'communitiesCreateChannel', { communityId: community, name: 'boilers' }));
    const { channels } = await node.must(bob, 'communitiesGetChannels', { communityId: community });
    assert.ok(channels.channels.some(({ name }) => name === 'boilers'));
  });

  it('sees a profile that was changed, by its key', async (t) => {
    const { node } = await beside(t);
    await acknowledged(node.askOnly(ada, 'settingsEditProfile', { bio: 'Countess' }));
    const { profile } = await node.must(bob, 'usersGetProfile', { ref: { userId: ada } });
    assert.equal(profile.bio, 'Countess');
  });
});
