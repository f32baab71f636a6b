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
  const following = feed({
    end: () => end,
    // Async, so that a damaged record is a rejection.
    read: async (from, limit) => reader.readAll({ from, limit }),
  });
  const looking = setInterval(() => {
    const now = endNow();
    if (now <= end) return;
    const before = end;
    end = now;
    following.publish([], before);
  }, lookMillis);
  return {
    subscribe: (after) => following.subscribe(after),
    readAll: async (read) => reader.readAll(read),
    end: async () => endNow(),
    close: async () => {
      clearInterval(looking);
      following.close();
      await reader.close();
    },
  };
};
