import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { diskOf } from '../../../src/adapters/system/disk.js';
import { diskLookMillis, freeDisk } from '../../../src/gateway/operations/freeDisk.js';
import { handTimers } from '../../support/handTimers.js';

const mebibyte = 1_048_576;

/** A disk that has as much room as the test says, and what was said of it. */
const watched = async (freeBytes: number, totalBytes = 1_000_000 * mebibyte) => {
  const state: { freeBytes: number; error?: Error } = { freeBytes };
  const timers = handTimers();
  const said: string[] = [];
  const free = await freeDisk({
    timers,
    floorBytes: 1_024 * mebibyte,
    disk: {
      room: () =>
        state.error === undefined
          ? Promise.resolve({ freeBytes: state.freeBytes, totalBytes })
          : Promise.reject(state.error),
    },
    changed: (full) => said.push(full),
    failed: () => said.push('failed'),
  });
  const later = async (): Promise<void> => {
    timers.pass(diskLookMillis);
    await turn();
  };
  return { ...free, state, said, later };
};

describe('the free disk', () => {
  it('is looked at every few seconds, and what changes is said once', async () => {
    const { isFull, freeBytes, state, said, later } = await watched(1_024 * mebibyte);
    assert.equal(isFull(), false);
    state.freeBytes -= 1;
    for (let looks = 0; looks < 2; looks += 1) await later();
    assert.deepEqual([isFull(), freeBytes()], [true, state.freeBytes]);
    state.freeBytes += 1;
    await later();
    assert.deepEqual([isFull(), said], [false, ['full', 'free']]);
  });

  it('is full at 5 % of a small disk', async () => {
    assert.equal((await watched(100 * mebibyte, 2_000 * mebibyte)).isFull(), false);
    assert.equal((await watched(100 * mebibyte - 1, 2_000 * mebibyte)).isFull(), true);
  });

  it('is too little for building and files at twice the floor', async () => {
    assert.equal((await watched(2_048 * mebibyte)).mayBuild(), true);
    const scarce = await watched(2_048 * mebibyte - 1);
    assert.deepEqual([scarce.mayBuild(), scarce.isFull()], [false, false]);
  });

  it('is as it was while it cannot be asked', async () => {
    const { isFull, state, said, later } = await watched(0);
    state.error = new Error('away');
    await later();
    assert.deepEqual([isFull(), said], [true, ['full', 'failed']]);
    delete state.error;
    state.freeBytes = 4_096 * mebibyte;
    await later();
    assert.equal(isFull(), false);
  });

  it('of a folder is what the system says', async () => {
    const { freeBytes, totalBytes } = await diskOf('.').room();
    assert.ok(freeBytes > 0 && totalBytes > freeBytes);
  });
});
