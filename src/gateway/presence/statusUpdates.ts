import type { UserStatusInit } from '../../gen/types.js';
import type { UserId } from '../../kernel/ids.js';
import type { Access } from '../contract/viewerPermissions.js';
import type { StatusOf } from '../rendering/user.js';
import type { Hub } from '../sessions/hub.js';
import type { Schedule } from './schedule.js';

export type StatusUpdatesNeeds = {
  readonly access: Pick<Access, 'statusAudience'>;
  readonly statusOf: StatusOf;
  readonly deliver: Hub['deliver'];
  readonly schedule: Schedule;
  readonly failed: (error: unknown) => void;
};

/** Sends the statuses of users to those of this node who may know them. */
export interface StatusUpdates {
  /**
   * Something else may be shown of the user now. They are sent at once, or within `statusMillisMin` where that is not
   * over since the last time, as they are then.
   */
  changed(user: UserId): void;
  close(): void;
}

/** A user's status is sent at most once in this time. */
export const statusMillisMin = 2_000;

/** So many recipients are sent a status in one tick, whosever status it is; the others follow in the next ones. */
export const recipientsPerTickMax = 1_000;
export const tickMillis = 10;

/** A status that could not be looked up, or whose audience could not, is sent after so long, and is given up at last. */
export const againMillis = 2_000;
export const triesMax = 5;

/** Statuses that are looked up side by side. */
export const lookUpsMax = 32;

export const statusUpdates = (needs: StatusUpdatesNeeds): StatusUpdates => {
  const { schedule } = needs;
  /** Users who were sent of within `statusMillisMin`. */
  const recent = new Map<UserId, { changedAgain: boolean; readonly stop: () => void }>();
  const queue = sendingQueue(needs);

  const begin = (user: UserId): void => {
    const stop = schedule(statusMillisMin, () => {
      recent.delete(user);
      if (entry.changedAgain) begin(user);
    });
    const entry = { changedAgain: false, stop };
    recent.set(user, entry);
    queue.send(user);
  };

  return {
    changed: (user) => {
      const entry = recent.get(user);
      if (entry === undefined) begin(user);
      else entry.changedAgain = true;
    },
    close: () => {
      for (const { stop } of recent.values()) stop();
      recent.clear();
      queue.close();
    },
  };
};

const sendingQueue = (needs: StatusUpdatesNeeds) => {
  /** In the order in which they came; a user whose status changes again keeps the place. */
  const waiting = new Map<UserId, Sending>();
  const budget = tickBudget(needs.schedule);
  let isSending = false;

  // The audience is asked for anew in each tick, so that nobody is sent anything who has left since.
  const sendTo = async (sending: Sending, status: UserStatusInit | undefined): Promise<void> => {
    const { user } = sending;
    const found = await needs.access.statusAudience(user);
    const { audience, isDone } = sending.next(found, budget.left());
    budget.spend(audience.length);
    if (isDone) waiting.delete(user);
    if (audience.length > 0)
      needs.deliver([{ audience, update: { userStatus: { userId: user, status: status ?? {} } } }]);
  };
  const later = pausing(needs.schedule, waiting, () => void sendAll());
  /** Nobody else would tell of it, until the next change. */
  const putOff =
    (some: readonly Sending[]) =>
    (error: unknown): void => {
      for (const sending of some) {
        waiting.delete(sending.user);
        if (sending.mayTryAgain()) later.add(sending);
      }
      needs.failed(error);
    };
  const sendOrPutOff = (sending: Sending, status: UserStatusInit | undefined): Promise<void> =>
    sendTo(sending, status).catch(putOff([sending]));
  const sendSome = async (): Promise<void> => {
    const some = [...waiting.values()].slice(0, lookUpsMax);
    try {
      const statuses = await needs.statusOf(some.map(({ user }) => user));
      const [first, ...others] = some.map((sending, index) => () => sendOrPutOff(sending, statuses[index]));
      await first?.();
      // Their audiences are of no use in a tick that the first has used up.
      if (budget.left() > 0) await Promise.all(others.map((send) => send()));
    } catch (error) {
      putOff(some)(error);
    }
  };
  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    while (waiting.size > 0) {
      await budget.renewed();
      await sendSome();
    }
    isSending = false;
  };

  return {
    send: (user: UserId): void => {
      const sending = waiting.get(user);
      if (sending === undefined) waiting.set(user, new Sending(user));
      else sending.renew();
      void sendAll();
    },
    close: (): void => {
      waiting.clear();
      later.close();
      budget.close();
    },
  };
};

/** Those that could not be sent wait again once their pause is over, unless a newer one does, which says more. */
const pausing = (schedule: Schedule, waiting: Map<UserId, Sending>, over: () => void) => {
  const pauses = new Set<() => void>();
  return {
    add: (sending: Sending): void => {
      const stop = schedule(againMillis, () => {
        pauses.delete(stop);
        if (!waiting.has(sending.user)) waiting.set(sending.user, sending);
        over();
      });
      pauses.add(stop);
    },
    close: (): void => {
      for (const stop of pauses) stop();
      pauses.clear();
    },
  };
};

/** One status on its way to its audience, in as many ticks as that takes. */
class Sending {
  readonly user: UserId;
  /** The recipients, and which status each was sent. Those that were sent one last are at the end. */
  readonly #sent = new Map<UserId, number>();
  #status = 0;
  #tries = 0;

  constructor(user: UserId) {
    this.user = user;
  }

  /** One more try has failed. */
  mayTryAgain(): boolean {
    this.#tries += 1;
    return this.#tries < triesMax;
  }

  /** There is a newer status: all of the audience are sent it, those first who were sent none. */
  renew(): void {
    this.#status += 1;
  }

  /** The next recipients, `most` of them at most. Done: these were the last. */
  next(
    audience: ReadonlySet<UserId>,
    most: number,
  ): { readonly audience: readonly UserId[]; readonly isDone: boolean } {
    const missing = [
      ...[...audience].filter((one) => !this.#sent.has(one)),
      ...[...this.#sent].flatMap(([one, status]) => (status < this.#status && audience.has(one) ? [one] : [])),
    ];
    const next = missing.slice(0, most);
    for (const one of next) {
      this.#sent.delete(one);
      this.#sent.set(one, this.#status);
    }
    return { audience: next, isDone: next.length === missing.length };
  }
}

/** The recipients who may be sent something in the present tick. */
const tickBudget = (schedule: Schedule) => {
  let left = recipientsPerTickMax;
  let stop: (() => void) | undefined;
  let renew: (() => void) | undefined;
  const tick = (): void => {
    left = recipientsPerTickMax;
    stop = undefined;
    renew?.();
    renew = undefined;
  };
  return {
    left: () => left,
    spend: (recipients: number): void => {
      if (recipients === 0) return;
      left -= recipients;
      stop ??= schedule(tickMillis, tick);
    },
    /** Resolves when something is left; at once if it is. */
    renewed: (): Promise<void> =>
      left > 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            renew = resolve;
          }),
    close: (): void => {
      stop?.();
      tick();
    },
  };
};
