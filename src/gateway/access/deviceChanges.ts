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
  readonly timers: Pick<Timers, 'later'>;
  readonly failed: (error: unknown) => void;
};

type Waiting = { readonly caller: Caller; readonly device: SessionDevice; readonly cancel: () => void };

export const deviceChanges = (needs: DeviceChangesNeeds): DeviceChanges => {
  // A Map keeps the order of insertion: the first is the one that waits longest.
  const waiting = new Map<SessionId, Waiting>();
  const write = (session: SessionId): void => {
    const named = waiting.get(session);
    if (named === undefined) return;
    waiting.delete(session);
    named.cancel();
    written(needs, named).catch(needs.failed);
  };
  return {
    waiting: (session) => waiting.get(session)?.device,
    named: (caller, device) => {
      const { session } = caller;
      const before = waiting.get(session);
      const cancel =
        before?.cancel ??
        needs.timers.later(devicePauseMillis, () => {
          write(session);
        });
      waiting.set(session, { caller, device, cancel });
      const oldest = waiting.keys().next();
      if (waiting.size > devicesWaitingMax && oldest.done !== true) write(oldest.value);
    },
  };
};

const written = async ({ execute, ids }: DeviceChangesNeeds, { caller, device }: Waiting): Promise<void> => {
  const { user, session } = caller;
  const commandId = ids.commandId();
  const cause = { commandId, correlationId: commandId, actor: user.toString(), session: session.toString() };
  await execute(accounts, { type: 'ChangeDevice', data: { user, session, device } }, cause);
};
