import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { Update } from '../../src/gen/updates.js';
import { folderFor, serverProcess } from '../support/serverProcess.js';
import { remote, type Remote } from './crash/remote.js';
import { crashRounds } from './crash/rounds.js';

const heard = async (client: Remote, fits: (update: Update) => boolean): Promise<Update> => {
  await client.until(() => client.updates.some(fits));
  const update = client.updates.find(fits);
  assert.ok(update);
  return update;
};

const isText =
  (wanted: string) =>
  ({ messageCreated }: Update): boolean =>
    messageCreated?.message?.message === wanted;

describe('two clients in processes of their own', () => {
  it('sign up, found a community, invite, join, and chat in all the ways there are', async (t) => {
    const server = serverProcess(t, { OSMIUM_DATA_DIR: folderFor(t), OSMIUM_RATE_LIMITS: 'off' });
    const url = await server.ready;
    const [ada, ben] = [await remote(t, url), await remote(t, url)];
    await ada.signUp({ name: 'Ada', email: 'ada@example.org', password: 'correct horse' });
    const { user } = await ben.signUp({ name: 'Ben' });
    assert.ok(user);

    await ada.call('communities.createCommunity', { name: 'Town' });
    const { channel } = await heard(ada, (update) => update.channel !== undefined);
    assert.ok(channel?.channel);
    const { id: channelId, communityId } = channel.channel;
    const chatRef = { channel: { communityId, channelId } };
    const { code } = await ada.call('chats.createChatInvite', { chatRef });
    assert.equal((await ben.call('auth.lookupInvite', { code })).community?.name, 'Town');
    await ben.call('auth.useInvite', { code });
    const joined = await heard(ada, ({ communityMemberCreated }) => communityMemberCreated?.memberId === user.id);
    assert.equal(joined.communityMemberCreated?.user?.name, 'Ben');

    const { messageId: hello } = await ada.call('messages.sendMessage', { chatRef, message: 'Hello' });
    assert.equal((await heard(ben, isText('Hello'))).messageCreated?.channelUnreadCount, 1);
    await ben.call('chats.setTyping', { chatRef, typing: true });
    assert.equal((await heard(ada, (update) => update.chatTyping !== undefined)).chatTyping?.userId, user.id);
    const replyTo = { messageId: hello };
    const { messageId: answer } = await ben.call('messages.sendMessage', { chatRef, message: 'Hello you', replyTo });
    assert.equal((await heard(ada, isText('Hello you'))).messageCreated?.message?.reply?.messageId, hello);
    await heard(ada, ({ chatTyping }) => chatTyping?.typing === false);

    await ben.call('messages.editMessage', { chatRef, messageId: answer, message: 'Hello there' });
    const edited = await heard(ada, ({ message }) => message?.message?.messageId === answer);
    assert.equal(edited.message?.message?.message, 'Hello there');
    await ada.call('messages.deleteMessage', { chatRef, messageIds: [hello] });
    assert.deepEqual((await heard(ben, (update) => update.messageDeleted !== undefined)).messageDeleted?.messageIds, [
      hello,
    ]);

    const direct = { user: { userId: user.id } };
    await ada.call('messages.sendMessage', { chatRef: direct, message: 'Between us' });
    const { messageCreated } = await heard(ben, isText('Between us'));
    assert.equal(messageCreated?.author?.name, 'Ada');
    const { chats } = await ben.call('chats.getChats', {});
    assert.deepEqual(
      chats.map(({ unreadCount }) => unreadCount),
      [1],
    );
    const messageId = messageCreated.message?.messageId;
    assert.ok(messageId);
    await ben.call('chats.markChatRead', { chatRef: messageCreated.message.chatRef, messageId });
    assert.equal(
      (await heard(ben, (update) => update.conversationLastRead !== undefined)).conversationLastRead?.unreadCount,
      0,
    );
    const { conversations } = await ada.call('communities.getChannels', { communityId });
    assert.deepEqual(
      conversations.map(({ unreadCount }) => unreadCount),
      [1],
    );
  });

  for (const [rounds, messages] of [
    [1, 1000],
    [2, 300],
  ] as const) {
    it(`lose nothing when the server is killed while they send ${messages.toString()} messages`, async (t) => {
      let folder = '';
      await crashRounds(t, (dataDir) => (folder = dataDir), { rounds, messages, say: (line) => t.diagnostic(line) });
      await rm(folder, { recursive: true, force: true });
    });
  }
});
