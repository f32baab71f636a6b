import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { permittedLog } from '../../../src/container/generations/permittedLog.js';
import type { FollowedLog, StoredEvent } from '../../../src/kernel/ports/eventLog.js';
import { nextTurn } from '../../../src/kernel/timing.js';

const logUpTo = (end: bigint): FollowedLog => ({
  subscribe: () => ({
    async *[Symbol.asyncIterator]() {
      // Nothing else of an event is looked at.
      for (let position = 1n; position <= end; position += 1n)
        yield await Promise.resolve([{ position } as StoredEvent]);
    },
    close: () => undefined,
  }),
  readAll: () => Promise.resolve([]),
  end: () => Promise.resolve(end),
  close: () => Promise.resolve(),
});

const setting = () => {
  const [asked, read, ending] = [[] as bigint[], [] as bigint[], new AbortController()];
  const { log, permit } = permittedLog({
    ...{ log: logUpTo(4n), permitted: 2n, signal: ending.signal },
    waits: (position) => asked.push(position),
  });
  const reading = (async () => {
    for await (const batch of log.subscribe(0n)) read.push(...batch.map(({ position }) => position));
  })();
  return { asked, read, ending, permit, reading };
};

describe('a log that may be folded up to a position', () => {
  it('gives what is beyond it once that is permitted', async () => {
    const { asked, read, permit, reading } = setting();
    await nextTurn();
    assert.deepEqual([read, asked], [[1n, 2n], [3n]]);
    permit(4n);
    await reading;
    assert.deepEqual([read, asked], [[1n, 2n, 3n, 4n], [3n]]);
  });

  it('ends without it when the work ends', async () => {
    const { read, ending, reading } = setting();
    await nextTurn();
    ending.abort();
    await reading;
    assert.deepEqual(read, [1n, 2n]);
  });
});
