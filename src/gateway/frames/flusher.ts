import { frameAssembler, type FrameAssembler } from './frameAssembler.js';
import { frameQueues, type FrameQueue } from './frameQueue.js';
import { deferred, type Deferred } from '../../kernel/timing.js';

/** An outbox with something to write at the end of the tick. */
export interface Flushable {
  flush(composer: FrameAssembler): void;
}

/** Collects what connections have to write and writes it, one write per connection and tick. */
export interface Flusher {
  /** It is flushed at the end of the tick. Lends it a queue until then. */
  add(outbox: Flushable): FrameQueue;
  giveBack(queue: FrameQueue): void;
  /** Resolves when all that waits now has been written; `undefined` when nothing waits. */
  settled(this: void): Promise<void> | undefined;
  /** Writes what this one has now, before the end of the tick. */
  flush(outbox: Flushable): void;
}

/** Other work is let in after this long. */
const sliceMillisMax = 10;

/**
 * A write costs the kernel the same for one frame as for ten. So after a flush that took long the next one waits about
 * as long, at most this: frames that come meanwhile share its writes. An idle server flushes at the end of every tick.
 */
export const coalesceMillisMax = 4;

export const flusher = (): Flusher => {
  const composing = frameAssembler();
  const queues = frameQueues();
  let waiting: Flushable[] = [];
  let cursor = 0;
  let scheduled = false;
  let restedAt = 0;
  let settled: Deferred<void> | undefined;

  const schedule = (): void => {
    scheduled = true;
    const rest = restedAt - performance.now();
    if (rest < 1) setImmediate(flushAll);
    else setTimeout(flushAll, rest);
  };

  const writeUntil = (deadline: number): void => {
    while (cursor < waiting.length) {
      waiting[cursor]?.flush(composing);
      cursor += 1;
      // Looked at each time: one write may be of a mebibyte, and a look takes a hundredth of the shortest write.
      if (cursor < waiting.length && performance.now() > deadline) return;
    }
    waiting = [];
    cursor = 0;
  };

  const flushAll = (): void => {
    scheduled = false;
    const start = performance.now();
    writeUntil(start + sliceMillisMax);
    const end = performance.now();
    if (cursor > 0) {
      schedule();
      return;
    }
    restedAt = end + Math.min(end - start, coalesceMillisMax);
    settled?.resolve();
    settled = undefined;
  };

  return {
    add: (outbox) => {
      waiting.push(outbox);
      if (!scheduled) schedule();
      return queues.take();
    },
    giveBack: queues.giveBack,
    settled: () => {
      if (waiting.length === 0) return undefined;
      settled ??= deferred();
      return settled.promise;
    },
    flush: (outbox) => {
      outbox.flush(composing);
    },
  };
};
