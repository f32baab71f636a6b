import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { permission } from '../../../../../src/kernel/permissions.js';
import type { MessageId, RoleId } from '../../../../../src/kernel/ids.js';
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
  nobody,
  self,
  slow,
  slowSeconds,
  voice,
} from '../../../../support/house/cast.js';
import { holding } from '../../../../support/house/holding.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';
import { contentBytesMax, textUnitsMax } from '../../../../../src/gateway/packages/messages/wire.js';

describe('sending a message', () => {
  let here: House;
  let node: Node;
  before(async () => {
    here = await house();
    node = await here.node();
  });
  after(() => here.close());

  const refusal = async (user = bob, request: Parameters<Node['send']>[1] = {}): Promise<unknown> => {
    const answer = await node.ask(user, 'messagesSendMessage', { message: 'hi', ...request });
    assert.ok('rejected' in answer, 'it was not refused');
    return answer.rejected;
  };
  const newest = async (chatRef: Parameters<Node['send']>[1]['chatRef'], user = ada) => {
    const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, limit: 1 });
    return messages.messages[0];
  };

  it('answers its id, under which everybody finds it', async () => {
    const messageId = await node.send(bob, { chatRef: general, message: 'hello' });
    assert.deepEqual(await newest(general, cleo), {
      chatRef: general,
      messageId,
      authorId: bob,
      message: 'hello',
      entities: [],
      media: [],
    });
  });
  it('reaches the other side of a direct chat, who calls it by the sender', async () => {
    await node.send(bob, { chatRef: dm(dora), message: 'hello' });
    assert.deepEqual((await newest(dm(bob), dora))?.chatRef, dm(bob));
    assert.deepEqual((await newest(dm(dora), bob))?.chatRef, dm(dora));
  });
  it('to oneself is to the saved messages, however it is named', async () => {
    const messageId = await node.send(bob, { chatRef: dm(bob), message: 'note' });
    const kept = await newest(self, bob);
    assert.deepEqual([kept?.messageId, kept?.chatRef], [messageId, self]);
  });
  it('works in voice channels', async () => {
    await node.send(bob, { chatRef: voice, message: 'can you hear me?' });
    assert.equal((await newest(voice))?.message, 'can you hear me?');
  });
  it('ends the sender’s typing', async () => {
    await node.connect(ada);
    const typing = { chatRef: general, userId: cleo };
    await node.must(cleo, 'chatsSetTyping', { chatRef: general, typing: true });
    await node.send(cleo, { chatRef: general, message: 'hello' });
    const heard = node.heard(ada).flatMap(({ chatTyping }) => (chatTyping === undefined ? [] : [chatTyping]));
    assert.deepEqual(heard, [
      { ...typing, typing: true },
      { ...typing, typing: false },
    ]);
    await node.disconnect(ada);
  });

  const refused: readonly (readonly [string, string, Parameters<typeof refusal>])[] = [
    ['a channel that one does not see', 'CHAT_NOT_FOUND', [bob, { chatRef: hidden }]],
    ['a community that one is not in', 'CHAT_NOT_FOUND', [dora, { chatRef: general }]],
    ['a channel where one may only read', 'MISSING_PERMISSION', [bob, { chatRef: news }]],
    ['a category', 'NOT_A_TEXT_CHAT', [bob, { chatRef: category }]],
    ['a user who does not exist', 'USER_NOT_FOUND', [bob, { chatRef: dm(nobody) }]],
    ['a group, while there are none', 'CHAT_NOT_FOUND', [bob, { chatRef: { group: { groupId: 5n as never } } }]],
    ['half a channel', 'INVALID_ARGUMENT', [bob, { chatRef: { channel: { channelId: 101n as never } } }]],
    ['nowhere', 'INVALID_ARGUMENT', [bob, {}]],
    ['without text', 'EMPTY_MESSAGE', [bob, { chatRef: general, message: '' }]],
    [
      'with nothing to see in bold',
      'EMPTY_MESSAGE',
      [bob, { chatRef: general, message: ' ', entities: [{ startIndex: 0, length: 1, bold: true }] }],
    ],
    ['with too much text', 'MESSAGE_TOO_LONG', [bob, { chatRef: general, message: 'x'.repeat(textUnitsMax + 1) }]],
    ['with an attachment that is nothing', 'INVALID_ARGUMENT', [bob, { chatRef: general, media: [{}] }]],
    ['an answer to nothing', 'MESSAGE_NOT_FOUND', [bob, { chatRef: general, replyToOld: 5n as MessageId }]],
    [
      'a quote from nothing',
      'MESSAGE_NOT_FOUND',
      [bob, { chatRef: general, replyTo: { quote: { message: 'as you said' } } }],
    ],
    [
      'links that together take more than an event holds',
      'MESSAGE_TOO_LONG',
      [bob, { chatRef: general, entities: Array.from({ length: 30 }, () => link(2000)) }],
    ],
  ];
  for (const message of [' ', '\n', '\u200b', '\u2800', '\u00ad\u3164']) {
    it(`is refused: with nothing to see (${JSON.stringify(message)})`, async () => {
      assert.equal(await refusal(bob, { chatRef: general, message }), 'EMPTY_MESSAGE');
    });
  }
  for (const [what, reason, asked] of refused) {
    it(`is refused: ${what} (${reason})`, async () => {
      assert.equal(await refusal(...asked), reason);
    });
  }
  it('takes the longest text that there is', async () => {
    const message = `${'\u0001'.repeat(textUnitsMax - 1)}.`;
    await node.send(bob, { chatRef: general, message });
    assert.equal((await newest(general))?.message, message);
    assert.ok(textUnitsMax * 6 < contentBytesMax);
  });

  it('says which message it answers, in the fields of both generations', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'question' });
    await node.send(bob, { chatRef: general, message: 'old', replyToOld: first });
    const old = await newest(general);
    await node.send(bob, { chatRef: general, message: 'new', replyTo: { messageId: first } });
    const neu = await newest(general);
    assert.deepEqual(
      [old?.replyTo, old?.reply, neu?.replyTo, neu?.reply],
      [first, { messageId: first }, first, { messageId: first }],
    );
  });
  it('has no quote when the quote shows nothing', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'question' });
    for (const message of ['', ' ', '\u200b']) {
      await node.send(bob, { chatRef: general, message: 'answer', replyTo: { messageId: first, quote: { message } } });
      assert.deepEqual((await newest(general))?.reply?.quote, undefined);
    }
  });
  it('keeps the quote', async () => {
    const bold = [{ startIndex: 5, length: 1, bold: true }];
    const first = await node.send(ada, { chatRef: general, message: 'what I said', entities: bold });
    const quote = { message: 'I said', entities: [{ startIndex: 0, length: 1, bold: true }], offset: 5n };
    await node.send(bob, { chatRef: general, message: 'you said', replyTo: { messageId: first, quote } });
    assert.deepEqual((await newest(general))?.reply?.quote, quote);
  });
  it('loses a quote that the original does not say by now, and nothing else', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'I hate tea' });
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: first, message: 'I like tea' });
    const replyTo = { messageId: first, quote: { message: 'I hate tea', offset: 0n } };
    const messageId = await node.send(bob, { chatRef: general, message: 'so do I', replyTo });
    const shown = await newest(general);
    assert.deepEqual([shown?.messageId, shown?.reply], [messageId, { messageId: first }]);
  });
  it('quotes from where the words stand', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'I like tea' });
    const replyTo = { messageId: first, quote: { message: 'tea', offset: 2n } };
    await node.send(bob, { chatRef: general, message: 'so do I', replyTo });
    assert.equal((await newest(general))?.reply?.quote?.offset, 7n);
  });
  it('does not answer what is in another chat', async () => {
    const elsewhere = await node.send(bob, { chatRef: dm(dora), message: 'secret' });
    assert.equal(await refusal(bob, { chatRef: general, replyToOld: elsewhere }), 'MESSAGE_NOT_FOUND');
  });
  it('may answer what was deleted while it was written', async () => {
    const first = await node.send(ada, { chatRef: general, message: 'oops' });
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [first] });
    await node.send(bob, { chatRef: general, message: 'what was it?', replyToOld: first });
    assert.equal((await newest(general))?.replyTo, first);
  });

  describe('where slow mode is on', () => {
    it('has to wait after the last one, and is told how long', async () => {
      await node.send(bob, { chatRef: slow, message: 'one' });
      here.clock.at += 10_000;
      const answer = await node.ask(bob, 'messagesSendMessage', { chatRef: slow, message: 'two' });
      assert.deepEqual(answer, { rejected: 'SLOWMODE', retryAfterSeconds: slowSeconds - 10 });
      here.clock.at += (slowSeconds - 10) * 1000;
      assert.equal(await node.send(bob, { chatRef: slow, message: 'two' }), (await newest(slow))?.messageId);
    });
    it('does not wait after a first send that was refused', async () => {
      const other = await here.node();
      const about = { community, channel: slow.channel?.channelId, role: 0n as RoleId, by: ada };
      const silenced = { ...about, pos: 0n, neg: permission.sendMessages };
      other.atNextWait(() => here.happened('community-100', { type: 'OverrideSet', data: silenced }));
      const refused = await other.refused(cleo, 'messagesSendMessage', { chatRef: slow, message: 'one' });
      assert.equal(refused, 'MISSING_PERMISSION');
      await here.happened('community-100', { type: 'OverrideRemoved', data: about });
      await other.send(cleo, { chatRef: slow, message: 'one' });
      assert.equal((await newest(slow))?.message, 'one');
    });
    it('waits also after a message that was deleted', async () => {
      here.clock.at += slowSeconds * 1000;
      const messageId = await node.send(bob, { chatRef: slow, message: 'gone' });
      await node.must(bob, 'messagesDeleteMessage', { chatRef: slow, messageIds: [messageId] });
      const other = await here.node();
      const answer = await other.ask(bob, 'messagesSendMessage', { chatRef: slow, message: 'again' });
      assert.deepEqual(answer, { rejected: 'SLOWMODE', retryAfterSeconds: slowSeconds });
    });
    it('waits on another node as well', async () => {
      here.clock.at += slowSeconds * 1000;
      await node.send(bob, { chatRef: slow, message: 'here' });
      const other = await here.node();
      const answer = await other.ask(bob, 'messagesSendMessage', { chatRef: slow, message: 'there' });
      assert.ok('rejected' in answer && answer.rejected === 'SLOWMODE');
    });
    it('passes once when two sessions send at the same time', async () => {
      here.clock.at += slowSeconds * 1000;
      const log = holding(here.log);
      const there = await here.node({ log });
      const answers: object[] = [];
      const sends = [21, 22].map(async (session) => {
        const who = { user: bob, session: BigInt(session) };
        answers.push(await there.ask(who, 'messagesSendMessage', { chatRef: slow, message: 'me first' }));
      });
      while (log.held.length + answers.length < sends.length) await new Promise(setImmediate);
      assert.deepEqual([log.held.length, answers], [1, [{ rejected: 'SLOWMODE', retryAfterSeconds: slowSeconds }]]);
      for (const release of log.held) release();
      await Promise.all(sends);
    });
    for (const ahead of [60_000, 10 * 365 * 24 * 3_600_000]) {
      const far = `${(ahead / 1000).toString()} s`;
      it(`waits for no longer because the clock was ahead when the last one was sent (${far})`, async () => {
        here.clock.at += slowSeconds * 1000;
        here.clock.ahead = ahead;
        await node.send(bob, { chatRef: slow, message: 'ahead' });
        here.clock.ahead = 0;
        // The one that sent it, and one that was started later.
        for (const [sender, left] of [
          [node, slowSeconds - 10],
          [await here.node(), slowSeconds],
        ] as const) {
          here.clock.at += 10_000;
          const answer = await sender.ask(bob, 'messagesSendMessage', { chatRef: slow, message: 'right' });
          assert.deepEqual(answer, { rejected: 'SLOWMODE', retryAfterSeconds: left });
          here.clock.at -= 10_000;
        }
        here.clock.at += slowSeconds * 1000;
        assert.equal(await node.send(bob, { chatRef: slow, message: 'right' }), (await newest(slow))?.messageId);
      });
    }
    it('waits for as long when the clock is set ahead meanwhile', async () => {
      here.clock.at += slowSeconds * 1000;
      await node.send(bob, { chatRef: slow, message: 'one' });
      here.clock.ahead = 3_600_000;
      const answer = await node.ask(bob, 'messagesSendMessage', { chatRef: slow, message: 'two' });
      assert.deepEqual(answer, { rejected: 'SLOWMODE', retryAfterSeconds: slowSeconds });
      here.clock.ahead = 0;
    });
    it('does not wait after what was refused', async () => {
      here.clock.at += slowSeconds * 1000;
      assert.equal(await refusal(cleo, { chatRef: slow, replyToOld: 5n as MessageId }), 'MESSAGE_NOT_FOUND');
      await node.send(cleo, { chatRef: slow, message: 'now' });
      assert.equal((await newest(slow))?.message, 'now');
    });
    it('does not wait who may delete messages', async () => {
      await node.send(ada, { chatRef: slow, message: 'one' });
      await node.send(ada, { chatRef: slow, message: 'two' });
      assert.equal((await newest(slow))?.message, 'two');
    });
  });
});

function link(units: number) {
  return { startIndex: 0, length: 1, textUrl: { url: `https://example.org/${'x'.repeat(units)}` } };
}
