import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pinsMax } from '../../../../../src/domain/pins/decide.js';
import { pinStream } from '../../../../../src/domain/pins/events.js';
import type { Delivery } from '../../../../../src/gateway/contract/updates.js';
import type { ChatRefInit } from '../../../../../src/gen/refs.js';
import { channelChat } from '../../../../../src/kernel/chat.js';
import type { ChannelId, MessageId, RoleId, UserId } from '../../../../../src/kernel/ids.js';
import { permission } from '../../../../../src/kernel/permissions.js';
import {
  ada,
  bob,
  category,
  cleo,
  community,
  dm,
  dora,
  general,
  hidden,
  news,
  self,
  voice,
} from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
let other: Node;
before(async () => {
  here = await house();
  node = await here.node();
  other = await here.node();
  await other.connect(ada, bob, dora);
});
after(() => here.close());

const say = (user = ada, chatRef = general, message = 'hello'): Promise<MessageId> =>
  node.send(user, { chatRef, message });
type How = { readonly by?: UserId; readonly chatRef?: ChatRefInit; readonly at?: Node };
const setTo =
  ({ pin: pinIt }: Readonly<Record<'pin', boolean>>) =>
  async (messageId: MessageId, { by = ada, chatRef = general, at = node }: How = {}): Promise<string> => {
    const answer = await at.ask(by, 'messagesSetMessagePin', { chatRef, messageId, pin: pinIt });
    return 'rejected' in answer ? answer.rejected : 'done';
  };
const [pin, unpin] = [setTo({ pin: true }), setTo({ pin: false })];
const pinnedIn = async (chatRef = general, by = ada): Promise<readonly MessageId[]> => {
  const { messages } = await node.must(by, 'messagesGetPinnedMessages', { chatRef });
  assert.ok(messages.messages.every(({ pinned }) => pinned === true));
  return messages.messages.map(({ messageId }) => messageId);
};
const pinOf = async (messageId: MessageId, chatRef = general): Promise<boolean | undefined> => {
  const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef, around: messageId, limit: 2 });
  return messages.messages.find((message) => message.messageId === messageId)?.pinned;
};
const told = (deliveries: readonly Delivery[]): readonly unknown[] =>
  deliveries.map(({ audience, update }) => {
    const message = 'message' in update ? update.message.message : undefined;
    return [...audience, message?.messageId, message?.message, message?.pinned];
  });
const eventsIn = async (chat: ReturnType<typeof channelChat>): Promise<number> =>
  (await here.log.readStream(pinStream(chat), { limit: 1_000 })).length;

describe('a pinned message', () => {
  it('is listed with the newest pin first, and says so in history and chats', async () => {
    const [first, second, third] = [await say(), await say(), await say()];
    for (const message of [second, third, first]) assert.equal(await pin(message), 'done');
    assert.deepEqual(await pinnedIn(general, cleo), [first, third, second]);
    assert.deepEqual([await pinOf(first), await pinOf(third)], [true, true]);
    const { channels } = await node.must(cleo, 'communitiesGetChannels', { communityId: community });
    assert.equal(channels.messages.find(({ messageId }) => messageId === third)?.pinned, true);
    const { chat } = await node.must(cleo, 'chatsGetChat', { chatRef: general });
    assert.deepEqual([chat.message?.messageId, chat.message?.pinned], [third, true]);
    assert.equal(await unpin(third), 'done');
    assert.deepEqual(await pinnedIn(), [first, second]);
    assert.equal(await pinOf(third), undefined);
  });
  it('is told of to all who see the chat, once', async () => {
    const message = await say();
    other.told();
    assert.equal(await pin(message), 'done');
    assert.deepEqual(told(other.told()), [[ada, bob, message, 'hello', true]]);
    const before = await eventsIn(channelChat(community, 101n as ChannelId));
    assert.equal(await pin(message), 'done');
    assert.equal(await unpin(await say(cleo)), 'done');
    assert.equal(await eventsIn(channelChat(community, 101n as ChannelId)), before);
    assert.deepEqual(
      other.told().filter(({ update }) => 'message' in update),
      [],
    );
    assert.equal(await unpin(message), 'done');
    assert.deepEqual(told(other.told()), [[ada, bob, message, 'hello', false]]);
    await say(ada, hidden);
    const inHidden = await say(ada, hidden);
    other.told();
    await pin(inHidden, { chatRef: hidden });
    assert.deepEqual(told(other.told()), [[ada, inHidden, 'hello', true]]);
  });
  it('stays pinned when it is edited, and no edit is told of that was not there yet', async () => {
    const message = await say();
    await pin(message);
    other.told();
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'changed' });
    assert.deepEqual(told(other.told()), [[ada, bob, message, 'changed', true]]);
    here.hold();
    await node.askOnly(ada, 'messagesSetMessagePin', { chatRef: general, messageId: message, pin: false });
    await node.askOnly(ada, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'later' });
    await here.settled();
    assert.deepEqual(told(other.told()), [
      [ada, bob, message, 'changed', false],
      [ada, bob, message, 'later', undefined],
    ]);
  });
  it('is gone once it was deleted, and nobody hears of it again', async () => {
    const message = await say();
    await pin(message);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [message] });
    assert.ok(!(await pinnedIn()).includes(message));
    other.told();
    assert.equal(await pin(message), 'MESSAGE_NOT_FOUND');
    assert.equal(await unpin(message), 'done');
    assert.deepEqual(told(other.told()), []);
  });
});

describe('pinning', () => {
  it('needs the right in channels, as it is now', async () => {
    const message = await say();
    assert.equal(await pin(message, { by: bob }), 'MISSING_PERMISSION');
    const override = { community, channel: 101n as ChannelId, role: 0n as RoleId, by: ada };
    await here.happened('community-100', {
      type: 'OverrideSet',
      data: { ...override, pos: permission.pinMessages, neg: 0n },
    });
    assert.equal(await pin(message, { by: bob }), 'done');
    const next = await say();
    await here.happened('community-100', { type: 'OverrideRemoved', data: override });
    assert.equal(await pin(next, { by: bob }), 'MISSING_PERMISSION');
    assert.ok(!(await pinnedIn()).includes(next));
  });
  it('needs a message of a chat that the user sees', async () => {
    const message = await say();
    for (const id of [0n, 1n]) assert.equal(await pin(id as MessageId), 'MESSAGE_NOT_FOUND');
    assert.equal(await unpin(1n as MessageId), 'MESSAGE_NOT_FOUND');
    assert.equal(await pin(message, { chatRef: voice }), 'MESSAGE_NOT_FOUND');
    assert.equal(await pin(message, { by: dora }), 'CHAT_NOT_FOUND');
    assert.equal(await pin(message, { chatRef: category }), 'NOT_A_TEXT_CHAT');
    const inHidden = await say(ada, hidden);
    assert.equal(await pin(inHidden, { by: bob, chatRef: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(bob, 'messagesGetPinnedMessages', { chatRef: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(ada, 'messagesGetPinnedMessages', { chatRef: category }), 'NOT_A_TEXT_CHAT');
  });
  it('is for both sides of a direct chat, and in saved messages', async () => {
    const toDora = await say(ada, dm(dora));
    other.told();
    assert.equal(await pin(toDora, { by: dora, chatRef: dm(ada) }), 'done');
    assert.deepEqual(await pinnedIn(dm(dora)), [toDora]);
    assert.deepEqual(told(other.told()).length, 2);
    const saved = await say(ada, self);
    assert.equal(await pin(saved, { chatRef: self }), 'done');
    assert.deepEqual(await pinnedIn(self), [saved]);
    const { chats } = await node.must(ada, 'chatsGetChats', {});
    assert.ok(chats.messages.filter(({ pinned }) => pinned === true).length >= 2);
  });
});

describe('the number of pins of a chat', () => {
  it('is bounded, also when many come at once to two nodes; a deleted message frees its place', async () => {
    const messages = await Promise.all(Array.from({ length: pinsMax + 2 }, () => say(ada, news)));
    const outcomes = await Promise.all(
      messages.map((message, index) => pin(message, { chatRef: news, at: index % 2 === 0 ? node : other })),
    );
    // One that lost too many races is asked again by its client.
    for (const [index, outcome] of outcomes.entries()) {
      const message = messages[index] ?? assert.fail();
      if (outcome === 'CONFLICT') outcomes[index] = await pin(message, { chatRef: news });
    }
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, pinsMax);
    assert.equal(outcomes.filter((outcome) => outcome === 'TOO_MANY_PINS').length, 2);
    const listed = await pinnedIn(news);
    assert.equal(listed.length, pinsMax);
    const [gone, ...left] = listed;
    const refused = messages.find((message) => !listed.includes(message)) ?? assert.fail();
    await node.must(ada, 'messagesDeleteMessage', { chatRef: news, messageIds: [gone ?? assert.fail()] });
    assert.equal(await pin(refused, { chatRef: news, at: other }), 'done');
    assert.deepEqual(await pinnedIn(news), [refused, ...left]);
    assert.equal(await pin(await say(ada, news), { chatRef: news }), 'TOO_MANY_PINS');
  });
});
