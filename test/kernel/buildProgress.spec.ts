import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { buildMeter, inWords } from '../../src/kernel/buildProgress.js';
import type { Millis } from '../../src/kernel/ids.js';

describe('the progress of a build', () => {
  it('says nothing of the time that is left before there is a pace, and then goes by that', () => {
    let now = 1_000;
    const { progress } = buildMeter(memoryEventLog({ now: () => 0 as Millis }), () => now);
    assert.equal(inWords(progress(50n, 200n)), '25 %, 0 events/s');
    now += 10_000;
    assert.deepEqual(progress(100n, 200n), {
      ...{ position: 100n, end: 200n, percent: 50, eventsPerSecond: 0, secondsLeft: 20 },
    });
    assert.equal(inWords(progress(100n, 200n)), '50 %, 0 events/s, about 20 s left');
  });

  it('is at 100 percent at the end alone, and of an empty log', () => {
    const { progress } = buildMeter(memoryEventLog({ now: () => 0 as Millis }), () => 0);
    assert.deepEqual(
      [progress(9_999n, 10_000n), progress(10_000n, 10_000n), progress(0n, 0n)].map(({ percent }) => percent),
      [99, 100, 100],
    );
  });

  it('counts the events that a subscription of its log brings', async () => {
    let now = 0;
    const under = memoryEventLog({ now: () => 0 as Millis });
    const event = (id: string) => ({ id, type: 't', data: new Uint8Array(), metadata: new Uint8Array() });
    await under.append('a', [event('00000000-0000-4000-8000-000000000001')], 'any');
    await under.append('b', [event('00000000-0000-4000-8000-000000000002')], 'any');
    const { log, progress } = buildMeter(under, () => now);
    progress(0n, 2n);
    const subscription = log.subscribe(0n);
    let seen = 0;
    for await (const batch of subscription) {
      seen += batch.length;
      if (seen === 2) break;
    }
    subscription.close();
    now = 1_000;
    assert.equal(progress(2n, 2n).eventsPerSecond, 2);
  });
});
