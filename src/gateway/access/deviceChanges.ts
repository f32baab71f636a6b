import type { SessionDevice } from '../../domain/accounts/commands.js';
import { accounts } from '../../domain/accounts/decide.js';
import type { Execute } from '../../kernel/execute.js';
import type { SessionId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { Ids } from '../../kernel/ports/system.js';
import type { Caller } from '../contract/call.js';

/** A session's device is written at most once in so many milliseconds. */
export const devicePauseMillis = 60_000;
/** Sessions whose device waits to be written; with more, the one that waits longest is written at once. */
export const devicesWaitingMax = 50_000;

/**
 * The devices that sessions named last. A client may name one with each request, so that only the newest becomes an
 * event, when a minute is over. Until then this node shows it from memory. One that a crash or a stop loses is named
 * again by the client that comes back.
 */
export interface DeviceChanges {
  named(this: void, caller: Caller, device: SessionDevice): void;
  /** The device that waits to be written. */
  waiting(this: void, session: SessionId): SessionDevice | undefined;
}

export type DeviceChangesNeeds = {
  readonly execute: Execute;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly timers: Pick<Timers, 'later' | 'now'>;
  readonly failed: (error: unknown) => void;
};

/** `at`: when it is to be written, by the clock of the timers. */
type Waiting = { readonly caller: Caller; readonly device: SessionDevice; readonly at: number };

export const deviceChanges = (needs: DeviceChangesNeeds): DeviceChanges => {
  const { timers, failed } = needs;
  // All wait equally long, and a Map keeps the order of insertion: so the first is due first, and one timer is enough.
  const waiting = new Map<SessionId, Waiting>();
  let isTimed = false;
  const write = (session: SessionId, named: Waiting): void => {
    waiting.delete(session);
    written(needs, named).catch(failed);
  };
  const timeFirst = (): void => {
    const [first] = waiting.values();
    if (isTimed || first === undefined) return;
    isTimed = true;
    timers.later(Math.max(0, first.at - timers.now()), () => {
      isTimed = false;
      writeDue();
      timeFirst();
    });
  };
  const writeDue = (): void => {
    for (const [session, named] of waiting) {
      if (named.at > timers.now()) return;
      write(session, named);
    }
  };
  return {
    waiting: (session) => waiting.get(session)?.device,
    named: (caller, device) => {
      const { session } = caller;
      const at = waiting.get(session)?.at ?? timers.now() + devicePauseMillis;
      waiting.set(session, { caller, device, at });
      const [oldest] = waiting;
      if (waiting.size > devicesWaitingMax && oldest !== undefined) write(...oldest);
      timeFirst();
    },
  };
};

const written = async ({ execute, ids }: DeviceChangesNeeds, { caller, device }: Waiting): Promise<void> => {
  const { user, session } = caller;
  const commandId = ids.commandId();
  const cause = { commandId, correlationId: commandId, actor: user.toString(), session: session.toString() };
  await execute(accounts, { type: 'ChangeDevice', data: { user, session, device } }, cause);
};
