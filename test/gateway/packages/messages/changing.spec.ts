import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { messageEvents, messageStream } from '../../../../src/domain/messages/events.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import { storedType } from '../../../../src/kernel/codec.js';
import { reject } from '../../../../src/kernel/decider.js';
import type { MessageId, RoleId, UserId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dm, dora, general, hidden, news, voice } from '../../../support/house/cast.js';
import { textUnitsMax } from '../../../../src/gateway/packages/messages/wire.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

type Editing = Parameters<typeof node.ask<'messagesEditMessage'>>[2];

const found = async (messageId: MessageId, chatRef: ChatRefInit = general, user = ada) => {
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, around: messageId, limit: 1 });
  return messages.messages.find((message) => message.messageId === messageId);
};
const edit = async (user: UserId, request: Editing): Promise<string> => {
  const answer = await node.ask(user, 'messagesEditMessage', { chatRef: general, ...request });
  return 'rejected' in answer ? answer.rejected : 'done';
};
const bold = { startIndex: 0, length: 2, bold: true };

describe('editing a message', () => {
  it('changes its text and says when', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'helo' });
    here.clock.at += 1000;
    assert.equal(await edit(bob, { messageId, message: 'hello' }), 'done');
    const edited = await found(messageId);
    assert.deepEqual([edited?.message, edited?.editedAt], ['hello', BigInt(here.clock.at)]);
  });
  it('to a text without entities takes them away', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'hello', entities: [bold] });
    await edit(bob, { messageId, message: 'hello' });
    assert.deepEqual((await found(messageId))?.entities, []);
  });
  it('without a text replaces the entities, and keeps the text', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'hello' });
    await edit(bob, { messageId, entities: [bold] });
    const edited = await found(messageId);
    assert.deepEqual([edited?.message, edited?.entities], ['hello', [bold]]);
  });
  it('without a text holds entities against the text that there is', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'x' });
    assert.equal(await edit(bob, { messageId, entities: [bold] }), 'INVALID_ENTITIES');
  });
  it('of nothing but its previews changes nothing', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'hello', entities: [bold] });
    assert.equal(await edit(bob, { messageId, suppressEmbeds: true }), 'done');
    const same = await found(messageId);
    assert.deepEqual([same?.message, same?.entities, same?.editedAt], ['hello', [bold], undefined]);
  });
  it('keeps what it answers', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'question' });
    const messageId = await node.send(bob, { chatRef: general, message: 'anser', replyToOld: first });
    await edit(bob, { messageId, message: 'answer' });
    assert.equal((await found(messageId))?.replyTo, first);
  });
  it('is refused as it should be', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'hello' });
    assert.equal(await edit(ada, { messageId, message: 'hacked' }), 'NOT_AUTHOR');
    assert.equal(await edit(ada, { messageId, entities: [bold] }), 'NOT_AUTHOR');
    assert.equal(await edit(ada, { messageId, suppressEmbeds: true }), 'NOT_AUTHOR');
    for (const message of ['', ' ', '\n', '\u200b', '\u2800']) {
      assert.equal(await edit(bob, { messageId, message }), 'EMPTY_MESSAGE', JSON.stringify(message));
    }
    assert.equal(await edit(bob, { messageId, media: [{}] }), 'INVALID_ARGUMENT');
    assert.equal(await edit(bob, { messageId, chatRef: dm(dora), message: 'x' }), 'MESSAGE_NOT_FOUND');
    assert.equal(await edit(bob, { messageId, chatRef: hidden, message: 'x' }), 'CHAT_NOT_FOUND');
    assert.equal(await edit(bob, { messageId: 5n as MessageId, message: 'x' }), 'MESSAGE_NOT_FOUND');
    assert.equal((await found(messageId))?.message, 'hello');
  });
});

/** From now on everybody has these rights in the channel, and those no more. */
const override = (pos: bigint, neg: bigint): Promise<void> =>
  here.happened('community-100', {
    type: 'OverrideSet',
    data: { community, channel: voice.channel?.channelId, role: 0n as RoleId, pos, neg, by: ada },
  });
describe('the length of a text', () => {
  it('is counted in UTF-16 units of the text as sent, in messages and edits, and all that got in is read again', async () => {
    for (const letter of ['a', '😀', '한']) {
      const longest = letter.repeat(textUnitsMax / letter.length);
      const messageId = await node.send(bob, { chatRef: general, message: longest });
      const shorter = await node.send(bob, { chatRef: general, message: 'short' });
      assert.equal(await edit(bob, { messageId: shorter, message: longest }), 'done');
      const more = `${longest}a`;
      assert.equal(
        await node.refused(bob, 'messagesSendMessage', { chatRef: general, message: more }),
        'MESSAGE_TOO_LONG',
      );
      assert.equal(await edit(bob, { messageId, message: more }), 'MESSAGE_TOO_LONG');
      const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 2 });
      assert.deepEqual(
        messages.messages.map(({ message }) => message === longest),
        [true, true],
      );
      await node.must(ada, 'messagesSetMessagePin', { chatRef: general, messageId, pin: true });
      const pinned = await node.must(ada, 'messagesGetPinnedMessages', { chatRef: general });
      assert.equal(pinned.messages.messages.find((one) => one.messageId === messageId)?.message, longest);
      await node.must(ada, 'messagesForwardMessage', { chatRef: general, from: general, messageIds: [messageId] });
      const again = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 1 });
      assert.equal(again.messages.messages[0]?.message, longest);
    }
  });
});

describe('whoever has lost a right since', () => {
  const { sendMessages, sendMedia, deleteMessages } = permission;
  let messageId: MessageId;
  before(async () => {
    await override(0n, 0n);
    messageId = await node.send(bob, { chatRef: voice, message: 'hello' });
  });
  const answerTo = async (request: Editing): Promise<readonly unknown[]> => [
    await edit(bob, { chatRef: voice, messageId, ...request }),
    (await found(messageId, voice))?.message,
  ];

  it('edits neither text nor entities nor media', async () => {
    await override(0n, sendMessages);
    for (const request of [{ message: 'hacked' }, { entities: [bold] }, { media: [{}] }, { removeMedia: true }]) {
      assert.deepEqual(await answerTo(request), ['MISSING_PERMISSION', 'hello']);
    }
    assert.deepEqual((await found(messageId, voice))?.entities, []);
    assert.deepEqual(await answerTo({ suppressEmbeds: true }), ['done', 'hello']);
  });
  it('edits the text but no media while only media are refused', async () => {
    await override(0n, sendMedia);
    assert.deepEqual(await answerTo({ media: [{}] }), ['MISSING_PERMISSION', 'hello']);
    assert.deepEqual(await answerTo({ message: 'hallo' }), ['done', 'hallo']);
  });
  it('edits nothing, when the right went while the request waited', async () => {
    await override(0n, 0n);
    let losing: Promise<void> | undefined;
    const readStream: typeof here.log.readStream = async (stream, read) => {
      if (stream === messageStream(messageId)) await (losing ??= override(0n, sendMessages));
      return here.log.readStream(stream, read);
    };
    const elsewhere = await here.node({ log: { ...here.log, readStream } });
    const request = { chatRef: voice, messageId, message: 'too late' };
    const answer = await elsewhere.ask(bob, 'messagesEditMessage', request);
    assert.deepEqual(answer, reject('MISSING_PERMISSION'));
    assert.equal((await found(messageId, voice))?.message, 'hallo');
  });
  it('deletes what is their own', async () => {
    await override(0n, sendMessages);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: voice, messageIds: [messageId] });
    assert.equal(await found(messageId, voice), undefined);
  });
  it('deletes nothing of others, when the right went while the request waited', async () => {
    const others = await node.send(ada, { chatRef: voice, message: 'hello' });
    await override(deleteMessages, 0n);
    const request = { chatRef: voice, messageIds: [others, 5n as MessageId] };
    node.atNextWait(() => override(0n, 0n));
    assert.deepEqual(await node.ask(bob, 'messagesDeleteMessage', request), reject('NOT_AUTHOR'));
    assert.equal((await found(others, voice))?.message, 'hello');
  });
  it('sends nothing, when the right went while the request waited', async () => {
    await override(0n, 0n);
    await here.happened('community-100', {
      type: 'SlowmodeChanged',
      data: { community, channel: voice.channel?.channelId, seconds: 1, by: ada },
    });
    // Slow mode counts his message of before, although it was deleted.
    here.clock.at += 2000;
    node.atNextWait(() => override(0n, sendMessages));
    const request = { chatRef: voice, message: 'too late' };
    assert.deepEqual(await node.ask(bob, 'messagesSendMessage', request), reject('MISSING_PERMISSION'));
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: voice, limit: 1 });
    assert.notEqual(messages.messages[0]?.message, 'too late');
  });
});

describe('deleting messages', () => {
  const remove = async (user: UserId, messageIds: readonly MessageId[], chatRef = general): Promise<string> => {
    const answer = await node.ask(user, 'messagesDeleteMessage', { chatRef, messageIds });
    return 'rejected' in answer ? answer.rejected : 'done';
  };
  const send = (user: UserId, chatRef = general): Promise<MessageId> => node.send(user, { chatRef, message: 'hello' });

  it('takes them away for everybody, and twice is once', async () => {
    const ids = [await send(bob), await send(bob)];
    assert.equal(await remove(bob, ids), 'done');
    assert.equal(await remove(bob, ids), 'done');
    assert.deepEqual(await Promise.all(ids.map((id) => found(id))), [undefined, undefined]);
  });
  it('passes over those that never were', async () => {
    const id = await send(bob);
    assert.equal(await remove(bob, [5n as MessageId, id]), 'done');
    assert.equal(await found(id), undefined);
  });
  it('of others takes none when one is refused', async () => {
    const [own, others] = [await send(bob), await send(cleo)];
    assert.equal(await remove(bob, [own, others]), 'NOT_AUTHOR');
    assert.ok((await found(own)) !== undefined && (await found(others)) !== undefined);
  });
  it('of others is for who may', async () => {
    const id = await send(bob);
    assert.equal(await remove(ada, [id]), 'done');
    assert.equal(await found(id), undefined);
  });
  it('of the other side is for nobody', async () => {
    const id = await send(bob, dm(ada));
    assert.equal(await remove(ada, [id], dm(bob)), 'NOT_AUTHOR');
  });
  it('leaves what is in another chat', async () => {
    const id = await send(bob, dm(ada));
    assert.equal(await remove(bob, [id], general), 'done');
    assert.ok((await found(id, dm(ada), bob)) !== undefined);
  });
  it('works where one may only read', async () => {
    const id = await node.send(ada, { chatRef: news, message: 'news' });
    assert.equal(await remove(bob, [id], news), 'NOT_AUTHOR');
    assert.equal(await remove(bob, [id], hidden), 'CHAT_NOT_FOUND');
  });
  it('takes a hundred at a time', async () => {
    const ids = Array.from({ length: 101 }, (_, index) => BigInt(index + 1) as MessageId);
    assert.equal(await remove(bob, ids), 'TOO_MANY');
    assert.equal(await remove(bob, ids.slice(1)), 'done');
  });
  it('follow each other in the log', async () => {
    const ids = [await send(bob), await send(bob), await send(bob)];
    const start = await here.log.end();
    await Promise.all([remove(bob, ids), send(cleo)]);
    const types = (await here.log.readAll({ from: start, limit: 10 })).map(({ type }) => type);
    const deleted = types.flatMap((type, index) => (type === storedType(messageEvents.MessageDeleted) ? [index] : []));
    assert.equal(deleted.length, 3);
    assert.equal((deleted.at(-1) ?? 0) - (deleted[0] ?? 0), 2);
  });
});
