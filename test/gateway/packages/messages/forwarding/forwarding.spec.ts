import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { messageStream } from '../../../../../src/domain/messages/events.js';
import { forwardedTogetherMax } from '../../../../../src/gateway/packages/messages/forwarding/wire.js';
import type { ChatRefInit } from '../../../../../src/gen/refs.js';
import type { Message } from '../../../../../src/gen/types.js';
import { millisOf, type MessageId, type UserId } from '../../../../../src/kernel/ids.js';
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
  slow,
  slowSeconds,
  voice,
} from '../../../../support/house/cast.js';
import { holding } from '../../../../support/house/holding.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
let desk: Node;
before(async () => {
  here = await house();
  node = await here.node();
  desk = await here.node();
  await desk.connect(ada, bob, cleo);
});
after(() => here.close());

const say = (user = bob, chatRef = general, more = {}): Promise<MessageId> => {
  here.clock.at += 10;
  return node.send(user, { chatRef, message: 'hello', ...more });
};
type To = { readonly by?: UserId; readonly from?: ChatRefInit; readonly to?: ChatRefInit };
const forward = async (
  messageIds: readonly MessageId[],
  { by = ada, from = general, to = voice }: To = {},
): Promise<string> => {
  here.clock.at += 10;
  const answer = await node.ask(by, 'messagesForwardMessage', { chatRef: to, from, messageIds });
  return 'rejected' in answer ? answer.rejected : 'done';
};
const newestIn = async (chatRef: ChatRefInit, limit: number, by = ada): Promise<readonly Message[]> => {
  const { messages } = await node.must(by, 'messagesGetHistory', { chatRef, limit });
  return messages.messages.toReversed();
};
const countIn = async (chatRef: ChatRefInit): Promise<number> => (await newestIn(chatRef, 100)).length;
const textsOf = (messages: readonly Message[]): readonly string[] => messages.map(({ message }) => message);

describe('a forward', () => {
  it('is a message of who forwarded it, with the words and the time of the original', async () => {
    const entities = [{ startIndex: 0, length: 5, bold: true }];
    const original = await say(bob, general, { entities, replyTo: { messageId: await say() } });
    desk.told();
    assert.equal(await forward([original], { by: cleo }), 'done');
    const [copy] = await newestIn(voice, 1);
    assert.deepEqual(
      [copy?.authorId, copy?.message, copy?.entities.length, copy?.forward, copy?.reply, copy?.editedAt],
      [cleo, 'hello', 1, { date: BigInt(millisOf(original)) }, undefined, undefined],
    );
    const created = desk
      .told()
      .flatMap(({ audience, update, perRecipient }) =>
        'messageCreated' in update ? [{ audience: [...audience], ...update.messageCreated, perRecipient }] : [],
      );
    assert.deepEqual(
      created.map(({ audience, message, author, perRecipient }) => [
        audience,
        message?.messageId,
        message?.forward?.date,
        author?.id,
        perRecipient?.counts,
      ]),
      [[[ada, bob, cleo], copy?.messageId, BigInt(millisOf(original)), cleo, [1, 1, 0]]],
    );
  });
  it('of a forward keeps the first date', async () => {
    const original = await say();
    await forward([original]);
    const [first] = await newestIn(voice, 1);
    await forward([first?.messageId ?? assert.fail()], { from: voice, to: self });
    assert.deepEqual((await newestIn(self, 1))[0]?.forward, { date: BigInt(millisOf(original)) });
  });
  it('keeps its words when the original changes or goes, and nobody edits it', async () => {
    const original = await say();
    await forward([original]);
    await node.must(bob, 'messagesEditMessage', { chatRef: general, messageId: original, message: 'changed' });
    await forward([original]);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [original] });
    const copies = await newestIn(voice, 2);
    assert.deepEqual(textsOf(copies), ['hello', 'changed']);
    const messageId = copies[0]?.messageId ?? assert.fail();
    const edit = { chatRef: voice, messageId, message: 'mine' };
    assert.equal(await node.refused(ada, 'messagesEditMessage', edit), 'NOT_EDITABLE');
    assert.equal(await node.refused(bob, 'messagesEditMessage', edit), 'NOT_AUTHOR');
    const { message: _, ...alone } = edit;
    assert.equal(await node.refused(ada, 'messagesEditMessage', { ...alone, suppressEmbeds: true }), 'NOT_EDITABLE');
    await node.must(ada, 'messagesDeleteMessage', { chatRef: voice, messageIds: [messageId] });
    assert.deepEqual(textsOf(await newestIn(voice, 1)), ['changed']);
  });
  it('counts as unread and as a mention like any message, and as read by who forwarded it', async () => {
    const entities = [{ startIndex: 0, length: 1, userMention: {} }];
    const original = await say(bob, self, { message: cleo.toString(), entities });
    const unreadOf = async (user: UserId) => {
      const { chat } = (await node.must(user, 'chatsGetChat', { chatRef: voice })).chat;
      return [chat?.unreadCount, chat?.unreadMentionsCount];
    };
    const [before] = await unreadOf(cleo);
    assert.equal(await forward([original], { by: bob, from: self }), 'done');
    assert.deepEqual(await unreadOf(cleo), [(before ?? 0) + 1, 1]);
    assert.deepEqual(await unreadOf(bob), [0, 0]);
    const { unreadMentions } = await node.must(cleo, 'messagesGetUnreadMentions', { chatRef: voice });
    assert.deepEqual(
      unreadMentions.messageIds,
      (await newestIn(voice, 1)).map(({ messageId }) => messageId),
    );
  });
  it('begins a direct chat', async () => {
    await desk.connect(dora);
    assert.equal(await forward([await say()], { by: cleo, to: dm(dora) }), 'done');
    const names = desk.heard(dora).map((update) => Object.keys(update).join());
    assert.deepEqual(names, ['chat', 'messageCreated']);
    const { chats } = await node.must(dora, 'chatsGetChats', {});
    assert.deepEqual(
      chats.messages.map(({ message, forward: of }) => [message, of !== undefined]),
      [['hello', true]],
    );
  });
});

describe('forwarding several messages', () => {
  it('keeps the order of the originals, each once', async () => {
    const originals = [];
    for (const message of ['one', 'two', 'three']) originals.push(await say(bob, general, { message }));
    const [first, second, third] = originals;
    assert.ok(first && second && third);
    const before = await countIn(hidden);
    assert.equal(await forward([third, first, second, first], { to: hidden }), 'done');
    assert.equal((await countIn(hidden)) - before, 3);
    assert.deepEqual(textsOf(await newestIn(hidden, 3)), ['one', 'two', 'three']);
  });
  it('copies all or none', async () => {
    const originals = [await say(), await say(), await say()];
    const [first, gone] = originals;
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [gone ?? assert.fail()] });
    const before = await countIn(hidden);
    assert.equal(await forward(originals, { to: hidden }), 'MESSAGE_NOT_FOUND');
    assert.equal(await forward([first ?? assert.fail(), 0n as MessageId], { to: hidden }), 'MESSAGE_NOT_FOUND');
    assert.equal(await forward([first ?? assert.fail(), await say(ada, voice)], { to: hidden }), 'MESSAGE_NOT_FOUND');
    assert.equal(await countIn(hidden), before);
  });
  it('takes a hundred at once, in one append, and no more', async () => {
    const originals = [];
    for (let index = 0; index < forwardedTogetherMax; index += 1) {
      originals.push(await node.askOnly(bob, 'messagesSendMessage', { chatRef: self, message: index.toString() }));
      here.clock.at += 1;
    }
    await here.settled();
    const ids = originals.map((answer) => ('sentMessage' in answer ? answer.sentMessage.messageId : assert.fail()));
    assert.equal(
      await forward([...ids, ids[0] ?? assert.fail()], { by: bob, from: self, to: news }),
      'INVALID_ARGUMENT',
    );
    assert.equal(await forward([], { by: bob, from: self }), 'INVALID_ARGUMENT');
    const end = await here.log.end();
    assert.equal(await forward(ids.toReversed(), { by: bob, from: self, to: dm(cleo) }), 'done');
    const copies = await newestIn(dm(cleo), 100, bob);
    assert.deepEqual(
      textsOf(copies),
      ids.map((_, index) => index.toString()),
    );
    const events = await here.log.readAll({ from: end, limit: 200 });
    assert.deepEqual(
      events.map(({ stream }) => stream),
      copies.map(({ messageId }) => messageStream(messageId)),
    );
    assert.ok(events.every(({ metadata }) => Buffer.from(metadata).toString().includes('/100"')));
  });
});

describe('forwarding', () => {
  it('needs sight of the one chat and the right to write in the other', async () => {
    const [message, secret] = [await say(), await say(ada, hidden)];
    assert.equal(await forward([message], { by: bob, to: news }), 'MISSING_PERMISSION');
    assert.equal(await forward([message], { by: bob, to: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await forward([secret], { by: bob, from: hidden, to: self }), 'CHAT_NOT_FOUND');
    assert.equal(await forward([message], { by: dora, to: self }), 'CHAT_NOT_FOUND');
    assert.equal(await forward([message], { to: category }), 'NOT_A_TEXT_CHAT');
    assert.equal(await forward([secret], { from: hidden, to: self }), 'done');
  });
  it('is refused to a member who left while the rights are looked at', async () => {
    const message = await say();
    const member = `member-${community.toString()}.${cleo.toString()}`;
    await here.happened(member, { type: 'MemberLeft', data: { community, user: cleo } });
    const refusal = await forward([message], { by: cleo, to: self });
    await here.happened(member, { type: 'MemberJoined', data: { community, user: cleo, via: 'invite', joining: 2 } });
    assert.equal(refusal, 'CHAT_NOT_FOUND');
  });
  it('goes into slow mode one at a time, and in turns with sends', async () => {
    const messages = [await say(), await say()];
    const [first] = messages;
    assert.ok(first);
    here.clock.at += slowSeconds * 1_000;
    assert.equal(await forward(messages, { by: cleo, to: slow }), 'SLOWMODE');
    assert.equal(await forward([first], { by: cleo, to: slow }), 'done');
    assert.equal(await forward([first], { by: cleo, to: slow }), 'SLOWMODE');
    assert.equal(await node.refused(cleo, 'messagesSendMessage', { chatRef: slow, message: 'hi' }), 'SLOWMODE');
    // A node that knows of it from the log alone.
    assert.equal(await desk.refused(cleo, 'messagesSendMessage', { chatRef: slow, message: 'hi' }), 'SLOWMODE');
    assert.equal(await forward(messages, { by: ada, to: slow }), 'done');
    here.clock.at += slowSeconds * 1_000;
    // While a send of another session is on its way, nothing of it is in the log.
    const log = holding(here.log);
    const there = await here.node({ log });
    const sent = there.ask({ user: cleo, session: 77n }, 'messagesSendMessage', { chatRef: slow, message: 'hi' });
    while (log.held.length === 0) await new Promise(setImmediate);
    const request = { chatRef: slow, from: general, messageIds: [first] };
    const answer = await there.askOnly(cleo, 'messagesForwardMessage', request);
    assert.ok('rejected' in answer && answer.rejected === 'SLOWMODE');
    for (const release of log.held) release();
    assert.ok(!('rejected' in (await sent)));
  });
  it('leaves nothing of erased words, also in copies of copies', async () => {
    const original = await say(dora, dm(ada));
    assert.equal(await forward([original], { from: dm(dora), to: hidden }), 'done');
    const [copy] = await newestIn(hidden, 1);
    const messageId = copy?.messageId ?? assert.fail();
    assert.equal(await forward([messageId], { from: hidden, to: self }), 'done');
    here.sealer.shred(dora.toString());
    const again = await here.node();
    for (const chatRef of [hidden, self]) {
      const { messages } = await again.must(ada, 'messagesGetHistory', { chatRef, limit: 1 });
      assert.deepEqual(
        messages.messages.map(({ message, authorId }) => [message, authorId]),
        [['', ada]],
      );
    }
    const answer = await again.refused(ada, 'messagesForwardMessage', {
      chatRef: voice,
      from: hidden,
      messageIds: [messageId],
    });
    assert.equal(answer, 'EMPTY_MESSAGE');
  });
});
