import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { File, MediaRefInit } from '../../../src/gen/media.js';
import type { FileId } from '../../../src/kernel/ids.js';
import { pictureBytesMax, type Pictures } from '../../../src/kernel/ports/pictures.js';
import { bob, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';
import { flatPng, moving, painted, saysPlace, withPlace } from '../../support/pictures/samples.js';
import { of } from '../../../src/container/tokens.js';
import { attach, bytesOf, freshUpload, hourMillis, refTo, storedNames, sweep, upload, whole } from './filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const kibibyte = 1_024;
/** In parts of 64 KiB. */
const uploaded = async (bytes: Uint8Array, at = node): Promise<{ readonly id: bigint; readonly count: number }> => {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += 64 * kibibyte) parts.push(bytes.subarray(from, from + 64 * kibibyte));
  return { id: await upload(at, bob, ...parts), count: parts.length };
};

const sent = async (bytes: Uint8Array, more: MediaRefInit['uploaded'] = {}): Promise<File> => {
  const { id, count } = await uploaded(bytes);
  const messageId = await node.send(bob, { chatRef: general, media: [refTo(id, count, more)] });
  const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: general, around: messageId, limit: 1 });
  const file = messages.messages[0]?.media[0]?.file?.file;
  assert.ok(file !== undefined);
  return file;
};

const refusedFor = async (bytes: Uint8Array, more: MediaRefInit['uploaded'] = {}): Promise<string> => {
  const { id, count } = await uploaded(bytes);
  const answer = await node.ask(bob, 'messagesSendMessage', { chatRef: general, media: [refTo(id, count, more)] });
  return 'rejected' in answer ? `${answer.rejected} ${answer.detail ?? ''}` : 'sent';
};

const bytesIn = async (file: FileId): Promise<Buffer> => {
  const found = await whole(node, bob, file);
  return typeof found === 'string' ? assert.fail(found) : found;
};

describe('a picture that is attached', () => {
  it('is told and stored as a browser shows it, whatever its sender says', async () => {
    const turned = await painted(40, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const lie = { mimetype: 'image/png', metadata: { image: { width: 9, height: 9, animated: true } } };
    const file = await sent(turned, lie);
    assert.equal(file.mimetype, 'image/jpeg');
    const { width, height, animated, preview } = file.metadata?.image ?? assert.fail('no picture is told');
    assert.deepEqual({ width, height, animated }, { width: 20, height: 40, animated: false });
    assert.ok(preview !== undefined && preview.length > 0);
    const stored = await bytesIn(file.fileId);
    assert.equal(BigInt(stored.length), file.size);
    const about = await sharp(stored).metadata();
    assert.deepEqual([about.width, about.height, about.orientation], [20, 40, undefined]);
  });

  it('goes in with a place, and comes out without', async () => {
    for (const image of [painted(300, 200).jpeg(), painted(300, 200).png(), painted(300, 200).webp()]) {
      const bytes = await withPlace(image).toBuffer();
      assert.ok(await saysPlace(bytes));
      for (const mimetype of ['image/jpeg', 'application/octet-stream', '']) {
        const file = await sent(bytes, { mimetype });
        assert.ok(!(await saysPlace(await bytesIn(file.fileId))), `${file.mimetype} as ${mimetype}`);
      }
    }
  });

  it('comes out without its place however short the parts are that it begins with', async () => {
    const bytes = await withPlace(painted(300, 200).jpeg()).toBuffer();
    const id = await upload(node, bob, bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3));
    const { files } = await attach(node, bob, general, [refTo(id, 3)]);
    assert.ok(!(await saysPlace(await bytesIn(files[0] ?? assert.fail('nothing was attached')))));
  });

  it('that is a GIF named PNG is taken as the GIF that it is, and moves', async () => {
    const file = await sent(await (await moving({ width: 498, height: 280 }, 60)).gif().toBuffer(), {
      filename: 'a.png',
      mimetype: 'image/png',
    });
    assert.equal(file.mimetype, 'image/gif');
    assert.deepEqual(
      [file.metadata?.image?.width, file.metadata?.image?.height, file.metadata?.image?.animated],
      [498, 280, true],
    );
  });

  it('is refused in words when it is damaged or of another kind, and is a mere file where nobody calls it a picture', async () => {
    const jpeg = await painted(900, 700).jpeg({ quality: 100 }).toBuffer();
    const half = jpeg.subarray(0, jpeg.length / 2);
    const tiff = await painted(9, 9).tiff().toBuffer();
    const names = await storedNames(here.blobs);
    assert.match(await refusedFor(half, { mimetype: 'image/jpeg' }), /^INVALID_PICTURE .*damaged/);
    assert.match(await refusedFor(half, { metadata: { image: { width: 1, height: 1 } } }), /^INVALID_PICTURE/);
    assert.match(await refusedFor(tiff, { mimetype: 'image/tiff' }), /^INVALID_PICTURE .*JPEG, PNG/);
    assert.ok((await storedNames(here.blobs)).length > names.length, 'the parts are kept, for another try');
    const file = await sent(half, { mimetype: 'application/x-half' });
    assert.equal(file.mimetype, 'application/x-half');
    assert.deepEqual(await bytesIn(file.fileId), half);
  });

  it('is none where the bytes are something else: a page named PNG is a file of bytes', async () => {
    const page = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    for (const mimetype of ['image/png', 'image/svg+xml', 'IMAGE/PNG']) {
      const file = await sent(page, { mimetype, metadata: { image: { width: 1, height: 1 } } });
      assert.equal(file.mimetype, 'application/octet-stream');
      assert.equal(file.metadata?.image, undefined);
      assert.deepEqual(await bytesIn(file.fileId), page);
    }
  });

  it('has bounds, which the refusal names, whatever it is called', async () => {
    const bomb = flatPng(16_383, 16_383);
    const begun = Date.now();
    for (const mimetype of ['image/png', 'application/zip']) {
      assert.match(await refusedFor(bomb, { mimetype }), /^TOO_LARGE .*50 million pixels/);
    }
    assert.ok(Date.now() - begun < 10_000);
    const long = Buffer.alloc(pictureBytesMax + 1);
    (await painted(9, 9).png().toBuffer()).copy(long);
    const parts = Array.from({ length: 33 }, (_, part) =>
      long.subarray(part * kibibyte ** 2, (part + 1) * kibibyte ** 2),
    );
    const id = await upload(node, bob, ...parts);
    assert.equal(
      await node.refused(bob, 'messagesSendMessage', { chatRef: general, media: [refTo(id, 33)] }),
      'TOO_LARGE',
    );
  });
});

describe('the making of a picture', () => {
  it('makes one file of one upload, however many nodes are asked at once, and leaves nothing over', async () => {
    const other = await here.node();
    const { id, count } = await uploaded(await painted(700, 500).png().toBuffer());
    const sends = [node, other, node, other].map((at) => attach(at, bob, general, [refTo(id, count)]));
    const files = (await Promise.all(sends)).flatMap((held) => held.files);
    assert.equal(files.length, 4);
    assert.equal(new Set(files).size, 1);
    const [file] = files;
    assert.ok(file !== undefined);
    const stored = await bytesIn(file);
    here.clock.at += 2 * hourMillis;
    await sweep(here, node);
    await sweep(here, node);
    assert.deepEqual(await bytesIn(file), stored);
    const names = (await storedNames(here.blobs)).filter((name) => name.startsWith(`files/${file.toString()}/`));
    assert.deepEqual(
      names.map((name) => name.split('/')[2]?.slice(0, 4)),
      ['1000'],
      'what was sent is still there',
    );
    await other.close();
  });

  it('begins anew after it broke off, from the parts that were sent', async () => {
    const bytes = await painted(64, 64).png().toBuffer();
    const id = await upload(node, bob, bytes.subarray(0, 50), bytes.subarray(50));
    const failing: Pictures = {
      made: () => Promise.resolve('busy'),
      close: () => Promise.resolve(),
    };
    const broken = await here.node({ pictures: failing });
    const request = { chatRef: general, media: [refTo(id, 2)] };
    assert.equal(await broken.refused(bob, 'messagesSendMessage', request), 'UNAVAILABLE');
    const { files } = await attach(node, bob, general, [refTo(id, 2)]);
    assert.equal((await sharp(await bytesIn(files[0] as FileId)).metadata()).width, 64);
    await broken.close();
  });

  it(
    'is waited for, and goes on when the wait is over: the same message is found then',
    { timeout: 60_000 },
    async () => {
      let finish = (): void => undefined;
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const slow: Pictures = {
        made: async (form, source, user) => {
          await finished;
          return node.get(of.pictures).made(form, source, user);
        },
        close: () => Promise.resolve(),
      };
      const waiting = await here.node({ pictures: slow });
      const { id, count } = await uploaded(await painted(32, 32).png().toBuffer());
      const request = { chatRef: general, clientId: 77n, media: [refTo(id, count)] };
      assert.equal(await waiting.refused(bob, 'messagesSendMessage', request), 'UNAVAILABLE');
      finish();
      const { sentMessage } = await waiting.must(bob, 'messagesSendMessage', request);
      assert.deepEqual((await waiting.must(bob, 'messagesSendMessage', request)).sentMessage, sentMessage);
      await waiting.close();
    },
  );

  it('of an upload is of one number of parts', async () => {
    const { id, count } = await uploaded(Buffer.concat([await painted(64, 64).png().toBuffer(), bytesOf(70_000)]));
    assert.equal(count, 2);
    await attach(node, bob, general, [refTo(id, 2)]);
    await attach(node, bob, general, [refTo(id, 2)]);
    const request = { chatRef: general, media: [refTo(id, 1)] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'INVALID_UPLOAD');
    assert.equal(
      await node.refused(bob, 'messagesSendMessage', { chatRef: general, media: [refTo(freshUpload())] }),
      'INVALID_UPLOAD',
    );
  });
});
