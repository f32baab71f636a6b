import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fairTurns } from '../../src/kernel/fairTurns.js';
import { deferred, nextTurn } from '../../src/kernel/timing.js';

describe('fair turns', () => {
  it('go on so many at a time, and begin in turns, one for each of those who ask', async () => {
    const turns = fairTurns({ atOnceMax: 2, waitingMax: 100, waitingOfOneMax: 100 });
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const ask = (of: string, name: string) =>
      turns.run(of, async () => {
        begun.push(name);
        const { promise, resolve } = deferred<undefined>();
        ends.set(name, () => {
          resolve(undefined);
        });
        await promise;
        return name;
      });
    const asked = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) => ask(name.charAt(0), name));
    await nextTurn();
    assert.deepEqual(begun, ['a1', 'a2']);
    for (let ended = 0; ended < asked.length; ended += 1) {
      ends.get(begun[ended] ?? '')?.();
      await nextTurn();
    }
    assert.deepEqual(begun, ['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']);
    assert.deepEqual(await Promise.all(asked.map(async (one) => one)), ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']);
  });

  it('are refused when too many wait, of one or of all, and go on after a failure', async () => {
    const turns = fairTurns({ atOnceMax: 1, waitingMax: 3, waitingOfOneMax: 2 });
    const { promise, reject } = deferred<undefined>();
    const first = turns.run('a', () => promise);
    const quick = (of: string) => turns.run(of, () => Promise.resolve(of));
    const waiting = [quick('a'), quick('a')];
    assert.equal(quick('a'), undefined);
    waiting.push(quick('b'));
    assert.equal(quick('b'), undefined);
    waiting.push(quick('c'));
    assert.equal(quick('c'), undefined, 'one waits, beyond what all may have');
    reject(new Error('failed'));
    await assert.rejects(first ?? Promise.resolve(), /failed/);
    assert.deepEqual(await Promise.all(waiting.map(async (one) => one)), ['a', 'a', 'b', 'c']);
    assert.equal(await quick('c'), 'c');
  });
});
