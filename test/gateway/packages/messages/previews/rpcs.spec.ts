import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { noLinkPreviews } from '../../../../../src/adapters/linkPreviews/off.js';
import type { LinkPreviews } from '../../../../../src/kernel/ports/linkPreviews.js';
import { isRejection } from '../../../../../src/kernel/decider.js';
import { ada, bob } from '../../../../support/house/cast.js';
import { house } from '../../../../support/house/house.js';

const here = await house();
after(here.close);

const asked: (readonly [string, bigint])[] = [];
const linkPreviews: LinkPreviews = {
  ...noLinkPreviews,
  previewOf: async (url, asker) => {
    asked.push([url, asker]);
    if (url.includes('busy')) return 'busy';
    return url.includes('none') ? 'none' : { url, title: 'A page', websiteName: 'A site' };
  },
};
const node = await here.node({ linkPreviews });
const preview = (message: string) => node.must(ada, 'messagesGetEmbedPreview', { message });

describe('messages.GetEmbedPreview', () => {
  it('shows the page of the first link', async () => {
    const { mediaEmbed } = await preview('see https://a.example/ and https://b.example/');
    const { url, title, description, websiteName, file } = mediaEmbed;
    assert.deepEqual(
      [url, title, description, websiteName, file],
      ['https://a.example/', 'A page', undefined, 'A site', undefined],
    );
    assert.deepEqual(asked.at(-1), ['https://a.example/', ada]);
  });

  it('goes by the entities', async () => {
    const textUrl = { url: 'https://c.example/' };
    const entities = [{ startIndex: 0, length: 4, textUrl }];
    const { mediaEmbed } = await node.must(ada, 'messagesGetEmbedPreview', { message: 'here', entities });
    assert.equal(mediaEmbed.url, textUrl.url);
  });

  it('shows the link alone where the page cannot be had', async () => {
    assert.deepEqual((await preview('https://none.example/')).mediaEmbed.title, undefined);
    assert.equal((await preview('https://none.example/')).mediaEmbed.url, 'https://none.example/');
  });

  it('refuses a text without a link, and one that no message could have', async () => {
    const refused = (message: string, entities = [{ startIndex: 0, length: 1, bold: true }]) =>
      node.refused(ada, 'messagesGetEmbedPreview', { message, entities });
    const before = asked.length;
    assert.equal(await refused('no link, mailto:ada@a.example'), 'NOT_FOUND');
    assert.equal(await refused('x'.repeat(4_001)), 'MESSAGE_TOO_LONG');
    assert.equal(await refused('https://a.example', [{ startIndex: 0, length: 99, bold: true }]), 'INVALID_ENTITIES');
    assert.equal(await refused('', []), 'NOT_FOUND');
    assert.equal(asked.length, before);
  });

  it('says when too much is being fetched', async () => {
    assert.equal(
      await node.refused(bob, 'messagesGetEmbedPreview', { message: 'https://busy.example/' }),
      'RATE_LIMITED',
    );
  });

  it('keeps nobody waiting who asks for something else meanwhile', async () => {
    let end = (): void => undefined;
    const fetched = new Promise<'none'>((resolve) => {
      end = () => {
        resolve('none');
      };
    });
    const slow = await here.node({ linkPreviews: { ...noLinkPreviews, previewOf: () => fetched } });
    const waiting = slow.askOnly(ada, 'messagesGetEmbedPreview', { message: 'https://a.example' });
    await slow.send(ada, { chatRef: { self: {} }, message: 'overtakes it' });
    assert.equal((await slow.must(ada, 'messagesGetHistory', { chatRef: { self: {} } })).messages.messages.length, 1);
    end();
    assert.ok(!isRejection(await waiting));
  });
});
