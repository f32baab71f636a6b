import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import { noLinkPreviews } from '../../../../src/adapters/linkPreviews/off.js';
import { embedded, embedsMillisMax, pagesBytesMax } from '../../../../src/gateway/packages/messages/embeds.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import { freeMeter } from '../../../../src/gateway/contract/meter.js';
import type { MediaRefInit } from '../../../../src/gen/media.js';
import type { MessageId } from '../../../../src/kernel/ids.js';
import type { LinkPreviews } from '../../../../src/kernel/ports/linkPreviews.js';
import { ada, bob, general, hidden, self } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { bytesOf, refTo, upload } from '../../files/filing.js';

let here: House;
let node: Node;
const asked: string[] = [];
let atOnce = 0;
let atOnceMax = 0;
const linkPreviews: LinkPreviews = {
  ...noLinkPreviews,
  previewOf: async (url) => {
    asked.push(url);
    atOnce += 1;
    atOnceMax = Math.max(atOnceMax, atOnce);
    await new Promise(setImmediate);
    atOnce -= 1;
    if (url.includes('busy')) return 'busy';
    const title = url.includes('long') ? 'x'.repeat(pagesBytesMax / 2) : `Page ${asked.length.toString()}`;
    return url.includes('none') ? 'none' : { url, title, description: 'About it', websiteName: 'A site' };
  },
};
before(async () => {
  here = await house();
  node = await here.node({ linkPreviews });
});
after(() => here.close());

const link = (url: string): MediaRefInit => ({ embed: { url } });
const messageIn = async (messageId: MessageId, chatRef = general, user = bob) => {
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, around: messageId, limit: 1 });
  return messages.messages.find((one) => one.messageId === messageId);
};
const shown = async (messageId: MessageId) =>
  (await messageIn(messageId))?.media.map(({ file, embed }) => file?.file?.mimetype ?? [embed?.url, embed?.title]);

describe('a link that is attached', () => {
  it('is shown with its page, in the update and in history, in its place', async () => {
    await node.connect(ada);
    const media = [
      link('https://a.example/'),
      refTo(await upload(node, bob, bytesOf(3))),
      link('https://none.example/'),
    ];
    const id = await node.send(bob, { chatRef: general, message: 'look', media });
    const found = await messageIn(id);
    const { url, title, description, websiteName, authorName, file } = found?.media[0]?.embed ?? {};
    assert.deepEqual(
      [url, title?.slice(0, 4), description, websiteName, authorName, file],
      ['https://a.example/', 'Page', 'About it', 'A site', undefined, undefined],
    );
    const [told] = node.heard(ada).flatMap(({ messageCreated }) => messageCreated?.message ?? []);
    assert.deepEqual(told?.media, found?.media);
    assert.deepEqual((await shown(id))?.slice(1), ['application/octet-stream', ['https://none.example/', undefined]]);
    await node.disconnect(ada);
  });

  it('costs no message its text, whatever becomes of the page', async () => {
    for (const url of ['https://none.example/', 'https://busy.example/', 'http://127.0.0.1/']) {
      const id = await node.send(bob, { chatRef: general, message: 'kept', media: [link(url)] });
      assert.equal((await messageIn(id))?.message, 'kept');
      assert.equal((await messageIn(id))?.media[0]?.embed?.url, url);
    }
  });

  it('is followed once for each message that names it several times, and two at a time', async () => {
    const before = asked.length;
    atOnceMax = 0;
    const five = Array.from({ length: 5 }, (_, number) => link(`https://${number.toString()}.example/`));
    await node.send(bob, { chatRef: general, media: [...five, ...five] });
    assert.deepEqual([asked.length - before, atOnceMax], [5, 2]);
    const tooMany = { chatRef: general, media: [...five, ...five, link('https://x.example/')] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', tooMany), 'TOO_MANY');
    assert.equal(asked.length - before, 5);
  });

  it('is followed for nobody who may not send it or edit with it', async () => {
    const id = await node.send(ada, { chatRef: general, message: 'mine' });
    const before = asked.length;
    const media = [link('https://refused.example/')];
    await node.refused(bob, 'messagesSendMessage', { chatRef: hidden, message: 'text', media });
    await node.refused(bob, 'messagesEditMessage', { chatRef: general, messageId: id, message: 'text', media });
    assert.equal(asked.length, before);
  });

  it('stays what it was in an edit that keeps it, and goes with one that does not', async () => {
    const id = await node.send(bob, { chatRef: general, message: 'one', media: [link('https://kept.example/')] });
    const [first] = (await shown(id)) ?? [];
    const edit = (change: object) =>
      node.must(bob, 'messagesEditMessage', { chatRef: general, messageId: id, ...change });
    const end = await here.log.end();
    await edit({ media: [link('https://kept.example/')] });
    assert.equal(await here.log.end(), end, 'nothing has changed');
    await edit({ message: 'two', media: [link('https://kept.example/'), link('https://more.example/')] });
    const [kept, more] = (await shown(id)) ?? [];
    assert.deepEqual([kept, more?.[0]], [first, 'https://more.example/']);
    await edit({ removeMedia: true });
    assert.deepEqual(await shown(id), []);
  });

  it('takes its page along to a forward, without asking for it again', async () => {
    const id = await node.send(bob, { chatRef: general, media: [link('https://forwarded.example/')] });
    const before = asked.length;
    await node.must(bob, 'messagesForwardMessage', { chatRef: self, from: general, messageIds: [id] });
    const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: self, limit: 1 });
    assert.deepEqual(messages.messages[0]?.media, (await messageIn(id))?.media);
    assert.equal(asked.length, before);
  });

  it('is the same message when it is sent again under its nonce', async () => {
    const request = { chatRef: general, message: 'once', media: [link('https://again.example/')], clientId: 77n };
    const before = asked.length;
    assert.equal(await node.send(bob, request), await node.send(bob, request));
    assert.equal(asked.length - before, 1);
  });

  it('has a page as far as the words of all pages find room beside the text', async () => {
    const long = ['1', '2', '3'].map((name) => link(`https://long${name}.example/`));
    const id = await node.send(bob, { chatRef: general, message: 'x', media: long });
    const titles = (await messageIn(id))?.media.map(({ embed }) => embed?.title !== undefined);
    assert.deepEqual(titles, [true, false, false]);
    const urls = Array.from({ length: 40 }, (_, at) => ({
      startIndex: at,
      length: 1,
      textUrl: { url: `https://a.example/${'x'.repeat(500)}` },
    }));
    const media = [link('https://small.example/')];
    const full = await node.send(bob, { chatRef: general, message: 'x'.repeat(40), entities: urls, media });
    assert.deepEqual(await shown(full), [['https://small.example/', undefined]]);
  });

  it('keeps a message for three seconds at most', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const silent = { previewOf: (url: string) => (url === 'quick' ? quick : new Promise<never>(() => undefined)) };
      const quick = Promise.resolve({ url: 'quick', title: 'Quick' });
      const call = { meter: freeMeter, caller: { user: bob } } as unknown as Call;
      const media = ['quick', 'slow', 'slower', 'slowest'].map((one) => ({ link: one }));
      const found = embedded({ linkPreviews: silent }, call, { media, before: [], beside: [] });
      await new Promise(setImmediate);
      mock.timers.tick(embedsMillisMax);
      assert.deepEqual(await found, [{ link: 'quick', page: { title: 'Quick' } }, ...media.slice(1)]);
    } finally {
      mock.timers.reset();
    }
  });
});
