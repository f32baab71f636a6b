import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { channelChat } from '../../../../src/kernel/chat.js';
import type { ChannelId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { unreadMentions } from '../../../../src/projections/unread/unread.js';
import { ada, bob, category, cleo, community, dm, dora, general, hidden } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const naming = (user: UserId, chatRef = general, from = ada): Promise<MessageId> => {
  here.clock.at += 10;
  const message = user.toString();
  const entities = [{ startIndex: 0, length: message.length, userMention: {} }];
  return node.send(from, { chatRef, message, entities });
};
const mentionsOf = async (user: UserId, chatRef = general): Promise<readonly MessageId[]> =>
  (await node.must(user, 'messagesGetUnreadMentions', { chatRef })).unreadMentions.messageIds;

describe('unread mentions', () => {
  it('are the messages after the marker that name the caller, the oldest first', async () => {
    const [first, , third] = [await naming(bob), await naming(cleo), await naming(bob)];
    await node.send(ada, { chatRef: general, message: 'hello' });
    assert.deepEqual(await mentionsOf(bob), [first, third]);
    await node.must(bob, 'chatsMarkChatRead', { chatRef: general, messageId: first });
    assert.deepEqual(await mentionsOf(bob), [third]);
    const { chat } = await node.must(bob, 'chatsGetChat', { chatRef: general });
    assert.equal(chat.chat?.unreadMentionsCount, 1);
    await node.send(bob, { chatRef: general, message: 'seen' });
    assert.deepEqual(await mentionsOf(bob), []);
    assert.deepEqual(await mentionsOf(ada), []);
  });
  it('end with the message, and with the edit that names somebody else', async () => {
    const [gone, changed, left] = [await naming(bob), await naming(bob), await naming(bob)];
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [gone] });
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: changed, message: 'nobody' });
    assert.deepEqual(await mentionsOf(bob), [left]);
  });
  it('are of the chat that is asked about, for those who see it now', async () => {
    const toDora = await naming(dora, dm(dora));
    assert.deepEqual(await mentionsOf(dora, dm(ada)), [toDora]);
    assert.equal(await node.refused(dora, 'messagesGetUnreadMentions', { chatRef: general }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(bob, 'messagesGetUnreadMentions', { chatRef: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(bob, 'messagesGetUnreadMentions', { chatRef: category }), 'NOT_A_TEXT_CHAT');
    const member = `member-${community.toString()}.${cleo.toString()}`;
    await naming(cleo);
    node.atNextWait(() => here.happened(member, { type: 'MemberLeft', data: { community, user: cleo } }));
    const refused = await node.refused(cleo, 'messagesGetUnreadMentions', { chatRef: general });
    here.clock.at += 10;
    await here.happened(member, { type: 'MemberJoined', data: { community, user: cleo, via: 'invite', joining: 2 } });
    assert.equal(refused, 'CHAT_NOT_FOUND');
    // Sent before the new membership.
    assert.deepEqual(await mentionsOf(cleo), []);
  });
  it('are as many as are asked for, the oldest of them', async () => {
    const chat = channelChat(community, 101n as ChannelId);
    const [first] = [await naming(bob), await naming(bob)];
    await node.must(bob, 'chatsMarkChatRead', { chatRef: general, messageId: (first - 1n) as MessageId });
    assert.deepEqual(await unreadMentions(here.reads, { chat, user: bob, floor: 0n }, 1), [first]);
  });
});
