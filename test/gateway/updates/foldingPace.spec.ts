import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paceMillisMax } from '../../../src/gateway/contract/enforcement.js';
import { foldingLagMillisMax, foldingPace } from '../../../src/gateway/updates/foldingPace.js';
import { waiters } from '../../../src/gateway/updates/waiters.js';
import { nodeTimers, settled } from '../../support/nodeTimers.js';

const ticks = 500;

const pacing = () => {
  const timers = nodeTimers();
  const at = { acknowledged: 0n };
  const folded = waiters(() => new Error('closed'));
  const { ready } = foldingPace({ acknowledged: { events: () => at.acknowledged }, folded, timers });
  /** An append is asked for every millisecond, as many senders do, and each time one more event was acknowledged. */
  const busyFor = (millis: number, everyMillis = 1): void => {
    for (let passed = 0; passed < millis; passed += everyMillis) {
      at.acknowledged += 1n;
      void ready();
      timers.pass(everyMillis);
    }
  };
  return { timers, at, folded, ready, busyFor };
};

describe('the pace of appends', () => {
  it('is free while what was acknowledged is folded within the bound', () => {
    const { ready, busyFor, at, folded } = pacing();
    for (let round = 0; round < 20; round += 1) {
      busyFor(foldingLagMillisMax - 50);
      assert.equal(ready(), undefined);
      folded.advance(at.acknowledged - 10n);
    }
  });

  it('is that of the folding once this is further behind, also while it moves on', async () => {
    const { ready, busyFor, folded, at } = pacing();
    busyFor(foldingLagMillisMax + 1);
    const waiting = ready();
    assert.ok(waiting !== undefined);
    folded.advance(10n);
    assert.ok(ready() !== undefined, 'what came right after that is as late');
    folded.advance(at.acknowledged);
    await waiting;
    assert.equal(ready(), undefined);
  });

  it('is not held up for long by a folding that stands still', async () => {
    const { ready, busyFor, timers } = pacing();
    busyFor(foldingLagMillisMax + 1);
    const waiting = ready();
    assert.ok(waiting !== undefined);
    timers.pass(paceMillisMax);
    await waiting;
  });

  it('is not held up by a folding that has ended', async () => {
    const { ready, busyFor, folded } = pacing();
    busyFor(foldingLagMillisMax + 1);
    folded.close();
    await ready();
  });

  it('lets senders who are faster than the folding go on as fast as that, and nobody stands still', async () => {
    const { timers, at, folded, ready } = pacing();
    const [senders, appendMillis, foldedPerTick, tickMillis] = [16, 30, 6n, 20];
    const sent = Array.from({ length: senders }, () => 0);
    const sendOn = async (sender: number): Promise<void> => {
      await ready();
      timers.later(appendMillis, () => {
        at.acknowledged += 1n;
        sent[sender] = (sent[sender] ?? 0) + 1;
        void sendOn(sender);
      });
    };
    sent.forEach((_, sender) => void sendOn(sender));
    for (let tick = 0; tick < ticks; tick += 1) {
      timers.pass(tickMillis);
      const next = folded.position() + foldedPerTick;
      folded.advance(next < at.acknowledged ? next : at.acknowledged);
      await settled();
    }
    const foldable = Number(foldedPerTick) * ticks;
    assert.ok(Number(at.acknowledged) >= 0.95 * foldable, 'the pace brakes the folding itself');
    assert.ok(Number(at.acknowledged) <= 1.1 * foldable, 'the senders are not paced');
    assert.ok(Math.max(...sent) - Math.min(...sent) <= 1);
  });

  it('remembers how old the oldest is, however long it stands', () => {
    const { ready, busyFor, at, folded } = pacing();
    busyFor(10_000, 25);
    folded.advance(at.acknowledged - 1n);
    assert.ok(ready() !== undefined);
    folded.advance(at.acknowledged);
    assert.equal(ready(), undefined);
  });
});
