import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileRemovals, removalsHeldMillisMax } from '../../../src/gateway/files/removals.js';
import { deferred } from '../../../src/kernel/timing.js';

describe('removals of files', () => {
  const rig = () => {
    let now = 5;
    const removals = fileRemovals(() => now);
    return { ...removals, pass: (millis: number) => (now += millis) };
  };

  it('are held while somebody copies, and go on when the last one has ended, well or not', async () => {
    const { mayGoOn, heldWhile } = rig();
    const [one, other] = [deferred<number>(), deferred<number>()];
    const works = [heldWhile(() => one.promise), heldWhile(() => other.promise)];
    one.resolve(3);
    assert.equal(await works[0], 3);
    assert.equal(mayGoOn(), false);
    other.reject(new Error('the disk is full'));
    await assert.rejects(works[1] ?? assert.fail(), /the disk is full/);
    assert.equal(mayGoOn(), true);
  });

  it('go on after a day, and the copy that took longer is told so', async () => {
    const { mayGoOn, heldWhile, pass } = rig();
    const copy = deferred<number>();
    const work = heldWhile(() => copy.promise);
    pass(removalsHeldMillisMax);
    assert.equal(mayGoOn(), false);
    pass(1);
    assert.equal(mayGoOn(), true);
    copy.resolve(3);
    await assert.rejects(work, { name: 'HeldTooLong' });
  });
});
