import type { Position } from './event.js';
import type { FollowedLog } from './ports/eventLog.js';

/** How far a generation of documents is on its way to the end of the log. */
export type BuildProgress = {
  readonly position: Position;
  readonly end: Position;
  /** 0 to 100, and 100 only at the end. Positions are no counts of events, so this is of the way and not of the work. */
  readonly percent: number;
  /** Since the build was begun or taken up again. */
  readonly eventsPerSecond: number;
  /** At the pace so far; undefined while nothing can be said. */
  readonly secondsLeft: number | undefined;
};

export interface BuildMeter {
  /** The log, with the events counted that subscriptions bring. */
  readonly log: FollowedLog;
  /** That subscriptions have brought. */
  events(this: void): number;
  /** Adds events that others have read. */
  count(this: void, events: number): void;
  /** Call it first when the build begins. */
  progress(this: void, position: Position, end: Position): BuildProgress;
}

/** `now`: milliseconds of a monotonic clock. */
export const buildMeter = (log: FollowedLog, now: () => number): BuildMeter => {
  let events = 0;
  let beginning: { readonly at: number; readonly position: Position } | undefined;
  return {
    log: {
      readAll: (read) => log.readAll(read),
      end: () => log.end(),
      close: () => log.close(),
      subscribe: (after) => {
        const subscription = log.subscribe(after);
        const counted = async function* () {
          for await (const batch of subscription) {
            events += batch.length;
            yield batch;
          }
        };
        return {
          [Symbol.asyncIterator]: counted,
          close: () => {
            subscription.close();
          },
        };
      },
    },
    events: () => events,
    count: (more) => {
      events += more;
    },
    progress: (position, end) => {
      beginning ??= { at: now(), position };
      const seconds = (now() - beginning.at) / 1_000;
      return {
        position,
        end,
        percent: percentOf(position, end),
        eventsPerSecond: seconds > 0 ? Math.round(events / seconds) : 0,
        secondsLeft: secondsLeft(Number(position - beginning.position), Number(end - position), seconds),
      };
    },
  };
};

const percentOf = (position: Position, end: Position): number => {
  if (position >= end) return 100;
  return Math.min(99, Math.floor((Number(position) / Number(end)) * 100));
};

const secondsLeft = (passed: number, left: number, seconds: number): number | undefined => {
  if (left <= 0) return 0;
  return passed > 0 && seconds > 0 ? Math.ceil((left / passed) * seconds) : undefined;
};

/** For people: `45 %, 12000 events/s, about 30 s left`. */
export const inWords = ({ percent, eventsPerSecond, secondsLeft: left }: BuildProgress): string => {
  const pace = `${percent.toString()} %, ${eventsPerSecond.toString()} events/s`;
  return left === undefined ? pace : `${pace}, about ${left.toString()} s left`;
};
