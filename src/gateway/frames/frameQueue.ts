import type { Body } from '../../wire/envelope.js';
import type { Frame } from './frames.js';

/** The frames that wait to be written to one connection, in order. */
export class FrameQueue {
  readonly items: (Body | Frame | undefined)[] = [];
  /** The unread count that goes into each; `noCount` where there is none. */
  readonly counts: number[] = [];
  length = 0;
  bytes = 0;

  add(item: Body | Frame, count: number, bytes: number): void {
    this.items[this.length] = item;
    this.counts[this.length] = count;
    this.length += 1;
    this.bytes += bytes;
  }

  clear(): void {
    this.items.fill(undefined, 0, this.length);
    this.length = 0;
    this.bytes = 0;
  }
}

/** Queues are lent for one tick: growing one anew costs more than all the rest, and silent connections need none. */
export interface FrameQueues {
  take(this: void): FrameQueue;
  giveBack(this: void, queue: FrameQueue): void;
}

/** About 16 MB altogether, when all of them have been filled to the bound below. */
const keptMax = 4_096;
const keptFramesMax = 256;

export const frameQueues = (): FrameQueues => {
  const free: FrameQueue[] = [];
  return {
    take: () => free.pop() ?? new FrameQueue(),
    giveBack: (queue) => {
      const isKept = free.length < keptMax && queue.items.length <= keptFramesMax;
      queue.clear();
      if (isKept) free.push(queue);
    },
  };
};
