import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { files } from '../../../src/domain/files/decide.js';
import { filePartsMax, partBytesMax } from '../../../src/domain/files/limits.js';
import { blobOf, newestParts, packedParts, unpackedParts, versionAfter } from '../../../src/gateway/files/manifest.js';
import { partBytesCountedMin, takePart, type TakePartNeeds } from '../../../src/gateway/files/parts.js';
import { uploadedBytes } from '../../../src/gateway/files/uploadedBytes.js';
import type { OpenUpload } from '../../../src/gateway/files/uploads.js';
import type { Call } from '../../../src/gateway/contract/call.js';
import { fairTurns } from '../../../src/kernel/fairTurns.js';
import { snowflakeOf, type FileId, type Millis, type SessionId, type UserId } from '../../../src/kernel/ids.js';
import { eventBytesMax } from '../../../src/kernel/ports/eventLog.js';
import { partSealBytes } from '../../../src/kernel/ports/partSeal.js';
import { nextTurn } from '../../../src/kernel/timing.js';
import { kernelInMemory } from '../../support/house/kernel.js';

const file = snowflakeOf({ at: 1_767_225_600_000 as Millis, node: 3, counter: 0 }) as FileId;
const user = 2n as UserId;

describe('the manifest of a file', () => {
  const part = fc.record({ version: fc.integer({ min: 0, max: 2 ** 32 - 1 }), bytes: fc.nat(partBytesMax) });

  it('comes back as it was packed', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 50 }), (parts) => {
        const plain = parts.map((one) => ({ ...one }));
        assert.deepEqual(unpackedParts(packedParts(parts)), plain);
      }),
    );
    assert.equal(unpackedParts('AAAA'), undefined);
    assert.equal(
      unpackedParts(packedParts(Array.from({ length: filePartsMax + 1 }, () => ({ version: 1, bytes: 1 })))),
      undefined,
    );
  });

  it('of the most parts that there may be fits into an event', async () => {
    const { execute, log } = await kernelInMemory();
    const parts = Array.from({ length: filePartsMax }, () => ({ version: 2 ** 32 - 1, bytes: partBytesMax }));
    const about = { file, uploader: user, session: (2n ** 63n) as SessionId, upload: 2n ** 64n - 1n };
    const data = { ...about, at: 1_767_225_600_000 as Millis, bytes: 2 ** 32, parts: filePartsMax };
    await execute(
      files,
      { type: 'MakeFile', data: { ...data, manifest: packedParts(parts) } },
      { commandId: 'c', correlationId: 'c' },
    );
    const [stored] = await log.readAll({ limit: 1 });
    assert.ok((stored?.data.length ?? Infinity) < eventBytesMax);
  });

  it('has the part that was sent last, however the others came', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ index: fc.nat(5), after: fc.nat(3_000), node: fc.nat(1_023) })), (sent) => {
        let [before, at] = [0, 1_767_225_600_000];
        const last = new Map<number, number>();
        const entries = sent.map(({ index, after, node }, bytes) => {
          at += after;
          before = versionAfter(before, file, snowflakeOf({ at: at as Millis, node, counter: 0 }));
          last.set(index, bytes);
          return { name: blobOf(file, index, { version: before }), bytes: bytes + partSealBytes };
        });
        const sorted = entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
        const newest = newestParts(sorted);
        assert.deepEqual(new Map([...newest].map(([index, { bytes }]) => [index, bytes])), last);
      }),
    );
  });
});

describe('the bytes that a user uploads', () => {
  it('are bounded, and let go over a day', () => {
    const uploaded = uploadedBytes(1_000);
    assert.ok(uploaded.take(user, 600, 0));
    assert.ok(!uploaded.take(user, 401, 0));
    assert.ok(uploaded.take(user, 400, 0));
    assert.ok(!uploaded.take(user, 1, 0));
    assert.ok(uploaded.take(3n as UserId, 1_000, 0));
    assert.ok(!uploaded.take(user, 501, 43_200_000));
    assert.ok(uploaded.take(user, 500, 43_200_000));
    assert.ok(uploaded.take(user, 1_000, 43_200_000 + 86_400_000));
  });
});

describe('parts of an upload', () => {
  const call = { caller: { user, session: 5n as SessionId }, now: 0 as Millis, monotonic: 0 } as unknown as Call; // No more is asked of it.
  const rig = async (fileBytesMax: number, hasRoom = () => true, bytesPerDayMax = 20 * partBytesCountedMin) => {
    const upload: OpenUpload = {
      file,
      begunAt: 0 as Millis,
      key: new Uint8Array(32),
      lastVersion: 0,
      partsTaken: 0,
      bytesTaken: 0,
    };
    const { streams, ids } = await kernelInMemory();
    let stored = 0;
    const needs: TakePartNeeds = {
      blobs: {
        put: async () => {
          stored += 1;
          await nextTurn();
        },
      },
      fileBytesMax,
      ids,
      seal: { seal: (_, __, plain) => plain },
      streams,
      turns: fairTurns({ atOnceMax: 1, waitingMax: 5, waitingOfOneMax: 5 }),
      uploaded: uploadedBytes(bytesPerDayMax),
      uploads: { begin: () => Promise.resolve(upload) },
      hasRoom,
    };
    const take = async (index: number, length: number): Promise<string> => {
      const refused = await takePart(needs, call, { upload: 1n, index, data: new Uint8Array(length) });
      return refused === undefined ? 'taken' : `${refused.rejected} ${refused.detail ?? ''}`;
    };
    return { upload, take, stored: () => stored };
  };

  it('are refused beyond what a file may have, twice over, and what a user may upload, before they are stored', async () => {
    const small = await rig(10);
    assert.equal(await small.take(0, 20), 'taken');
    assert.match(await small.take(0, 1), /^TOO_LARGE .*10 bytes/);
    const large = await rig(100_000);
    assert.equal(await large.take(0, 20 * partBytesCountedMin), 'taken');
    assert.match(await large.take(1, 1), /^UPLOADED_TOO_MUCH/);
    assert.deepEqual([small.stored(), large.stored()], [1, 1]);
  });

  it('count as 4 KiB each where they are shorter, so that nobody fills a disk with its entries alone', async () => {
    const { take, stored } = await rig(1_000, undefined, 5 * partBytesCountedMin);
    for (const index of [0, 1, 2, 3, 4]) assert.equal(await take(index, 1), 'taken');
    assert.match(await take(5, 1), /^UPLOADED_TOO_MUCH/);
    assert.equal(stored(), 5);
  });

  it('are refused while the disk has no room for them', async () => {
    const { take, stored } = await rig(1_000, () => false);
    assert.match(await take(0, 1), /^UNAVAILABLE .*disk/);
    assert.equal(stored(), 0);
  });

  it('are refused when they were sent again too often, and when too many wait', async () => {
    const { upload, take, stored } = await rig(1_000);
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => take(index, 1)));
    assert.equal(all.filter((answer) => answer === 'taken').length, stored());
    assert.ok(
      all.some((answer) => answer.startsWith('UNAVAILABLE')),
      all.join(),
    );
    upload.partsTaken = 2 * filePartsMax;
    assert.match(await take(0, 1), /^TOO_MANY .*8192/);
  });
});
