import { beforeAll, type Position } from './event.js';
import { millisOf, type Millis } from './ids.js';
import type { EventLog, StoredEvent } from './ports/eventLog.js';
import type { IdMark } from './ports/leases.js';

/** The ids that came into the world with an event. */
export type MintedIds = (event: StoredEvent) => readonly bigint[];

export type HighestIdNeeds = {
  readonly log: Pick<EventLog, 'readAll'>;
  readonly mark: Pick<IdMark, 'read'>;
  readonly mintedIds: MintedIds;
  /** How far ahead of the ids the mark is written, in milliseconds. */
  readonly markAheadMillis: number;
  /** The whole log has to be read, which is done once and may take long. */
  readonly onLongRead: () => void;
};

/** So many of the last events show how much of the time below the mark was used. */
export const tailEventsMax = 1_000;
const pageEventsMax = 1_000;
const none = 0 as Millis;

/**
 * The time of the highest id in the log, of any node, or one that is later by `markAheadMillis` at most. The mark says
 * it, and the end of the log how much of the mark was used, because else every start after a crash would put the ids
 * further ahead of the clock. Where there is no mark, or one that ids of the log are above, all of the log is read.
 */
export const highestIdTime = async (needs: HighestIdNeeds): Promise<Millis> => {
  const { log, mark, mintedIds } = needs;
  const tail = await log.readAll({ direction: 'backwards', limit: tailEventsMax });
  const times = tail.flatMap(mintedIds).map(millisOf);
  const newest = latest(times);
  const marked = await mark.read();
  if (marked === undefined || newest > marked) {
    if (tail.length < tailEventsMax) return newest;
    needs.onLongRead();
    return inWholeLog(needs);
  }
  const used = (marked - needs.markAheadMillis) as Millis;
  const showsAllSince = tail.length < tailEventsMax || times.some((time) => time <= used);
  return showsAllSince ? latest([used, newest]) : marked;
};

const inWholeLog = async ({ log, mintedIds }: HighestIdNeeds): Promise<Millis> => {
  let [from, highest]: [Position, Millis] = [beforeAll, none];
  for (;;) {
    const page = await log.readAll({ from, limit: pageEventsMax });
    highest = latest([highest, ...page.flatMap(mintedIds).map(millisOf)]);
    const last = page.at(-1);
    if (last === undefined) return highest;
    from = last.position;
  }
};

const latest = (times: readonly Millis[]): Millis => times.reduce((one, other) => (other > one ? other : one), none);
