import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildEnd, type BuildEndNeeds } from '../../../src/container/generations/buildEnd.js';

const never = new Promise<void>(() => undefined);

const ended = (differs: Partial<BuildEndNeeds>) =>
  buildEnd({
    running: { reached: () => never },
    log: { end: () => Promise.resolve(9n) },
    disk: { mayBuild: () => true },
    finished: () => Promise.resolve(),
    follow: false,
    signal: new AbortController().signal,
    ...differs,
  });

describe('a build', () => {
  it('is over once the documents hold what was in the log', async () => {
    const wanted: bigint[] = [];
    const reached = (position: bigint): undefined => void wanted.push(position);
    assert.equal(await ended({ running: { reached } }), 'built');
    assert.deepEqual(wanted, [9n]);
  });

  it('that follows goes on until it is stopped', async () => {
    const stopping = new AbortController();
    let looks = 0;
    const reached = (): undefined => {
      looks += 1;
      if (looks === 2) stopping.abort();
    };
    assert.equal(await ended({ running: { reached }, follow: true, signal: stopping.signal }), 'stopped');
    assert.equal(looks, 2);
  });

  it('ends when it is stopped, when the disk is nearly full, and when a projection stops', async () => {
    assert.equal(await ended({ signal: AbortSignal.abort() }), 'stopped');
    assert.equal(await ended({ disk: { mayBuild: () => false } }), 'disk full');
    const stopped = new Error('the projection messages has stopped');
    await assert.rejects(ended({ running: { reached: () => Promise.reject(stopped) } }), stopped);
  });
});
