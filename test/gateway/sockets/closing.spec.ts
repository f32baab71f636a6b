import assert from 'node:assert/strict';
import { it } from 'node:test';
import { closedPerTick, closingTickMillis, drainMillisMax } from '../../../src/gateway/sockets/connections.js';

it('a server that stops closes few connections at once, and any number within three of its four seconds', () => {
  const millisFor = (count: number): number => Math.ceil(count / closedPerTick(count)) * closingTickMillis;
  assert.deepEqual([closedPerTick(1), closedPerTick(5_000), closedPerTick(50_000)], [20, 20, 167]);
  assert.deepEqual([millisFor(5_000), millisFor(50_000)], [2_500, 3_000]);
  assert.ok(millisFor(1_000_000) < drainMillisMax);
});
