import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Call } from '../../../src/gateway/contract/call.js';
import { costs } from '../../../src/gateway/contract/meter.js';
import { passedUploads, refusedByScanner } from '../../../src/gateway/files/scanning.js';
import { snowflakeOf, type FileId, type Millis, type UserId } from '../../../src/kernel/ids.js';
import { partSealBytes } from '../../../src/kernel/ports/partSeal.js';
import { deferred } from '../../../src/kernel/timing.js';
import type { FileScanner, ScanVerdict } from '../../../src/kernel/ports/fileScanner.js';
import { bob, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';
import { painted, withPlace } from '../../support/pictures/samples.js';
import { attach, bytesOf, hourMillis, refTo, storedNames, sweep, upload, whole } from './filing.js';

let here: House;
let node: Node;
let other: Node;
/** What the scanner of both nodes was given, and says next. */
const seen: Buffer[] = [];
let verdict: () => Promise<ScanVerdict> = () => Promise.resolve('clean');
const fileScanner: FileScanner = {
  judged: async (parts) => {
    const chunks: Uint8Array[] = [];
    for await (const part of parts) chunks.push(part);
    seen.push(Buffer.concat(chunks));
    return verdict();
  },
  close: () => Promise.resolve(),
};
before(async () => {
  here = await house();
  node = await here.node({ fileScanner });
  other = await here.node({ fileScanner });
});
after(() => here.close());

const says = (next: ScanVerdict): void => {
  verdict = () => Promise.resolve(next);
  seen.splice(0);
};

const uploadOfAda = {
  file: snowflakeOf({ at: 1_767_225_600_000 as Millis, node: 3, counter: 0 }) as FileId,
  ...{ begunAt: 0 as Millis, key: new Uint8Array(32), lastVersion: 0, partsTaken: 1, bytesTaken: 100 },
};

/** Each is opened in a stretch of its own. */
const partSizes = [3_000_000, 9_000_000, 5];
const sizeOf = (name: string): number => partSizes[Number(name.split('/')[2]?.split('.')[0])] ?? 0;

/** A call that notes what it is asked to pay, and a store in which every part is there. */
const pricedRig = () => {
  const spent: number[] = [];
  const needs = {
    blobs: { get: (name: string) => Promise.resolve(new Uint8Array(partSealBytes + sizeOf(name))) },
    damaged: () => undefined,
    passed: passedUploads(),
    seal: { open: (_key: Uint8Array, _place: string, sealed: Uint8Array) => sealed.subarray(partSealBytes) },
  };
  // Nothing else of a call is asked for here.
  const call = { caller: { user: 1n as UserId }, meter: { spend: (units: number) => spent.push(units) } };
  return { needs, call: call as unknown as Call, spent };
};

const messageWith = (id: bigint, partCount = 1, clientId = 0n) => ({
  chatRef: general,
  clientId,
  media: [refTo(id, partCount)],
});

describe('a file that is judged', () => {
  it('is judged once, as it was sent, and then read by everybody', async () => {
    says('clean');
    const [one, two] = [bytesOf(700_000), bytesOf(9, 4)];
    const id = await upload(node, bob, one, two);
    const { files } = await attach(node, bob, general, [refTo(id, 2)]);
    await attach(other, bob, general, [refTo(id, 2)]);
    assert.deepEqual(seen, [Buffer.concat([one, two])]);
    assert.deepEqual(await whole(other, bob, files[0] ?? assert.fail('nothing was attached')), seen[0]);
  });

  it('that is a picture is judged before it is made anew', async () => {
    says('clean');
    const bytes = await withPlace(painted(64, 48).png()).toBuffer();
    const { files } = await attach(node, bob, general, [refTo(await upload(node, bob, bytes))]);
    assert.deepEqual(seen, [bytes]);
    assert.notDeepEqual(await whole(node, bob, files[0] ?? assert.fail('nothing was attached')), bytes);
  });

  it('is refused on every node once it was refused, in every use, and its bytes go', async () => {
    says('refused');
    const bytes = await painted(64, 48).png().toBuffer();
    const id = await upload(node, bob, bytes);
    const before = await storedNames(here.blobs);
    assert.equal(await node.refused(bob, 'messagesSendMessage', messageWith(id)), 'FILE_REFUSED');
    assert.equal(await other.refused(bob, 'messagesSendMessage', messageWith(id)), 'FILE_REFUSED');
    const photo = { file: { id, name: 'a.png', partCount: 1 } };
    assert.equal(await other.refused(bob, 'settingsEditProfilePhoto', photo), 'FILE_REFUSED');
    assert.equal(seen.length, 1);
    const part = { uploadId: id, part: 1, data: bytes };
    assert.equal(await node.refused(bob, 'mediaUploadFilePart', part), 'UPLOAD_ENDED');
    assert.deepEqual(await storedNames(here.blobs), before);
    here.clock.at += hourMillis;
    await sweep(here, node);
    assert.equal((await storedNames(here.blobs)).length, before.length - 1);
  });

  it('has its price as it is opened, and none where the scanner is busy', async () => {
    const { needs, call, spent } = pricedRig();
    const parts = partSizes.map((bytes) => ({ version: 1, bytes }));
    const scannedBy = async (judged: FileScanner['judged']) => {
      spent.splice(0);
      await refusedByScanner({ ...needs, scanner: { judged } }, call, { upload: uploadOfAda, parts });
      return [...spent];
    };
    assert.deepEqual(await scannedBy(() => Promise.resolve('busy')), []);
    const firstOnly = await scannedBy(async (bytes) => {
      for await (const part of bytes) if (part.length > 0) return 'unjudged';
      return 'unjudged';
    });
    assert.deepEqual(firstOnly, [costs.scan, (costs.kibibyteOpened * 3_000_000) / 1_024]);
    const all = await scannedBy(async (bytes) => {
      for await (const part of bytes) assert.ok(part.length > 0);
      return 'clean';
    });
    assert.deepEqual(all, [costs.scan, ...partSizes.map((one) => (costs.kibibyteOpened * one) / 1_024)]);
  });

  it('that could not be judged is not refused for good, and is judged anew', async () => {
    says('unjudged');
    const id = await upload(node, bob, bytesOf(9));
    assert.equal(await node.refused(bob, 'messagesSendMessage', messageWith(id)), 'UNAVAILABLE');
    says('busy');
    assert.equal(await node.refused(bob, 'messagesSendMessage', messageWith(id)), 'UNAVAILABLE');
    says('clean');
    await attach(node, bob, general, [refTo(id)]);
    assert.equal(seen.length, 1);
  });

  it('is judged anew when it has other parts by then, and not when nothing became of the picture', async () => {
    says('clean');
    const busy = await here.node({
      fileScanner,
      pictures: { made: () => Promise.resolve('busy'), close: () => Promise.resolve() },
    });
    const id = await upload(busy, bob, await painted(64, 48).png().toBuffer());
    for (const times of [1, 2]) {
      assert.equal(await busy.refused(bob, 'messagesSendMessage', messageWith(id)), 'UNAVAILABLE', times.toString());
    }
    assert.equal(seen.length, 1);
    const data = await painted(48, 64).png().toBuffer();
    await busy.must(bob, 'mediaUploadFilePart', { uploadId: id, part: 0, data });
    assert.equal(await busy.refused(bob, 'messagesSendMessage', messageWith(id)), 'UNAVAILABLE');
    assert.deepEqual(seen[1], data);
    await busy.close();
  });

  it('is waited for, goes on being judged when the wait is over, and is found then', { timeout: 60_000 }, async () => {
    let finish = (): void => undefined;
    seen.splice(0);
    verdict = () =>
      new Promise((resolve) => {
        finish = () => {
          resolve('clean');
        };
      });
    const request = messageWith(await upload(node, bob, bytesOf(9)), 1, 91n);
    assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'UNAVAILABLE');
    finish();
    const { sentMessage } = await node.must(bob, 'messagesSendMessage', request);
    assert.deepEqual((await node.must(bob, 'messagesSendMessage', request)).sentMessage, sentMessage);
    assert.equal(seen.length, 1);
  });

  it('is waited for as long as one alone, where a message has several of them', { timeout: 60_000 }, async () => {
    let judging = 0;
    const all = deferred<ScanVerdict>();
    const count = 3;
    verdict = () => {
      judging += 1;
      if (judging === count) all.resolve('clean');
      return all.promise;
    };
    const ids: bigint[] = [];
    for (let file = 0; file < count; file += 1) ids.push(await upload(node, bob, bytesOf(9 + file)));
    const { files } = await attach(
      node,
      bob,
      general,
      ids.map((id) => refTo(id)),
    );
    const lengths = await Promise.all(files.map(async (file) => (await whole(node, bob, file)).length));
    assert.deepEqual([lengths, judging], [[9, 10, 11], count]);
  });

  it('is not judged where it is damaged', async () => {
    says('clean');
    const id = await upload(node, bob, bytesOf(9));
    const name = (await storedNames(here.blobs)).at(-1) ?? assert.fail('nothing is stored');
    await here.blobs.put(name, new Uint8Array(9 + 28));
    assert.equal(await node.refused(bob, 'messagesSendMessage', messageWith(id)), 'FILE_DAMAGED');
    assert.equal(node.troubles.splice(0).length, 1);
    assert.deepEqual(seen, []);
  });
});
