import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TypingAction } from '../../../../src/gen/chats.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import { ChannelType } from '../../../../src/gen/types.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { ChannelId, GroupId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { recentMessagesMax } from '../../../../src/projections/conversations/documents.js';
import {
  ada,
  bob,
  category,
  cleo,
  dm,
  dora,
  general,
  hidden,
  news,
  nobody,
  self,
} from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const send = async (user: UserId, chatRef: ChatRefInit, message = 'hello'): Promise<MessageId> => {
  here.clock.at += 10;
  return node.send(user, { chatRef, message });
};
const chat = async (user: UserId, chatRef: ChatRefInit) => (await node.must(user, 'chatsGetChat', { chatRef })).chat;
const refusal = (answer: object): unknown => (isRejection(answer) ? answer.rejected : undefined);

describe('the list of chats', () => {
  const list = async (user: UserId, request = {}) => (await node.must(user, 'chatsGetChats', request)).chats;

  it('is empty before anything was sent', async () => {
    assert.deepEqual(await list(cleo), { chats: [], users: [], groups: [], channels: [], messages: [] });
  });
  it('has direct chats and the saved messages, those with the newest activity first', async () => {
    const [first, second, third] = [await send(cleo, dm(dora)), await send(cleo, self), await send(ada, dm(cleo))];
    const { chats, messages, users } = await list(cleo);
    assert.deepEqual(
      chats.map(({ chatRef, lastMessageId, unreadCount }) => [chatRef, lastMessageId, unreadCount]),
      [
        [dm(ada), third, 1],
        [self, second, 0],
        [dm(dora), first, 0],
      ],
    );
    assert.deepEqual(
      messages.map(({ messageId }) => messageId),
      [third, second, first],
    );
    assert.deepEqual(new Set(users.map(({ id }) => id)), new Set([ada, cleo, dora]));
  });
  it('is paged by the last message', async () => {
    const all = (await list(cleo)).chats;
    const rest = { maxId: all[0]?.lastMessageId as bigint as GroupId };
    const above = { minId: all[2]?.lastMessageId as bigint as GroupId };
    assert.deepEqual((await list(cleo, rest)).chats, all.slice(1));
    assert.deepEqual((await list(cleo, above)).chats, all.slice(0, 2));
    assert.deepEqual((await list(cleo, { limit: 1 })).chats, all.slice(0, 1));
    assert.deepEqual((await list(cleo, { limit: 0, maxId: 0n as GroupId })).chats, all);
  });
  it('shows the message before one that was deleted', async () => {
    const [kept, deleted] = [await send(bob, dm(ada)), await send(bob, dm(ada))];
    await node.must(bob, 'messagesDeleteMessage', { chatRef: dm(ada), messageIds: [deleted] });
    assert.equal((await list(bob)).chats[0]?.lastMessageId, kept);
  });
  it('shows the message before more deleted ones than a conversation remembers', async () => {
    const kept = await send(dora, self);
    const deleted: MessageId[] = [];
    while (deleted.length < recentMessagesMax) deleted.push(await send(dora, self));
    await node.must(dora, 'messagesDeleteMessage', { chatRef: self, messageIds: deleted });
    const { chats, messages } = await list(dora);
    assert.equal(chats[0]?.lastMessageId, kept);
    assert.ok(messages.some(({ messageId }) => messageId === kept));
  });
});

const nora = 7n as UserId;

describe('one chat', () => {
  it('with a user is there before anything was sent, and names both', async () => {
    const { chat: conversation, users, message } = await chat(bob, dm(dora));
    assert.deepEqual([conversation?.chatRef, conversation?.lastMessageId, message], [dm(dora), dora, undefined]);
    assert.deepEqual(
      users.map(({ name }) => name),
      ['Bob', 'Dora'],
    );
  });
  it('shows no presence of a stranger until both have written', async () => {
    const watching = await here.node();
    const shown = async () =>
      (await watching.must(bob, 'chatsGetChat', { chatRef: dm(nora) })).chat.users.flatMap(({ id, status }) =>
        status === undefined ? [] : [id],
      );
    await here.happened(`user-${nora.toString()}`, {
      type: 'UserRegistered',
      data: { user: nora, name: 'Nora', bot: false },
    });
    await watching.connect(bob, nora);
    assert.deepEqual(await shown(), [bob]);
    await send(bob, dm(nora));
    const listed = async () => {
      const { chats } = await watching.must(bob, 'chatsGetChats', {});
      return chats.users.find(({ id }) => id === nora)?.status;
    };
    assert.deepEqual([await shown(), await listed()], [[bob], undefined]);
    await send(nora, dm(bob));
    assert.deepEqual(new Set(await shown()), new Set([bob, nora]));
    assert.notEqual(await listed(), undefined);
  });
  it('has its last message and what one has not read', async () => {
    await send(ada, dm(dora), 'one');
    const last = await send(ada, dm(dora), 'two');
    const { chat: conversation, message } = await chat(dora, dm(ada));
    assert.deepEqual([message?.messageId, message?.chatRef, conversation?.unreadCount], [last, dm(ada), 2]);
  });
  it('of a channel shows it, and what differs there from the community', async () => {
    const { chat: conversation, channel, users } = await chat(bob, news);
    assert.deepEqual([channel?.id, channel?.type], [102n as ChannelId, ChannelType.TEXT]);
    assert.deepEqual(conversation?.permissions, { pos: 0n, neg: permission.sendMessages });
    assert.deepEqual(users, []);
  });
  it('may be a category', async () => {
    assert.equal((await chat(bob, category)).channel?.type, ChannelType.CATEGORY);
  });
  it('is one’s own as saved messages', async () => {
    assert.deepEqual((await chat(dora, dm(dora))).chat?.chatRef, self);
  });
  it('is not shown to who may not see it', async () => {
    const asked = async (user: UserId, chatRef: ChatRefInit) =>
      refusal(await node.ask(user, 'chatsGetChat', { chatRef }));
    assert.equal(await asked(dora, general), 'CHAT_NOT_FOUND');
    assert.equal(await asked(bob, hidden), 'CHAT_NOT_FOUND');
    assert.equal(await asked(bob, dm(nobody)), 'USER_NOT_FOUND');
  });
});

describe('marking a chat as read', () => {
  const mark = async (user: UserId, chatRef: ChatRefInit, messageId: bigint) =>
    refusal(await node.ask(user, 'chatsMarkChatRead', { chatRef, messageId: messageId as MessageId }));
  const unreadOf = async (user: UserId, chatRef: ChatRefInit) => {
    const { chat: conversation } = await chat(user, chatRef);
    return [conversation?.unreadCount, conversation?.lastReadMessageId];
  };

  it('leaves what came after', async () => {
    const [first] = [await send(ada, general), await send(ada, general), await send(ada, general)];
    await mark(bob, general, first);
    assert.deepEqual(await unreadOf(bob, general), [2, first]);
  });
  it('never goes back', async () => {
    const [first, second] = [await send(ada, general), await send(ada, general)];
    await mark(cleo, general, second);
    await mark(cleo, general, first);
    assert.deepEqual(await unreadOf(cleo, general), [0, second]);
  });
  it('takes an id that is no message’s any more', async () => {
    const [gone, last] = [await send(ada, general), await send(ada, general)];
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [gone] });
    await mark(bob, general, gone);
    assert.deepEqual(await unreadOf(bob, general), [1, gone]);
    assert.ok(last > gone);
  });
  it('from the future is up to the newest, so that what comes is not read before it is there', async () => {
    const last = await send(ada, general);
    await mark(bob, general, 2n ** 64n - 1n);
    assert.deepEqual(await unreadOf(bob, general), [0, last]);
    await send(ada, general);
    assert.equal((await unreadOf(bob, general))[0], 1);
  });
  it('is done by sending', async () => {
    await send(ada, general);
    const own = await send(bob, general);
    assert.deepEqual(await unreadOf(bob, general), [0, own]);
  });
  it('stays done when the message that did it is deleted', async () => {
    await send(ada, general);
    const own = await send(bob, general);
    const answer = await send(ada, general);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [own] });
    assert.deepEqual(await unreadOf(bob, general), [1, own]);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [answer] });
    assert.deepEqual(await unreadOf(bob, general), [0, own]);
  });
  it('is refused for no message and for what one does not see', async () => {
    assert.equal(await mark(bob, general, 0n), 'INVALID_ARGUMENT');
    assert.equal(await mark(bob, hidden, 5n), 'CHAT_NOT_FOUND');
    assert.equal(await mark(bob, category, 5n), 'NOT_A_TEXT_CHAT');
  });
});

describe('typing', () => {
  const type = async (user: UserId, chatRef: ChatRefInit, action?: number) =>
    refusal(await node.ask(user, 'chatsSetTyping', { chatRef, typing: true, action: action as TypingAction }));
  const heard = (user: UserId) =>
    node.heard(user).flatMap(({ chatTyping }) => (chatTyping === undefined ? [] : [chatTyping]));
  before(() => node.connect(ada, dora));

  it('is said to the others with what is done', async () => {
    await type(bob, general, TypingAction.UPLOAD_IMAGE);
    const action = TypingAction.UPLOAD_IMAGE;
    assert.deepEqual(heard(ada), [{ chatRef: general, userId: bob, typing: true, action }]);
  });
  it('is plain typing where a newer client says what nobody knows', async () => {
    await type(bob, dm(dora), 77);
    assert.deepEqual(heard(dora), [{ chatRef: dm(bob), userId: bob, typing: true }]);
  });
  it('is for who may write there', async () => {
    assert.equal(await type(bob, news), 'MISSING_PERMISSION');
    assert.equal(await type(bob, hidden), 'CHAT_NOT_FOUND');
    assert.equal(await type(bob, category), 'NOT_A_TEXT_CHAT');
  });
  it('may be ended by who may not write there, or sees it no more', async () => {
    for (const chatRef of [news, hidden]) {
      const answer = await node.ask(bob, 'chatsSetTyping', { chatRef, typing: false });
      assert.equal(refusal(answer), undefined);
    }
    assert.deepEqual(heard(ada), []);
  });
});
