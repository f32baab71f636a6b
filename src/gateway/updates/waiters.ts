import { beforeAll, type Position } from '../../kernel/event.js';

/** A position that only moves forward, and those who wait for it to get somewhere. */
export interface Waiters {
  position(this: void): Position;
  advance(to: Position): void;
  /** `undefined` when it is there already. */
  reached(this: void, position: Position): Promise<void> | undefined;
  /** It will never move again: all who wait get the error. */
  close(): void;
}

type Waiter = { readonly position: Position; readonly resolve: () => void; readonly fail: (error: Error) => void };

export const waiters = (closing: () => Error): Waiters => {
  let at = beforeAll;
  let waiting: Waiter[] = [];
  // The lowest position that anybody waits for, so that nearly every step is one comparison.
  let lowest: Position | undefined;
  let closed = false;

  const look = (): void => {
    const arrived = waiting.filter(({ position }) => position <= at);
    waiting = waiting.filter(({ position }) => position > at);
    lowest = waiting.reduce<Position | undefined>(
      (low, { position }) => (low === undefined || position < low ? position : low),
      undefined,
    );
    for (const { resolve } of arrived) resolve();
  };

  return {
    position: () => at,
    advance: (to) => {
      if (to > at) at = to;
      if (lowest !== undefined && at >= lowest) look();
    },
    reached: (position) => {
      if (position <= at) return undefined;
      if (closed) return Promise.reject(closing());
      return new Promise((resolve, fail) => {
        waiting.push({ position, resolve, fail });
        if (lowest === undefined || position < lowest) lowest = position;
      });
    },
    close: () => {
      closed = true;
      for (const { fail } of waiting) fail(closing());
      waiting = [];
    },
  };
};
