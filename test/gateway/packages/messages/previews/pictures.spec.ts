import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { noLinkPreviews } from '../../../../../src/adapters/linkPreviews/off.js';
import { fileSweepOf } from '../../../../../src/container/files.js';
import { of } from '../../../../../src/container/tokens.js';
import type { MediaEmbed } from '../../../../../src/gen/media.js';
import { channelChat } from '../../../../../src/kernel/chat.js';
import type { ChannelId, FileId, MessageId } from '../../../../../src/kernel/ids.js';
import type { ScanVerdict } from '../../../../../src/kernel/ports/fileScanner.js';
import { deferred } from '../../../../../src/kernel/timing.js';
import { underWay } from '../../../../../src/kernel/underWay.js';
import { filesById, usesAfter } from '../../../../../src/projections/files/queries.js';
import { fileStats } from '../../../../../src/gateway/files/stats.js';
import { startWorkflow, type RunningWorkflow } from '../../../../../src/workflows/runner.js';
import { pagePictureMillisMax, showPreviews } from '../../../../../src/workflows/showPreviews.js';
import { handTimers } from '../../../../support/handTimers.js';
import { ada, bob, community, dora, general, self } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';
import { painted, saysPlace, withPlace } from '../../../../support/pictures/samples.js';
import { bytesOf, hourMillis, refTo, storedNames, sweep, upload, whole } from '../../../files/filing.js';

let here: House;
let node: Node;
let workflow: ReturnType<typeof showPreviews>;
let running: RunningWorkflow;
const fetches = underWay();
const failures: unknown[] = [];
/** The pictures of pages, by their addresses. */
const pictures = new Map<string, Uint8Array>();
const asked: string[] = [];
/** Of one host, whose picture comes when the test lets it. */
const slow = deferred<Uint8Array>();
const begun = deferred<undefined>();
const timers = handTimers();
let verdict: ScanVerdict = 'clean';

before(async () => {
  here = await house();
  node = await here.node({
    fileScanner: { judged: () => Promise.resolve(verdict), close: () => Promise.resolve() },
  });
  const linkPreviews = {
    ...noLinkPreviews,
    previewOf: (url: string) => Promise.resolve({ url, title: 'A page', pictureUrl: `${url}/picture` }),
    pictureAt: (url: string) => {
      asked.push(url);
      if (!url.includes('//slow')) return Promise.resolve(pictures.get(url));
      begun.resolve(undefined);
      return slow.promise;
    },
  };
  workflow = showPreviews({
    ...{ linkPreviews, clock: node.get(of.clock), timers, fetches, streams: node.get(of.streams) },
    pagePicture: node.get(of.files).pagePicture,
    fetchFailed: (error) => failures.push(error),
  });
  running = started();
});
after(async () => {
  await running.stop();
  await here.close();
});

const started = (): RunningWorkflow => {
  const { log, codec, sealer, store } = here;
  return startWorkflow(workflow, {
    ...{ log, codec, sealer, documents: store, execute: node.get(of.execute) },
    pause: () => Promise.resolve(),
    alarm: ({ error }) => {
      throw error;
    },
  });
};

/** Once the workflow has met all that is in the log, its own events included. */
const met = async (): Promise<void> => {
  let end: bigint;
  do {
    end = await here.log.end();
    while ((running.position() ?? 0n) < end) await new Promise(setImmediate);
    await fetches.ended();
  } while (end < (await here.log.end()));
  await here.settled();
};
const page = async (name: string, bytes: Uint8Array): Promise<string> => {
  const link = `https://${name}.example`;
  pictures.set(`${link}/picture`, bytes);
  return Promise.resolve(link);
};
const say = async (message: string, chatRef = general): Promise<MessageId> => {
  const id = await node.send(ada, { chatRef, message });
  await met();
  return id;
};
const embedOf = async (id: MessageId, chatRef = general): Promise<MediaEmbed | undefined> => {
  const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef, around: id, limit: 1 });
  return messages.messages.find(({ messageId }) => messageId === id)?.media[0]?.embed;
};
const pictureOf = async (id: MessageId, chatRef = general): Promise<FileId> =>
  (await embedOf(id, chatRef))?.file?.fileId ?? assert.fail('the preview has no picture');
const usesOf = async (file: FileId): Promise<number | undefined> => (await filesById(here.reads, [file]))[0]?.uses;
const edit = async (messageId: MessageId, change: object): Promise<void> => {
  await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId, ...change });
  await met();
};

describe('the picture of a page', () => {
  it('is a file of the server, made anew, that everybody reads who sees the message', async () => {
    const bytes = await withPlace(painted(2_400, 1_600).jpeg()).toBuffer();
    const id = await say(`see ${await page('a', bytes)}`);
    const { url, title, file } = (await embedOf(id)) ?? assert.fail('there is no preview');
    assert.deepEqual([url, title], ['https://a.example', 'A page']);
    const { fileId, mimetype, size, metadata } = file ?? assert.fail('the preview has no picture');
    assert.equal(mimetype, 'image/webp');
    const found = await whole(node, bob, fileId);
    assert.ok(typeof found !== 'string' && BigInt(found.length) === size && !(await saysPlace(found)));
    const { width, height } = await sharp(found).metadata();
    assert.deepEqual([width, height], [metadata?.image?.width, metadata?.image?.height]);
    assert.ok(width <= 1_200 && height <= 630);
    assert.ok(!JSON.stringify(await embedOf(id), (_, value: unknown) => String(value)).includes('picture'));
  });

  it('is read by nobody who does not see the message', async () => {
    const id = await say(`see ${await page('own', await painted(30, 20).png().toBuffer())}`, self);
    const file = await pictureOf(id, self);
    assert.ok(typeof (await whole(node, ada, file)) !== 'string');
    for (const other of [bob, dora]) assert.equal(await whole(node, other, file), 'FILE_NOT_FOUND');
  });

  it('is a use of its file, which ends with the preview, however that ends', async () => {
    const link = await page('ends', await painted(30, 20).png().toBuffer());
    const ends: readonly ((id: MessageId) => Promise<void>)[] = [
      (id) => edit(id, { message: 'other words' }),
      (id) => edit(id, { suppressEmbeds: true }),
      async (messageId) => {
        await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
        await met();
      },
    ];
    for (const end of ends) {
      const id = await say(`see ${link}`);
      const file = await pictureOf(id);
      assert.equal(await usesOf(file), 1);
      await end(id);
      assert.equal(await usesOf(file), 0);
      assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
      here.clock.at += 2 * hourMillis;
      await sweep(here, node);
      here.clock.at += 2 * hourMillis;
      await sweep(here, node);
      const left = (await storedNames(here.blobs)).filter((name) => name.startsWith(`files/${file.toString()}/`));
      assert.deepEqual(left, []);
    }
  });

  it('is read by nobody any more once its message is deleted, also before the workflow has met that', async () => {
    const id = await say(`see ${await page('deleted', await painted(30, 20).png().toBuffer())}`);
    const file = await pictureOf(id);
    assert.ok(typeof (await whole(node, bob, file)) !== 'string');
    await running.stop();
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [id] });
    for (const one of [ada, bob]) assert.equal(await whole(node, one, file), 'FILE_NOT_FOUND');
    running = started();
  });

  it('gives way to that of later words', async () => {
    const bytes = await painted(30, 20).png().toBuffer();
    const id = await say(`see ${await page('one', bytes)}`);
    const first = await pictureOf(id);
    await edit(id, { message: `see ${await page('two', bytes)}` });
    const second = await pictureOf(id);
    assert.notEqual(first, second);
    assert.deepEqual([await usesOf(first), await usesOf(second)], [0, 1]);
  });

  it('stays, and is not asked for again, where an edit leaves the link as it is', async () => {
    const link = await page('typo', await painted(30, 20).png().toBuffer());
    const id = await say(`see ${link}`);
    const file = await pictureOf(id);
    const times = () => asked.filter((one) => one.includes('//typo.')).length;
    for (const words of ['look at', 'look again at']) await edit(id, { message: `${words} ${link}` });
    assert.deepEqual([await pictureOf(id), await usesOf(file), times()], [file, 1, 1]);
    assert.ok(typeof (await whole(node, bob, file)) !== 'string');
    await edit(id, { suppressEmbeds: true });
    assert.equal(await usesOf(file), 0);
    here.clock.at += 2 * hourMillis;
    await sweep(here, node);
    await edit(id, { suppressEmbeds: false });
    const anew = await pictureOf(id);
    assert.deepEqual([anew === file, await usesOf(anew), times()], [false, 1, 2]);
  });

  it('is left out, and the rest is shown, where it is none, is refused, or is not there', async () => {
    const files = (await storedNames(here.blobs)).length;
    assert.equal((await embedOf(await say('see https://gone.example')))?.title, 'A page');
    const svg = await page('svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
    const jpeg = await painted(900, 700).jpeg({ quality: 100 }).toBuffer();
    const half = await page('half', jpeg.subarray(0, jpeg.length / 2));
    const bad = await page('bad', await painted(30, 20).png().toBuffer());
    for (const link of [svg, half]) assert.equal((await embedOf(await say(`see ${link}`)))?.file, undefined);
    for (const one of ['refused', 'unjudged', 'busy'] as const) {
      verdict = one;
      const { title, file } = (await embedOf(await say(`see ${bad}`))) ?? assert.fail('there is no preview');
      assert.deepEqual([title, file], ['A page', undefined], one);
    }
    verdict = 'clean';
    assert.equal((await storedNames(here.blobs)).length, files);
    assert.deepEqual(failures, []);
  });

  it('is given up once it has been waited for too long, and the preview is shown without it', async () => {
    const files = (await storedNames(here.blobs)).length;
    const id = await node.send(ada, { chatRef: general, message: 'see https://slow.example' });
    await begun.promise;
    timers.pass(pagePictureMillisMax - 1);
    await new Promise(setImmediate);
    assert.equal(await embedOf(id), undefined);
    timers.pass(1);
    await met();
    const { title, file } = (await embedOf(id)) ?? assert.fail('there is no preview');
    assert.deepEqual([title, file], ['A page', undefined]);
    slow.resolve(await painted(30, 20).png().toBuffer());
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    assert.equal((await storedNames(here.blobs)).length, files);
    assert.deepEqual(failures, []);
  });

  it('and an attachment of one message are one message to delete, once its channel has ended', async () => {
    const place = { channel: { communityId: community, channelId: 900n as ChannelId } };
    const about = { community, channel: 900n as ChannelId, by: ada };
    await here.happened('community-100', {
      type: 'ChannelCreated',
      data: { ...about, kind: 'text', position: 0, name: 'a channel' },
    });
    const media = [refTo(await upload(node, ada, bytesOf(9)))];
    const message = `see ${await page('both', await painted(30, 20).png().toBuffer())}`;
    const id = await node.send(ada, { chatRef: place, message, media });
    await met();
    assert.equal(
      (await usesAfter(here.reads, channelChat(community, about.channel), { after: 0n as MessageId, limit: 9 })).length,
      2,
    );
    await node.must(ada, 'communitiesDeleteChannel', { channel: place.channel });
    const { deleted, failed } = await fileSweepOf(node.get).look(new AbortController().signal);
    await met();
    assert.deepEqual([id > 0n, deleted, failed], [true, 1, 0]);
  });

  it('is counted among the files that are used', async () => {
    const stats = () =>
      fileStats({ blobs: here.blobs, reads: here.reads, now: node.get(of.clock).now }, new AbortController().signal);
    const { used, orphaned } = await stats();
    await say(`see ${await page('counted', await painted(30, 20).png().toBuffer())}`);
    const now = await stats();
    assert.deepEqual([now.used.files, now.orphaned.files], [used.files + 1, orphaned.files]);
  });
});
