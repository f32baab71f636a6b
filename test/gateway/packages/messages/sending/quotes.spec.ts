import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Entity, Quote } from '../../../../../src/domain/messages/events.js';
import { quoteFrom } from '../../../../../src/gateway/packages/messages/sending/quotes.js';
import type { MessageId, UserId } from '../../../../../src/kernel/ids.js';
import { shredded } from '../../../../../src/kernel/opened.js';
import { personal, type Personal } from '../../../../../src/kernel/personal.js';
import { ada, bob, cleo, general } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

const said = (text: string, entities: readonly Entity[] = []) => ({
  text: personal(text),
  entities: personal(entities),
});
const quote = (text: string, offset?: number, entities: readonly Entity[] = []): Quote =>
  offset === undefined ? { text, entities } : { text, entities, offset };

describe('a quote', () => {
  it('is of what the original says', () => {
    assert.deepEqual(quoteFrom(said('I like tea'), quote('like tea', 2)), quote('like tea', 2));
    assert.equal(quoteFrom(said('I like tea'), quote('I hate tea', 0)), undefined);
  });

  it('is found where it stands nearest to a wrong offset, and the first time without one', () => {
    const places = [undefined, 0, 3, 5, 6, 9, 3999].map(
      (offset) => quoteFrom(said('tea, no tea'), quote('tea', offset))?.offset,
    );
    assert.deepEqual(places, [0, 0, 0, 8, 8, 8, 8]);
  });

  it('is none of content that was erased', () => {
    const gone = shredded as unknown as Personal<string>; // The codec puts the mark in the content's place.
    assert.equal(quoteFrom({ ...said(''), text: gone }, quote('tea', 0)), undefined);
  });

  const kept = (original: Entity, quoted: Entity): number | undefined =>
    quoteFrom(said('see https://example.org', [original]), quote('https://example.org', 4, [quoted]))?.entities.length;

  it('is as bold as the original is there, and no bolder', () => {
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'bold', start: 0, length: 6 }), 1);
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'bold', start: 0, length: 7 }), 0);
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'italic', start: 0, length: 6 }), 0);
  });

  it('leads where the original leads', () => {
    const link = (url: string, start: number): Entity => ({ kind: 'textUrl', start, length: 5, url });
    assert.equal(kept(link('https://a.example', 4), link('https://a.example', 0)), 1);
    assert.equal(kept(link('https://a.example', 4), link('https://b.example', 0)), 0);
  });

  it('names a whole address or none', () => {
    const url = (start: number, length: number): Entity => ({ kind: 'url', start, length });
    assert.equal(kept(url(4, 19), url(0, 19)), 1);
    assert.equal(kept(url(4, 19), url(0, 15)), 0);
  });
});

describe('quoted words', () => {
  let here: House;
  let node: Node;
  before(async () => {
    here = await house();
    node = await here.node();
  });
  after(() => here.close());

  const say = (user: UserId, message: string, more: object = {}): Promise<MessageId> => {
    here.clock.at += 10;
    return node.send(user, { chatRef: general, message, ...more });
  };
  const quoting = (messageId: MessageId, message: string) => ({ replyTo: { messageId, quote: { message } } });
  const shown = async (messageId: MessageId) => {
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, around: messageId, limit: 1 });
    const [found] = messages.messages;
    return [found?.message, found?.reply?.quote?.message];
  };

  it('go with the keys of who wrote them, from replies, edits and replies to a forward, and no other words do', async () => {
    const original = await say(bob, 'I like tea');
    const reply = await say(cleo, 'so do I', quoting(original, 'like tea'));
    const edited = await say(cleo, 'me too', quoting(original, 'tea'));
    await node.must(cleo, 'messagesEditMessage', { chatRef: general, messageId: edited, message: 'me as well' });
    await node.must(ada, 'messagesForwardMessage', { chatRef: general, from: general, messageIds: [original] });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 1 });
    const copy = messages.messages[0]?.messageId ?? assert.fail();
    const ofCopy = await say(cleo, 'again', quoting(copy, 'I like'));
    const both = [reply, edited, ofCopy];
    assert.deepEqual(await Promise.all(both.map(shown)), [
      ['so do I', 'like tea'],
      ['me as well', 'tea'],
      ['again', 'I like'],
    ]);
    here.sealer.shred(bob.toString());
    assert.deepEqual(await Promise.all(both.map(shown)), [
      ['so do I', undefined],
      ['me as well', undefined],
      ['again', undefined],
    ]);
    await node.must(cleo, 'messagesEditMessage', { chatRef: general, messageId: reply, message: 'once more' });
    assert.deepEqual(await shown(reply), ['once more', undefined]);
  });
});
