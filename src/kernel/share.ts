import type { FollowedLog } from './ports/eventLog.js';

export type ShareNeeds = {
  /** Of the whole machine, 1 to 100. */
  readonly percent: number;
  readonly cores: number;
  /** Of this process, that each read such a log: while one pauses, the others work. */
  readonly threads: number;
  /** Milliseconds of processor time that this process has used. */
  readonly usedMillis: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly pause: (millis: number) => Promise<void>;
};

/** The longest pause between two batches, where one thread works. */
export const pauseMillisMax = 1_000;

/** The log, whose batches come no faster than leaves this process within its share of the machine. */
export const sharingLog = (log: FollowedLog, needs: ShareNeeds): FollowedLog => {
  if (needs.percent >= 100) return log;
  return {
    readAll: (read) => log.readAll(read),
    end: () => log.end(),
    close: () => log.close(),
    subscribe: (after) => {
      const subscription = log.subscribe(after);
      const paced = async function* () {
        let since = { used: needs.usedMillis(), at: needs.now() };
        for await (const batch of subscription) {
          yield batch;
          await needs.pause(excessMillis(needs, since));
          // Time that one batch did not use is no credit for the next.
          since = { used: needs.usedMillis(), at: needs.now() };
        }
      };
      return {
        [Symbol.asyncIterator]: paced,
        close: () => {
          subscription.close();
        },
      };
    },
  };
};

const excessMillis = (
  { percent, cores, threads, usedMillis, now }: ShareNeeds,
  since: { readonly used: number; readonly at: number },
): number => {
  const wanted = (usedMillis() - since.used) / ((percent / 100) * cores);
  return Math.max(0, Math.min(pauseMillisMax * threads, wanted - (now() - since.at)));
};
