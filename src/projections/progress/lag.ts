import type { Position } from '../../kernel/event.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Running } from './running.js';

/** How far the documents are behind, in milliseconds, where they are projected; undefined when that is not known yet. */
export const lagHere = ({ committed, committedAt }: Running, end: Position, now: number): number | undefined => {
  if (committed >= end) return 0;
  return committedAt === undefined ? undefined : Math.max(0, now - committedAt);
};

/** The same where they are not: nobody here has seen the events, so the first of those that are missing is looked up. */
export const lagsElsewhere = async (
  log: Pick<EventLog, 'readAll'>,
  all: readonly Running[],
  now: number,
): Promise<readonly number[]> => {
  const missing = new Map<Position, Promise<number>>();
  const lagAfter = async (from: Position): Promise<number> => {
    const [first] = await log.readAll({ from, limit: 1 });
    return first === undefined ? 0 : Math.max(0, now - first.at);
  };
  return Promise.all(
    all.map(({ committed }) => {
      const lag = missing.get(committed) ?? lagAfter(committed);
      missing.set(committed, lag);
      return lag;
    }),
  );
};
