import { beforeAll, type Position } from '../../kernel/event.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import { feed } from './feed.js';
import { lmdbReader } from './lmdbReader.js';

/** How often the log is looked at for events of the other process. */
export const lookMillis = 50;

/** The log of a folder, followed while another process writes to it. Changes nothing. Throws as `lmdbReader`. */
export const lmdbLogFollower = (folder: string): FollowedLog => {
  const reader = lmdbReader(folder);
  const endNow = (): Position => reader.readAll({ direction: 'backwards', limit: 1 })[0]?.position ?? beforeAll;
  let end = endNow();
  let failure: Error | undefined;
  const following = feed({
    // Thrown where the log is followed, because nobody hears of what a timer throws.
    end: () => {
      if (failure !== undefined) throw failure;
      return end;
    },
    // Async, so that a damaged record is a rejection.
    read: async (from, limit) => reader.readAll({ from, limit }).filter(({ position }) => position <= end),
  });
  const look = async (): Promise<void> => {
    const before = end;
    try {
      const next = endNow();
      if (next > before) await reader.flushed();
      end = next;
    } catch (error) {
      failure = error instanceof Error ? error : new Error('the log cannot be read', { cause: error });
    }
    if (end > before || failure !== undefined) following.publish([], before);
  };
  let underWay: Promise<void> | undefined;
  const looking = setInterval(() => {
    underWay ??= look().finally(() => (underWay = undefined));
  }, lookMillis);
  return {
    subscribe: (after) => following.subscribe(after),
    readAll: async (read) => reader.readAll(read),
    end: async () => endNow(),
    close: async () => {
      clearInterval(looking);
      following.close();
      await underWay;
      await reader.close();
    },
  };
};
