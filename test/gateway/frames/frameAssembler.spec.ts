import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { frameAssembler, type FrameAssembler } from '../../../src/gateway/frames/frameAssembler.js';
import { FrameQueue } from '../../../src/gateway/frames/frameQueue.js';
import { Broadcast, headerSize, noCount } from '../../../src/gateway/frames/frames.js';
import { sharedBytesMax } from '../../../src/gateway/frames/writeBuffers.js';
import type { MessageId } from '../../../src/kernel/ids.js';
import { encodeResult, encodeUpdate, frameSize } from '../../../src/wire/envelope.js';
import { encodeTail, spliceable } from '../../../src/wire/spliceable.js';

const counted = (length: number): Broadcast =>
  new Broadcast({
    update: spliceable('messageCreated', { message: { messageId: 1n as MessageId, message: 'x'.repeat(length) } }),
    tailOf: (channelUnreadCount) => encodeTail('messageCreated', { channelUnreadCount }),
  });
/** Shared by all queues, as what is told is shared by all viewers. The last is more than what is put together in shared memory. */
const broadcasts = [
  ...[0, 100, 300, 70_000].map(counted),
  new Broadcast(encodeUpdate({ messageDeleted: { messageIds: [7n as MessageId] } })),
];

/** What waits for one connection: the place of a broadcast, -1 for a result of its own, or -2 for one that is long. */
type Waiting = { readonly places: readonly number[]; readonly firstId: number; readonly count: number };

const longPart = new Uint8Array(sharedBytesMax + 1).fill(7);

const queueOf = ({ places, firstId, count }: Waiting): FrameQueue => {
  const queue = new FrameQueue();
  for (const [index, place] of places.entries()) {
    const id = (firstId + index) >>> 0;
    const broadcast = broadcasts[place];
    if (broadcast === undefined) {
      const body = encodeResult(id, place === -2 ? { filePart: { data: longPart } } : {});
      queue.add(body, noCount, headerSize(frameSize(id, body)) + frameSize(id, body));
    } else {
      const own = place === broadcasts.length - 1 ? noCount : count;
      const frame = broadcast.frame(id, own);
      queue.add(frame, own, frame.size);
    }
  }
  return queue;
};

const places = fc.constantFrom(
  [0],
  [0, 1, 2],
  [1, 2, 1, 4],
  [2, 4],
  [0, -1, 1],
  [3, 1],
  [0, -2, 1, -2],
  [-2],
  Array<number>(200).fill(2),
);
const ids = fc.constantFrom(1, 120, 127, 128, 16_380, 0xffff_fffd);
const counts = fc.constantFrom(0, 1, 127, 128, 5_000, 0xffff_ffff);
const write = fc.record({ places, firstId: ids, count: counts, isKept: fc.boolean() });

const written = (composing: FrameAssembler, queue: FrameQueue, firstId: number): Buffer => {
  if (queue.bytes <= sharedBytesMax) return composing.compose(queue, firstId);
  const pieces = composing.pieces(queue, firstId);
  // Long ones are there as they are, so they cannot be written over.
  const isLong = (item: unknown): boolean => item instanceof Uint8Array && item.length > sharedBytesMax;
  for (const item of queue.items.filter(isLong)) assert.ok(pieces.some((piece) => piece === item));
  const [only] = pieces;
  return pieces.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(pieces);
};

describe('a write', () => {
  it('is the same whatever was written before, and stays as it is while it is kept', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 2, maxLength: 30 }), (writes) => {
        const composing = frameAssembler();
        const kept: { readonly bytes: Buffer; readonly expected: Buffer }[] = [];
        for (const { isKept, ...waiting } of writes) {
          const bytes = written(composing, queueOf(waiting), waiting.firstId);
          const expected = frameAssembler().compose(queueOf(waiting), waiting.firstId);
          assert.ok(bytes.equals(expected));
          if (!isKept) continue;
          composing.keep();
          kept.push({ bytes, expected });
        }
        for (const { bytes, expected } of kept) assert.ok(bytes.equals(expected));
      }),
      { numRuns: 300 },
    );
  });
});
