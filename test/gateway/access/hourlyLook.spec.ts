import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hourlyLook, sessionLookMillis } from '../../../src/gateway/access/hourlyLook.js';
import { nodeTimers, settled } from '../../support/nodeTimers.js';

/** A node that writes down what it does at a look. */
const setting = () => {
  const timers = nodeTimers();
  const done: string[] = [];
  const failures: unknown[] = [];
  const state = { broken: false };
  const does = (what: string) => () => {
    if (state.broken) return Promise.reject(new Error('the log is away'));
    done.push(what);
    return Promise.resolve();
  };
  const looks = hourlyLook({
    days: { look: does('look'), count: does('count') },
    uses: { noteConnected: does('note'), endUnused: does('end') },
    reportKeys: { endKept: does('destroy') },
    timers,
    connected: () => [],
    failed: (error) => failures.push(error),
  });
  const passHour = async (): Promise<readonly string[]> => {
    timers.pass(sessionLookMillis);
    await settled();
    return done.splice(0);
  };
  return { looks, passHour, done, failures, state, timers };
};

describe('the look at the sessions', () => {
  it('notes those that are connected, every hour and on every node', async () => {
    const { passHour } = setting();
    assert.deepEqual(
      [await passHour(), await passHour()],
      [
        ['look', 'note'],
        ['look', 'note'],
      ],
    );
  });

  it('counts and ends on the node that leads, from when it leads and as long as it does', async () => {
    const { looks, passHour, done } = setting();
    await looks.lead();
    assert.deepEqual(done.splice(0), ['count', 'note', 'end', 'destroy']);
    assert.deepEqual(await passHour(), ['count', 'note', 'end', 'destroy']);
    looks.follow();
    assert.deepEqual(await passHour(), ['look', 'note']);
  });

  it('is made again when one has failed', async () => {
    const { looks, passHour, failures, state } = setting();
    state.broken = true;
    await looks.lead();
    assert.deepEqual([await passHour(), failures.length], [[], 2]);
    state.broken = false;
    assert.deepEqual(await passHour(), ['count', 'note', 'end', 'destroy']);
  });

  it('is not made any more once the node stops', async () => {
    const { looks, passHour, timers } = setting();
    await looks.lead();
    await looks.close();
    await looks.lead();
    await passHour();
    assert.deepEqual([await passHour(), timers.waiting()], [[], 0]);
  });
});
