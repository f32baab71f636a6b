import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SearchInit } from '../../../../src/gen/messages.js';
import type { ChannelId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { periodOf } from '../../../../src/kernel/codec.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { channelChat } from '../../../../src/kernel/chat.js';
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
} from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { queryUnitsMax, searchPageMax } from '../../../../src/gateway/packages/messages/search.js';
import { headCollection, prefixLength, recordCollection } from '../../../../src/projections/search/documents.js';
import { countOf } from '../../../projections/search/setting.js';

let here: House;
let node: Node;

beforeEach(async () => {
  here = await house();
  node = await here.node();
});
afterEach(() => here.close());

type Where = Partial<Omit<SearchInit, 'query'>>;

const found = async (who: UserId, query: string, where: Where = {}) => {
  const { messages } = await node.must(who, 'messagesSearch', { chatRef: general, query, ...where });
  return messages;
};
const ids = async (...asked: Parameters<typeof found>): Promise<readonly (MessageId | undefined)[]> =>
  (await found(...asked)).messages.map(({ messageId }) => messageId);

const sent = (who: UserId, message: string, chatRef = general): Promise<MessageId> =>
  node.send(who, { chatRef, message });

/** As if they had been sent, without a request for each. */
const sentMany = async (count: number, text: (at: number) => string, chatRef = general): Promise<readonly bigint[]> => {
  const chat = channelChat(community, chatRef.channel?.channelId ?? (0n as ChannelId));
  const first = (await sent(ada, 'an id', self)) + 1n;
  const all = Array.from({ length: count }, (_, at) => first + BigInt(at));
  for (const [at, message] of all.entries()) {
    const data = { message, chat, author: ada, mentions: [], text: text(at), entities: [] };
    await here.unnoticed(`message-${message.toString()}`, { type: 'MessageSent', data });
  }
  await here.settled();
  here.clock.at += 1_000;
  return all;
};

describe('a search', () => {
  it('finds a message at once, and by its newest words alone', async () => {
    for (let round = 0; round < 5; round += 1) {
      const messageId = await sent(bob, 'foo test');
      assert.deepEqual(await ids(ada, 'foo'), [messageId]);
      await node.must(bob, 'messagesEditMessage', { chatRef: general, messageId, message: 'bar test' });
      assert.deepEqual(await ids(ada, 'foo'), []);
      assert.deepEqual(await ids(ada, 'bar'), [messageId]);
      assert.deepEqual(await ids(ada, 'test'), [messageId]);
      await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
      for (const query of ['foo', 'bar', 'test']) assert.deepEqual(await ids(ada, query), []);
    }
  });

  it('shows nothing of channels that the caller does not see, and all of those they see', async () => {
    for (let at = 0; at < 3; at += 1) await sent(ada, 'apple', hidden);
    const { messages, users, members, reactions } = await found(cleo, 'apple', { chatRef: general });
    assert.deepEqual([messages, users, members, reactions], [[], [], [], []]);
    assert.equal((await ids(ada, 'apple')).length, 3);
    const seen = [await sent(ada, 'an apple', news), await sent(bob, 'apples')];
    assert.deepEqual(await ids(cleo, 'apple'), seen.toReversed());
    assert.deepEqual(await ids(cleo, 'apple', { scoped: true }), seen.slice(1));
    assert.deepEqual(await ids(cleo, 'apple', { chatRef: news, scoped: true }), seen.slice(0, 1));
  });

  it('cuts pages from what the caller sees, each message once', async () => {
    const visible = await sentMany(60, () => 'apple');
    await sentMany(60, () => 'apple', hidden);
    const newest = visible.toReversed();
    const first = await ids(cleo, 'apple');
    assert.deepEqual(first, newest.slice(0, searchPageMax));
    const second = await ids(cleo, 'apple', { before: first.at(-1) ?? (0n as MessageId) });
    assert.deepEqual(second, newest.slice(searchPageMax, 2 * searchPageMax));
    const third = await ids(cleo, 'apple', { before: second.at(-1) ?? (0n as MessageId) });
    assert.deepEqual(third, newest.slice(2 * searchPageMax));
    assert.deepEqual(await ids(cleo, 'apple', { before: third.at(-1) ?? (0n as MessageId) }), []);
    // The oldest of those that are newer, the newest first.
    assert.deepEqual(await ids(cleo, 'apple', { since: third[0] ?? (0n as MessageId) }), newest.slice(25, 50));
    assert.deepEqual(await ids(cleo, 'apple', { since: 0n as MessageId }), newest.slice(-searchPageMax));
    assert.equal((await ids(ada, 'apple')).length, searchPageMax);
  });

  it('fills its first page past two hundred newer hits that the caller does not see, and has each of 130 once', async () => {
    const visible = await sentMany(130, () => 'apple');
    await sentMany(200, () => 'apple', hidden);
    const pages: (readonly (MessageId | undefined)[])[] = [];
    for (let page = await ids(cleo, 'apple'); page.length > 0;) {
      pages.push(page);
      page = await ids(cleo, 'apple', { before: page.at(-1) ?? (0n as MessageId) });
    }
    assert.deepEqual(pages.flat(), visible.toReversed());
    assert.deepEqual(
      pages.map(({ length }) => length),
      [25, 25, 25, 25, 25, 5],
    );
  });

  it('finds a hundred of a hundred messages in the moment after they are sent', async () => {
    for (let at = 0; at < 100; at += 1) {
      const messageId = await sent(bob, `number${at.toString()} here`);
      assert.deepEqual(await ids(ada, `number${at.toString()}`), [messageId]);
    }
  });

  it('finds a text in any spelling, and shows it as it was sent', async () => {
    const text = 'İstanbul Straße Café Σίσυφος IŞIK ฉันรักกรุงเทพมาก';
    await sent(bob, text);
    for (const query of ['istanbul', 'STRASSE', 'cafe', 'ΣΊΣΥΦΟΣ', 'ışık', 'กรุงเทพ']) {
      const [message] = (await found(ada, query)).messages;
      assert.equal(message?.message, text, query);
    }
    assert.deepEqual(await ids(ada, 'เทพกรุง'), []);
  });

  it('has no value of its index in common between a channel, a direct chat and saved messages', async () => {
    for (const chatRef of [general, news, dm(bob), self]) await sent(ada, 'zebra', chatRef);
    await ids(ada, 'zebra');
    const store = await here.search.store();
    const heads = await store.scan({ collection: headCollection, prefix: '', limit: 1_000 });
    const hashes = heads.map(({ key }) => key.slice(prefixLength));
    assert.ok(hashes.length >= 4);
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it('goes by the rights of its end', async () => {
    await sent(ada, 'secret plan', news);
    await sent(ada, 'secret talk');
    here.search.atNextSearch(() =>
      here.happened('community-100', {
        type: 'OverrideSet',
        data: { community, channel: 102n, role: 0n, pos: 0n, neg: permission.viewChannel, by: ada },
      }),
    );
    assert.equal((await ids(cleo, 'secret')).length, 1);
  });

  it('looks in one direct chat, or among the own notes, and nowhere else', async () => {
    const mine = await sent(dora, 'apple note', self);
    const direct = await sent(dora, 'apple talk', dm(ada));
    await sent(ada, 'apple group');
    assert.deepEqual(await ids(dora, 'apple', { chatRef: self }), [mine]);
    assert.deepEqual(await ids(dora, 'apple', { chatRef: dm(ada) }), [direct]);
    assert.deepEqual(await ids(ada, 'apple', { chatRef: dm(dora) }), [direct]);
    assert.deepEqual(await ids(bob, 'apple', { chatRef: dm(dora) }), []);
    assert.equal(await node.refused(dora, 'messagesSearch', { chatRef: general, query: 'apple' }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(cleo, 'messagesSearch', { chatRef: hidden, query: 'apple' }), 'CHAT_NOT_FOUND');
    assert.equal(await node.refused(ada, 'messagesSearch', { chatRef: category, query: 'a' }), 'NOT_A_TEXT_CHAT');
  });

  it('answers with the authors, and with reactions', async () => {
    const messageId = await sent(bob, 'an apple');
    await node.must(ada, 'reactionsAddReaction', { chatRef: general, messageId, emoji: { unicodeEmoji: '👍' } });
    const { users, members, reactions } = await found(cleo, 'apple');
    assert.deepEqual(
      users.map(({ id }) => id),
      [bob],
    );
    assert.equal(members.length, 1);
    assert.equal(reactions.length, 1);
  });

  it('refuses a query that asks for nothing, or for too much', async () => {
    for (const query of ['', ' \n', '\u200B', 'a'.repeat(queryUnitsMax + 1)]) {
      assert.equal(await node.refused(ada, 'messagesSearch', { chatRef: general, query }), 'INVALID_ARGUMENT');
    }
    const longest = '😀'.repeat(queryUnitsMax / 2);
    const message = await sent(ada, longest);
    assert.deepEqual(await ids(ada, longest), [message]);
    const words = '한글 '.repeat(999);
    const other = await sent(ada, words);
    assert.deepEqual(await ids(ada, words), [other]);
  });

  it('keeps nothing of messages that are gone', async () => {
    const kept = await sent(ada, 'what stays');
    await sent(ada, 'an id', self);
    await ids(ada, 'what');
    const before = await countOf(await here.search.store());
    const gone = await sentMany(100, (at) => `word${at.toString()} in number ${at.toString()}`);
    assert.equal((await ids(ada, 'number')).length, searchPageMax);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: gone as MessageId[] });
    assert.deepEqual(await ids(ada, 'what'), [kept]);
    // One more note, from which the test took the first id.
    const after = await countOf(await here.search.store());
    assert.deepEqual(after, { ...before, [recordCollection]: (before[recordCollection] ?? 0) + 1 });
  });

  it('loses all of an author whose keys are destroyed, and nothing of others', async () => {
    await sent(bob, 'apple of bob');
    const other = await sent(ada, 'apple of ada');
    assert.equal((await ids(cleo, 'apple')).length, 2);
    const before = await countOf(await here.search.store());
    here.search.destroyed({ kind: 'author', subject: bob.toString(), period: periodOf(here.clock.at) });
    assert.deepEqual(await ids(cleo, 'apple'), [other]);
    // The index hears of it by itself, and takes its time.
    for (let tries = 0; tries < 200; tries += 1) {
      const { [recordCollection]: records } = await countOf(await here.search.store());
      if (records === (before[recordCollection] ?? 0) - 1) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail('the record is there still');
  });
});
