import { dayCounts } from '../../domain/deployments/decide.js';
import { daysStream } from '../../domain/deployments/events.js';
import type { Execute } from '../../kernel/execute.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { Clock, Ids } from '../../kernel/ports/system.js';

/**
 * The days that a deployment has been up, counted in the log. The wall clock is believed once in the life of a process
 * and for one day at most, so one that is years ahead adds a day, and not years.
 */
export interface DayCount {
  /** As of the last look; 0 before the first. */
  today(this: void): number;
  /** Once in the life of a process, after a look: begins the count, or puts its clock right. Any node may. */
  begin(this: void): Promise<void>;
  /** Rejects when the log cannot be read; the day stays as it was. */
  look(this: void): Promise<void>;
  /** Looks, and counts the day when it is over. One node at a time needs to. */
  count(this: void): Promise<void>;
}

export type DayCountNeeds = {
  readonly execute: Execute;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly clock: Clock;
  /** Milliseconds that go on while the machine sleeps, and that nobody sets. */
  readonly uptime: Pick<Timers, 'now'>;
};

export const dayMillis = 86_400_000;

export const dayCount = ({ execute, streams, ids, clock, uptime }: DayCountNeeds): DayCount => {
  let days = 0;
  // By the uptime, when the day that it is began; undefined before a day was seen.
  let since: number | undefined;
  const look = async (): Promise<void> => {
    const { state } = await streams.caughtUp(daysStream, dayCounts);
    if (state.status === 'uncounted') return;
    const now = uptime.now();
    if (since === undefined) since = now - Math.min(Math.max(0, clock.now() - state.clock), dayMillis);
    // Counted from the end of the day before, so that looks which come late do not add up.
    else if (state.days > days) since = Math.min(now, Math.max(since + dayMillis, now - lateMillisMax));
    days = state.days;
  };
  const run = async (command: Parameters<typeof dayCounts.stream>[0]): Promise<void> => {
    const commandId = ids.commandId();
    await execute(dayCounts, command, { commandId, correlationId: commandId });
  };
  return {
    today: () => days,
    look,
    begin: async () => {
      await run({ type: 'BeginDays', data: { clock: clock.now() } });
      await look();
    },
    count: async () => {
      await look();
      if (since !== undefined && uptime.now() - since >= dayMillis) {
        await run({ type: 'CountDay', data: { after: days, clock: clock.now() } });
      }
      await look();
    },
  };
};

/** A look that comes later than this begins the next day when it comes. */
const lateMillisMax = 2 * 3_600_000;
