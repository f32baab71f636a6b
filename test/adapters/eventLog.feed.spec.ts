import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { feed } from '../../src/adapters/eventLog/feed.js';
import type { Millis } from '../../src/kernel/ids.js';
import { partIn } from '../../src/kernel/parts.js';
import { batchEventsMax, type StoredEvent } from '../../src/kernel/ports/eventLog.js';

/** As a server gives positions that are places of bytes. */
const bytesBetween = 300n;

const eventAt = (place: number, part: object = {}): StoredEvent => ({
  id: randomUUID(),
  type: 'tests.Stored.v1',
  data: new Uint8Array(0),
  metadata: Buffer.from(JSON.stringify(part)),
  stream: 'tests',
  revision: BigInt(place),
  position: BigInt(place + 1) * bytesBetween,
  at: 0 as Millis, // In 1970, which is as good as any time.
});

describe('a feed', () => {
  it('reads a request whole where positions have gaps, and no more than that', async () => {
    const before = Array.from({ length: batchEventsMax - 1 }, (_, place) => eventAt(place));
    const request = [1, 2, 3].map((index) => eventAt(before.length + index - 1, partIn(index, 3)));
    const stored = [...before, ...request, eventAt(before.length + 3)];
    const fed = feed({
      end: () => stored.at(-1)?.position ?? 0n,
      read: (after, limit) => Promise.resolve(stored.filter(({ position }) => position > after).slice(0, limit)),
    });
    const sizes: number[] = [];
    for await (const batch of fed.subscribe(0n)) {
      sizes.push(batch.length);
      if (batch.at(-1) === stored.at(-1)) break;
    }
    assert.deepEqual(sizes, [batchEventsMax + 2, 1]);
    fed.close();
  });
});
