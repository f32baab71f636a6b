import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from '../../../src/gateway/contract/call.js';
import { pictureOf, pictureTurns, type PictureNeeds } from '../../../src/gateway/files/pictures.js';
import type { StoredPart } from '../../../src/gateway/files/manifest.js';
import { uploadedBytes } from '../../../src/gateway/files/uploadedBytes.js';
import { isRejection } from '../../../src/kernel/decider.js';
import { fairTurns } from '../../../src/kernel/fairTurns.js';
import { snowflakeOf, type FileId, type Millis, type UserId } from '../../../src/kernel/ids.js';
import { partSealBytes } from '../../../src/kernel/ports/partSeal.js';
import type { Picture } from '../../../src/kernel/ports/pictures.js';
import { deferred, nextTurn } from '../../../src/kernel/timing.js';

const at = 1_767_225_600_000 as Millis;
const file = snowflakeOf({ at, node: 3, counter: 0 }) as FileId;
const facts = { type: 'image/webp', width: 1, height: 1, animated: false, thumb: new Uint8Array(0) };

/** A child that makes pictures of so many bytes, and a store that keeps what it is given once `stored` resolves. */
const setting = (bytes: number, changes: Partial<PictureNeeds> & { readonly stored?: Promise<void> } = {}) => {
  const seen = { made: 0, put: 0 };
  const needs: PictureNeeds = {
    blobs: {
      get: () => Promise.resolve(new Uint8Array(100 + partSealBytes)),
      put: async () => {
        await changes.stored;
        seen.put += 1;
      },
    },
    damaged: () => undefined,
    fileBytesMax: 1_000_000,
    hasRoom: () => true,
    ids: { next: () => snowflakeOf({ at, node: 3, counter: 1 }) },
    pictures: {
      made: () => {
        seen.made += 1;
        return Promise.resolve({ ...facts, bytes: new Uint8Array(bytes) } as Picture);
      },
    },
    pictureTurns: fairTurns(pictureTurns),
    seal: { open: (_key, _place, sealed) => sealed.subarray(partSealBytes), seal: (_key, _place, plain) => plain },
    uploaded: uploadedBytes(2_000_000),
    ...changes,
  };
  return { needs, seen };
};

/** A picture of a hundred bytes, as its sender sent it. */
const picture = (needs: PictureNeeds, user: number, parts: readonly StoredPart[] = [{ version: 1, bytes: 100 }]) => {
  // Nothing else of a call is asked for here.
  const call = { caller: { user: BigInt(user) as UserId }, monotonic: 0, meter: { spend: () => undefined } };
  const upload = { file, begunAt: at, key: new Uint8Array(32), lastVersion: 0, partsTaken: 1, bytesTaken: 100 };
  const sent = { upload, parts, wish: { form: 'photo', declared: 'picture' } } as const;
  return pictureOf(needs, call as unknown as Call, sent);
};

const refusal = async (made: ReturnType<typeof pictureOf>): Promise<string | undefined> => {
  const one = await made;
  return isRejection(one) ? one.rejected : undefined;
};

describe('a picture that the server makes', () => {
  it('is a file within its bounds like any other, before a byte of it is stored', async () => {
    const large = setting(1_000_001);
    assert.equal(await refusal(picture(large.needs, 1)), 'TOO_LARGE');
    const { needs, seen } = setting(900_000);
    assert.equal(await refusal(picture(needs, 1)), undefined);
    assert.equal(await refusal(picture(needs, 1)), undefined);
    const before = seen.put;
    assert.equal(await refusal(picture(needs, 1)), 'UPLOADED_TOO_MUCH');
    assert.deepEqual([large.seen.put, before, seen.put], [0, 4, 4]);
  });

  it('is not begun while the disk has no room', async () => {
    const { needs, seen } = setting(10, { hasRoom: () => false });
    assert.equal(await refusal(picture(needs, 1)), 'UNAVAILABLE');
    assert.equal(seen.made, 0);
  });

  it('is one of four that are in memory until they are stored, however slow the store is', async () => {
    const stored = deferred<undefined>();
    const { needs, seen } = setting(10, { stored: stored.promise });
    const all = Array.from({ length: 10 }, (_, user) => picture(needs, user));
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    assert.equal(seen.made, pictureTurns.atOnceMax);
    stored.resolve(undefined);
    for (const one of await Promise.all(all)) assert.ok(one !== undefined && !isRejection(one));
    assert.equal(seen.put, 10);
  });

  it('has no turn of the process before all its parts are there, however short they are', async () => {
    let [reads, atMost, underWay] = [0, 0, 0];
    const count = 2_000;
    const { needs } = setting(100, {
      blobs: {
        put: () => Promise.resolve(),
        get: async () => {
          reads += 1;
          underWay += 1;
          atMost = Math.max(atMost, underWay);
          await nextTurn();
          underWay -= 1;
          return new Uint8Array(1 + partSealBytes);
        },
      },
      pictures: {
        made: async (_form, source) => {
          assert.equal(reads, count);
          let bytes = 0;
          for await (const part of source.parts) bytes += part.length;
          assert.deepEqual([bytes, source.bytes, reads], [count, count, count]);
          return { ...facts, bytes: new Uint8Array(100) } as Picture;
        },
      },
    });
    const parts = Array.from({ length: count }, () => ({ version: 1, bytes: 1 }));
    assert.ok(!isRejection(await picture(needs, 1, parts)));
    assert.ok(atMost > 8 && atMost <= 64, `${atMost.toString()} parts were read at once`);
  });
});
