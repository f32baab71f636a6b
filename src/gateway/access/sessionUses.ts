import { accounts, isUseNoteDue, unusedDaysMax, useNotedDays } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import type { AccountState } from '../../domain/accounts/state.js';
import type { Execute } from '../../kernel/execute.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { SessionId } from '../../kernel/ids.js';
import type { Ids } from '../../kernel/ports/system.js';
import { sessionsLastUsedBy } from '../../projections/accounts/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Caller } from '../contract/call.js';

/** When sessions were used last. One that comes or is connected is in use. */
export interface SessionUses {
  /** The day that it is in the count of days of the deployment. */
  today(this: void): number;
  /** A session was authorized. That it is in use is noted in the background, at most once in `useNotedDays`. */
  came(this: void, caller: Caller): void;
  /** Notes the use of those connected here of which it was not noted for `useNotedDays`; at most `notesPerLookMax`. */
  noteConnected(this: void, connected: Iterable<{ readonly caller: Caller }>, ending: AbortSignal): Promise<void>;
  /** Ends sessions that nobody used for `unusedDaysMax`; at most `endsPerLookMax`, those first that wait longest. */
  endUnused(this: void, ending: AbortSignal): Promise<void>;
}

export type SessionUsesNeeds = {
  readonly execute: Execute;
  readonly streams: Pick<FoldedStreams, 'remembered'>;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly reads: Reads;
  readonly today: () => number;
  /** A session was not written about; the next look tries again. */
  readonly failed: (error: unknown) => void;
};

/** With more than so many at one look the others wait for the next one. */
export const notesPerLookMax = 5_000;
export const endsPerLookMax = 1_000;

export const sessionUses = (needs: SessionUsesNeeds): SessionUses => {
  const { execute, streams, ids, reads, today, failed } = needs;
  // Of the sessions that came since the last look or were connected then: the day up to which nothing need be written.
  let noted = new Map<SessionId, number>();
  const run = async (type: 'UseSession' | 'EndUnusedSession', { user, session }: Caller): Promise<void> => {
    const commandId = ids.commandId();
    await execute(accounts, { type, data: { user, session, today: today() } }, { commandId, correlationId: commandId });
  };
  // One that cannot be written about must not keep the others waiting.
  const runEach = async (
    callers: readonly Caller[],
    work: (caller: Caller) => Promise<void>,
    ending: AbortSignal,
  ): Promise<void> => {
    for (const caller of callers) {
      if (ending.aborted) return;
      await work(caller).catch(failed);
    }
  };
  const note = async (caller: Caller): Promise<void> => {
    await run('UseSession', caller);
    noted.set(caller.session, today());
  };
  const isDue = (session: SessionId): boolean => today() - (noted.get(session) ?? -useNotedDays) >= useNotedDays;

  return {
    today,
    came: (caller) => {
      const known = streams.remembered<AccountState>(accountStream(caller.user));
      // It was just decided on, so the usual one that was noted lately costs no read.
      if (known !== undefined && !isUseNoteDue(known.state, caller.session, today()))
        noted.set(caller.session, today());
      else note(caller).catch(failed);
    },
    noteConnected: async (connected, ending) => {
      const here = [...connected].map(({ caller }) => caller);
      const due = here.filter(({ session }) => isDue(session)).slice(0, notesPerLookMax);
      await runEach(due, note, ending);
      noted = new Map(
        here.flatMap(({ session }) => {
          const day = noted.get(session);
          return day === undefined ? [] : [[session, day] as const];
        }),
      );
    },
    endUnused: async (ending) => {
      const unused = await sessionsLastUsedBy(reads, today() - unusedDaysMax, endsPerLookMax);
      const callers = unused.map(({ user, id: session }) => ({ user, session }));
      await runEach(callers, (caller) => run('EndUnusedSession', caller), ending);
    },
  };
};
