import type { Position } from '../../kernel/event.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import { deferred, type Deferred } from '../../kernel/timing.js';

export type PermittedLogNeeds = {
  readonly log: FollowedLog;
  readonly permitted: Position;
  /** The next events are beyond that. */
  readonly waits: (position: Position) => void;
  /** Ends the subscriptions that wait. */
  readonly signal: AbortSignal;
};

/** A log that gives no events beyond the position up to which they may be folded. */
export type PermittedLog = { readonly log: FollowedLog; readonly permit: (position: Position) => void };

export const permittedLog = ({ log, waits, signal, ...from }: PermittedLogNeeds): PermittedLog => {
  let { permitted } = from;
  let moved: Deferred<void> = deferred();
  const wake = (): void => {
    moved.resolve();
    moved = deferred();
  };
  signal.addEventListener('abort', wake);
  const until = async (position: Position): Promise<void> => {
    if (position > permitted && !signal.aborted) waits(position);
    while (position > permitted && !signal.aborted) await moved.promise;
  };
  const subscribe: FollowedLog['subscribe'] = (after) => {
    const subscription = log.subscribe(after);
    const held = async function* () {
      for await (const batch of subscription) {
        const last = batch.at(-1);
        if (last !== undefined) await until(last.position);
        if (signal.aborted) return;
        yield batch;
      }
    };
    return {
      [Symbol.asyncIterator]: held,
      close: () => {
        subscription.close();
      },
    };
  };
  return {
    log: { readAll: (read) => log.readAll(read), end: () => log.end(), close: () => log.close(), subscribe },
    permit: (position) => {
      if (position > permitted) permitted = position;
      wake();
    },
  };
};
