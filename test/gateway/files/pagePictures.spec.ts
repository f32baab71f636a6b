import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  costlyAuthors,
  costlyMillisMax,
  keptPagePicture,
  type PagePictureNeeds,
} from '../../../src/gateway/files/pagePictures.js';
import { uploadedBytes } from '../../../src/gateway/files/uploadedBytes.js';
import type { Millis, UserId } from '../../../src/kernel/ids.js';
import type { NoPicture } from '../../../src/kernel/ports/pictures.js';

const [ada, bob] = [1n as UserId, 2n as UserId];
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);

/** Every picture ends so. */
const rig = (ends: NoPicture) => {
  const asked: string[] = [];
  let now = 0;
  const unasked = (): never => {
    throw new Error('nothing is made of it');
  };
  const needs: PagePictureNeeds = {
    blobs: { put: unasked },
    clock: { now: () => 0 as Millis },
    costly: costlyAuthors(),
    execute: unasked,
    hasRoom: () => true,
    ids: { next: () => 1n, commandId: unasked },
    pictures: { made: (_form, _source, user) => (asked.push(`made ${user.toString()}`), Promise.resolve(ends)) },
    scanner: { judged: (_parts, user) => (asked.push(`judged ${user.toString()}`), Promise.resolve('clean')) },
    seal: { newKey: unasked, seal: unasked },
    uploaded: uploadedBytes(1_000_000),
    uptime: { now: () => now },
  };
  const keep = async (author: UserId): Promise<readonly string[]> => {
    asked.splice(0);
    assert.equal(await keptPagePicture(needs, png, author), undefined);
    return [...asked];
  };
  return { keep, pass: (millis: number) => (now += millis) };
};

describe('the picture of a page that costs its process', () => {
  it('is the last of its author that is looked at for an hour', async () => {
    const { keep, pass } = rig('too costly');
    assert.deepEqual(await keep(ada), ['judged 1', 'made 1']);
    assert.deepEqual(await keep(ada), []);
    assert.deepEqual(await keep(bob), ['judged 2', 'made 2']);
    pass(costlyMillisMax - 1);
    assert.deepEqual(await keep(ada), []);
    pass(1);
    assert.deepEqual(await keep(ada), ['judged 1', 'made 1']);
  });

  it('is no picture that cannot be read for another reason', async () => {
    const { keep } = rig('damaged');
    for (let times = 0; times < 2; times += 1) assert.deepEqual(await keep(ada), ['judged 1', 'made 1']);
  });
});
