import { settled } from '../nodeTimers.js';
import type { EventLog, StoredEvent } from '../../../src/kernel/ports/eventLog.js';

/** While it is shut, nobody who follows the log through it comes any further. */
export interface Gate {
  open(this: void): void;
  shut(this: void): void;
  of(this: void, log: EventLog): EventLog;
}

export type Gates = Readonly<Record<'nodes' | 'readModels', Gate>>;

export const openAll = ({ nodes, readModels }: Gates): void => {
  nodes.open();
  readModels.open();
};

/** Opens it for an answer that waits for it, after so many turns that one which does not has come. */
export const openingLater = async <T>({ open }: Gate, answer: Promise<T>): Promise<T> => {
  let isWaiting = true;
  const late = (): void => {
    if (isWaiting) open();
  };
  void settled().then(settled).then(settled).then(late);
  try {
    return await answer;
  } finally {
    isWaiting = false;
  }
};

export const gate = (): Gate => {
  let opening: Promise<void> | undefined;
  let open = (): void => undefined;
  return {
    open: () => {
      open();
    },
    shut: () => {
      opening ??= new Promise((resolve) => {
        open = () => {
          opening = undefined;
          resolve();
        };
      });
    },
    of: (log) => ({
      ...log,
      subscribe: (after) => {
        const subscription = log.subscribe(after);
        async function* batches(): AsyncGenerator<readonly StoredEvent[]> {
          for await (const batch of subscription) {
            await opening;
            yield batch;
          }
        }
        return {
          close: () => {
            subscription.close();
          },
          [Symbol.asyncIterator]: batches,
        };
      },
    }),
  };
};
