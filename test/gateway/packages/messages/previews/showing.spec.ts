import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemTimers } from '../../../../../src/adapters/system/timers.js';
import { noLinkPreviews } from '../../../../../src/adapters/linkPreviews/off.js';
import { of } from '../../../../../src/container/tokens.js';
import { previewStream } from '../../../../../src/domain/previews/events.js';
import type { Update } from '../../../../../src/gen/updates.js';
import type { Message } from '../../../../../src/gen/types.js';
import { channelChat } from '../../../../../src/kernel/chat.js';
import type { ChannelId, MessageId } from '../../../../../src/kernel/ids.js';
import { editsAtOnceMax } from '../../../../../src/kernel/editPace.js';
import { underWay } from '../../../../../src/kernel/underWay.js';
import { deferred, type Deferred } from '../../../../../src/kernel/timing.js';
import { startWorkflow, type RunningWorkflow } from '../../../../../src/workflows/runner.js';
import { previewedMillisMax, showPreviews } from '../../../../../src/workflows/showPreviews.js';
import { ada, bob, community, dm, general, self } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
let running: RunningWorkflow;
let follow: (documents: Pick<House['store'], 'checkpoint' | 'commit'>) => RunningWorkflow;
const fetches = underWay();
const failures: unknown[] = [];
const asked: string[] = [];
/** Those of the workflow. */
const commands: string[] = [];
/** A link that has an entry here is answered once that is resolved. */
const held = new Map<string, Deferred<undefined>>();

before(async () => {
  here = await house();
  node = await here.node();
  await node.connect(ada, bob);
  const { log, codec, sealer, store } = here;
  const linkPreviews = {
    ...noLinkPreviews,
    previewOf: async (url: string) => {
      asked.push(url);
      await held.get(url)?.promise;
      return url.includes('none') ? ('none' as const) : { url, title: `Page of ${url}`, websiteName: 'A site' };
    },
  };
  const clock = node.get(of.clock);
  const workflow = showPreviews({
    ...{ linkPreviews, clock, timers: systemTimers, fetches, streams: node.get(of.streams) },
    pagePicture: () => Promise.resolve(undefined),
    fetchFailed: (error) => failures.push(error),
  });
  follow = (documents) =>
    startWorkflow(workflow, {
      ...{ log, codec, sealer, documents },
      execute: (decider, command, ...how) => {
        if ('type' in command) commands.push(command.type);
        return node.get(of.execute)(decider, command, ...how);
      },
      pause: () => Promise.resolve(),
      alarm: ({ error }) => {
        throw error;
      },
    });
  running = follow(store);
});
after(async () => {
  await running.stop();
  await here.close();
  assert.deepEqual(failures, []);
});

/** Once the workflow has met all that is in the log; without the fetches that are held. */
const met = async (): Promise<void> => {
  const end = await here.log.end();
  while ((running.position() ?? 0n) < end) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  if (held.size === 0) await fetches.ended();
  await here.settled();
};
const hold = (link: string): void => void held.set(link, deferred());
const letGo = async (link: string): Promise<void> => {
  held.get(link)?.resolve(undefined);
  held.delete(link);
  await met();
};
const say = async (
  message: string,
  more: { readonly suppressEmbeds?: boolean } = {},
  chatRef = general,
): Promise<MessageId> => {
  const id = await node.send(ada, { chatRef, message, ...more });
  await met();
  return id;
};
const edit = async (
  messageId: MessageId,
  change: { readonly message?: string; readonly suppressEmbeds?: boolean },
): Promise<void> => {
  await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId, ...change });
  await met();
};
const shownBy = async (id: MessageId, chatRef = general, who = bob): Promise<Message | undefined> => {
  const { messages } = await node.must(who, 'messagesGetHistory', { chatRef, around: id, limit: 1 });
  return messages.messages.find(({ messageId }) => messageId === id);
};
const titleOf = (message: Message | undefined): string | undefined => message?.media[0]?.embed?.title;
const titled = async (id: MessageId): Promise<string | undefined> => titleOf(await shownBy(id));
const updated = (updates: readonly Update[], id: MessageId): readonly Message[] =>
  updates.flatMap(({ message }) => (message?.message?.messageId === id ? [message.message] : []));
const lastStored = async (id: MessageId): Promise<string | undefined> =>
  (await here.log.readStream(previewStream(id), { limit: 100 })).at(-1)?.type;
const stored = async (id: MessageId): Promise<number> =>
  (await here.log.readStream(previewStream(id), { limit: 100 })).length;

describe('a message without a link', () => {
  it('costs nothing when it is edited or deleted, and one with a link no more than its first edit', async () => {
    commands.splice(0);
    const id = await say('no link');
    for (const message of ['still none', 'none again']) await edit(id, { message });
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [id] });
    await met();
    assert.deepEqual(commands, []);
    const linked = await say('see https://cost.example/');
    for (const message of ['no more', 'still none']) await edit(linked, { message });
    assert.deepEqual(commands, ['ShowPreview', 'OutdatePreview']);
    await edit(linked, { message: 'see https://cost.example/' });
    assert.equal(await titled(linked), 'Page of https://cost.example/');
    await edit(linked, { message: 'no more' });
    assert.equal(await lastStored(linked), 'previews.PreviewOutdated.v1');
  });

  it('is looked up again by a node that has not met all that came before', async () => {
    const id = await say('no link');
    await running.stop();
    // Another node has met this one.
    await here.happened(previewStream(id), {
      type: 'PreviewFound',
      data: {
        ...{ message: id, chat: channelChat(community, 101n as ChannelId), author: ada, revision: 0 },
        preview: { url: 'https://other.example/', title: 'Of another node' },
      },
    });
    assert.equal(await titled(id), 'Of another node');
    const end = await here.log.end();
    running = follow({ ...here.store, checkpoint: () => Promise.resolve(end) });
    await edit(id, { message: 'other words' });
    assert.equal(await lastStored(id), 'previews.PreviewOutdated.v1');
  });
});

describe('a message with a link', () => {
  it('gets its preview, which is told to all who see it and is no edit', async () => {
    node.heard(bob);
    const id = await say('see https://a.example/');
    const shown = await shownBy(id);
    assert.deepEqual(
      [titleOf(shown), shown?.editedAt, shown?.media.length],
      ['Page of https://a.example/', undefined, 1],
    );
    const [update, ...others] = updated(node.heard(bob), id);
    assert.deepEqual([titleOf(update), update?.editedAt, others], ['Page of https://a.example/', undefined, []]);
  });

  it('gets none where it has no link, or the page says nothing', async () => {
    const before = asked.length;
    const ids = [await say('no link'), await say('see https://none.example/')];
    assert.deepEqual([await Promise.all(ids.map(titled)), asked.length - before], [[undefined, undefined], 1]);
    assert.deepEqual(await Promise.all(ids.map(stored)), [0, 0]);
  });

  it('is shown with its preview in pins, lists of chats and direct chats too', async () => {
    const id = await say('see https://pinned.example/');
    node.heard(bob);
    await node.must(ada, 'messagesSetMessagePin', { chatRef: general, messageId: id, pin: true });
    assert.equal(titleOf(updated(node.heard(bob), id)[0]), 'Page of https://pinned.example/');
    const { messages } = await node.must(bob, 'messagesGetPinnedMessages', { chatRef: general });
    assert.equal(titleOf(messages.messages[0]), 'Page of https://pinned.example/');
    const direct = await say('see https://dm.example/', {}, dm(bob));
    const { chats } = await node.must(bob, 'chatsGetChats', {});
    assert.equal(titleOf(chats.messages.find(({ messageId }) => messageId === direct)), 'Page of https://dm.example/');
  });

  it('loses the preview of former words with an edit, and gets that of the new ones', async () => {
    const id = await say('see https://one.example/');
    hold('https://two.example/');
    node.heard(bob);
    await edit(id, { message: 'see https://two.example/' });
    assert.equal(await titled(id), undefined);
    await letGo('https://two.example/');
    assert.equal(await titled(id), 'Page of https://two.example/');
    assert.deepEqual(updated(node.heard(bob), id).map(titleOf), [undefined, 'Page of https://two.example/']);
    await edit(id, { message: 'no link any more' });
    assert.equal(await titled(id), undefined);
  });

  it('keeps an edit that comes while the page answers, whichever answer is later', async () => {
    for (const later of ['https://slow1.example/', 'https://quick1.example/']) {
      const links = ['https://slow1.example/', 'https://quick1.example/'];
      links.forEach(hold);
      const id = await say(`see ${links[0] ?? ''}`);
      await edit(id, { message: `see ${links[1] ?? ''}` });
      for (const link of [...links.filter((one) => one !== later), later]) await letGo(link);
      assert.equal(await titled(id), 'Page of https://quick1.example/');
      assert.equal((await shownBy(id))?.message, 'see https://quick1.example/');
    }
  });

  it('shows no preview of other words, though one is stored behind their edit', async () => {
    const id = await say('see https://stale.example/');
    await edit(id, { message: 'other words' });
    const { chat, author } = { chat: 'channel.100.201' as never, author: ada };
    node.heard(bob);
    await here.happened(previewStream(id), {
      type: 'PreviewFound',
      data: { message: id, chat, author, revision: 0, preview: { url: 'https://stale.example/', title: 'stale' } },
    });
    assert.deepEqual([await titled(id), updated(node.heard(bob), id)], [undefined, []]);
    await met();
    assert.equal(await lastStored(id), 'previews.PreviewOutdated.v1', 'nor is it kept');
  });

  it('keeps no preview that another node stored behind its deletion', async () => {
    const id = await say('see https://stalled.example/', { suppressEmbeds: true });
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [id] });
    await met();
    assert.equal(await stored(id), 0, 'this node knows of no preview');
    const { chat, author } = { chat: 'channel.100.201' as never, author: ada };
    await here.happened(previewStream(id), {
      type: 'PreviewFound',
      data: { message: id, chat, author, revision: 0, preview: { url: 'https://stalled.example/', title: 'late' } },
    });
    await met();
    assert.equal(await lastStored(id), 'previews.PreviewRemoved.v1');
  });

  it('keeps no preview of words that were edited away', async () => {
    const id = await say('see https://away.example/');
    await edit(id, { message: 'no link' });
    assert.equal(await lastStored(id), 'previews.PreviewOutdated.v1');
    await edit(id, { message: 'see https://away.example/' });
    assert.equal(await titled(id), 'Page of https://away.example/');
  });

  it('has no link followed by an edit that hides previews', async () => {
    const id = await say('no link');
    const before = asked.length;
    hold('https://hidden.example/');
    await edit(id, { message: 'see https://hidden.example/', suppressEmbeds: true });
    await letGo('https://hidden.example/');
    assert.deepEqual([asked.length - before, await titled(id)], [0, undefined]);
    await edit(id, { message: 'see https://hidden2.example/' });
    assert.equal(asked.length - before, 0, 'later words are not followed either');
  });

  it('is hidden and shown again as often as it may be edited, and a refused change changes nothing', async () => {
    const id = await say('see https://paced.example/');
    for (let times = 0; times < editsAtOnceMax; times += 1) {
      await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: id, suppressEmbeds: times % 2 === 0 });
    }
    const more = { chatRef: general, messageId: id, suppressEmbeds: true };
    assert.equal(await node.refused(ada, 'messagesEditMessage', more), 'RATE_LIMITED');
    await met();
    assert.equal(await titled(id), 'Page of https://paced.example/');
    await edit(id, { message: 'an edit pays for both', suppressEmbeds: true });
    await edit(id, { message: 'see https://paced.example/' });
    assert.equal(await titled(id), undefined);
  });

  it('gets nothing after it was deleted, and keeps nothing', async () => {
    hold('https://gone.example/');
    const id = await say('see https://gone.example/');
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [id] });
    await letGo('https://gone.example/');
    assert.equal(await stored(id), 0);
    const other = await say('see https://removed.example/');
    node.heard(bob);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [other] });
    await met();
    assert.deepEqual([await stored(other), updated(node.heard(bob), other)], [2, []]);
  });

  it('has none where the author wants none, until the author does', async () => {
    const before = asked.length;
    const id = await say('see https://b.example/', { suppressEmbeds: true });
    await edit(id, { message: 'see https://c.example/' });
    assert.deepEqual(
      [await titled(id), asked.length - before],
      [undefined, 0],
      'false beside anything else says nothing',
    );
    await edit(id, { suppressEmbeds: false });
    assert.equal(await titled(id), 'Page of https://c.example/');
    node.heard(bob);
    const { editedAt } = (await shownBy(id)) ?? {};
    await edit(id, { suppressEmbeds: true });
    await edit(id, { suppressEmbeds: true });
    const [update, ...others] = updated(node.heard(bob), id);
    assert.deepEqual([update?.media, update?.editedAt, others], [[], editedAt, []]);
    assert.equal(await titled(id), undefined);
  });

  it('has none in a copy either, whenever the author said so', async () => {
    const [first, second] = [
      await say('see https://quiet.example/', { suppressEmbeds: true }),
      await say('see https://b.example/'),
    ];
    await edit(second, { suppressEmbeds: true });
    const before = asked.length;
    for (const id of [first, second]) {
      await node.must(ada, 'messagesForwardMessage', { chatRef: general, from: general, messageIds: [id] });
      const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 1 });
      const copy = messages.messages[0]?.messageId ?? assert.fail();
      assert.notEqual(copy, id);
      assert.equal(await titled(copy), undefined);
    }
    assert.equal(asked.length, before);
  });

  it('has none that comes after the author said so', async () => {
    hold('https://late.example/');
    const id = await say('see https://late.example/');
    await edit(id, { suppressEmbeds: true });
    await letGo('https://late.example/');
    assert.equal(await titled(id), undefined);
  });

  it('keeps its previews from everybody but its author', async () => {
    const id = await say('see https://mine.example/');
    const change = { chatRef: general, messageId: id, suppressEmbeds: true };
    assert.equal(await node.refused(bob, 'messagesEditMessage', change), 'NOT_AUTHOR');
    await met();
    assert.equal(await titled(id), 'Page of https://mine.example/');
  });

  it('takes along to a forward whether it has previews', async () => {
    const [plain, sent, hidden] = [
      await say('see https://forward.example/'),
      await say('see https://forward.example/', { suppressEmbeds: true }),
      await say('see https://forward.example/'),
    ];
    await edit(hidden, { suppressEmbeds: true });
    for (const [id, title] of [
      [plain, 'Page of https://forward.example/'],
      [sent, undefined],
      [hidden, undefined],
    ] as const) {
      await node.must(ada, 'messagesForwardMessage', { chatRef: self, from: general, messageIds: [id] });
      await met();
      const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: self, limit: 1 });
      assert.equal(titleOf(messages.messages[0]), title);
      const forwarded = messages.messages[0]?.messageId ?? (0n as MessageId);
      const change = { chatRef: self, messageId: forwarded, suppressEmbeds: true };
      assert.equal(await node.refused(ada, 'messagesEditMessage', change), 'NOT_EDITABLE');
    }
  });

  it('is left alone when it is older than a minute', async () => {
    const before = asked.length;
    await running.stop();
    const id = await node.send(ada, { chatRef: general, message: 'see https://old.example/' });
    here.clock.at += previewedMillisMax + 1;
    const { log, codec, sealer, store } = here;
    const again = showPreviews({
      ...{ linkPreviews: { ...noLinkPreviews, previewOf: async (url) => (asked.push(url), 'none') } },
      ...{ clock: node.get(of.clock), timers: systemTimers, fetches, streams: node.get(of.streams) },
      pagePicture: () => Promise.resolve(undefined),
      fetchFailed: (error) => failures.push(error),
    });
    const replay = startWorkflow(again, {
      ...{ log, codec, sealer, documents: { ...store, checkpoint: async () => 0n }, execute: node.get(of.execute) },
      pause: () => Promise.resolve(),
      alarm: ({ error }) => {
        throw error;
      },
    });
    const end = await log.end();
    while ((replay.position() ?? 0n) < end) await new Promise(setImmediate);
    await replay.stop();
    assert.deepEqual([asked.length, await titled(id)], [before, undefined]);
  });
});
