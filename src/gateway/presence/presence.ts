import {
  type UserStatusActivityInit,
  type UserStatusInit,
  UserStatusActivityType,
  UserStatusStatus,
} from '../../gen/types.js';
import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Activity, Presence, SessionPresence, Status } from '../../kernel/ports/presence.js';
import type { PubSub, Unsubscribe } from '../../kernel/ports/pubSub.js';
import type { Clock } from '../../kernel/ports/system.js';
import { isValueOf } from '../../wire/codec.js';
import { serialQueues } from '../../kernel/serialQueue.js';
import type { Hub } from '../sessions/hub.js';
import type { Schedule } from './schedule.js';
import type { StatusOf } from '../rendering/user.js';
import type { Caller } from '../contract/call.js';
import type { Session } from '../sessions/session.js';
import type { Statuses } from './statuses.js';
import type { Access } from '../contract/viewerPermissions.js';

export type PresenceNeeds = {
  readonly presence: Presence;
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly access: Pick<Access, 'seeing'>;
  readonly deliver: Hub['deliver'];
  readonly statuses: Pick<Statuses, 'changed'>;
  readonly failed: (error: unknown) => void;
};

/** The status that others see of each user; `undefined` for a user who is offline, or wants to look it. */
export const statusReader =
  (presence: Pick<Presence, 'of'>): StatusOf =>
  async (users) =>
    (await presence.of(users)).map(shown);

export type PresenceChange = { readonly status: Status; readonly activities: readonly Activity[] };

/** The users who are online, as this node says and hears it. */
export interface Presences {
  /** The session's first connection has come, its last one has gone. */
  came(caller: Caller): void;
  went(caller: Caller): void;
  changeStatus(this: void, caller: Caller, change: PresenceChange): Promise<void>;
  /** Sends on all nodes the status shown of these users now: it changed without anybody saying so. */
  changedElsewhere(this: void, users: readonly UserId[]): Promise<void>;
  /** Hears the other nodes, and keeps the times at which sessions were last active. */
  start(sessions: () => Iterable<Session>): Promise<void>;
  close(): Promise<void>;
}

/** A session that comes back within this time was never away. */
export const reconnectMillisMax = 2_000;

/** How often the time a session was last active is entered. */
export const activeMillis = 60_000;

const topic = 'presence';
const noActivities: readonly Activity[] = [];

export const presences = (needs: PresenceNeeds): Presences => {
  const { presence, pubSub, clock, schedule: later, failed } = needs;
  const leaving = new Map<SessionId, () => void>();
  // The work for one user is done in order: otherwise an older status could be sent last.
  const queues = serialQueues();
  const inTurn = (user: UserId, work: () => Promise<void>): Promise<void> => queues.run(user.toString(), work);
  let unsubscribe: Unsubscribe | undefined;
  let stopTouching = (): void => undefined;

  const statusOf = statusReader(presence);
  const shownOf = async (user: UserId): Promise<UserStatusInit | undefined> => (await statusOf([user]))[0];

  const changing = (user: UserId, change: () => Promise<void>): Promise<void> =>
    inTurn(user, async () => {
      const before = await shownOf(user);
      await change();
      if (!isSame(before, await shownOf(user))) await pubSub.publish(topic, messageOf(user));
    });

  const hear = (message: Uint8Array): void => {
    const user = userOf(message);
    if (user !== undefined) inTurn(user, () => tell(needs, user, shownOf)).catch(failed);
  };

  return {
    came: (caller) => {
      const stay = leaving.get(caller.session);
      leaving.delete(caller.session);
      if (stay !== undefined) {
        stay();
        return;
      }
      // Field by field: spread, each would be of a shape of its own, which is another 300 bytes for every session.
      const { user, session } = caller;
      const lastActive = clock.now();
      const entry: SessionPresence = { user, session, status: 'online', activities: noActivities, lastActive };
      changing(user, () => presence.put(entry)).catch(failed);
    },
    went: (caller) => {
      const leave = (): void => {
        leaving.delete(caller.session);
        changing(caller.user, () => presence.remove(caller.user, caller.session)).catch(failed);
      };
      leaving.set(caller.session, later(reconnectMillisMax, leave));
    },
    changeStatus: (caller, change) =>
      changing(caller.user, () => presence.put({ ...caller, ...change, lastActive: clock.now() })),
    changedElsewhere: async (users) => {
      await Promise.all(users.map((user) => pubSub.publish(topic, messageOf(user))));
    },
    start: async (sessions) => {
      unsubscribe = await pubSub.subscribe(topic, hear);
      stopTouching = each(activeMillis, later, () => {
        for (const active of activeIn(sessions(), clock.now())) {
          inTurn(active.user, () => touch(presence, active)).catch(failed);
        }
      });
    },
    close: async () => {
      stopTouching();
      for (const stay of leaving.values()) stay();
      leaving.clear();
      await unsubscribe?.();
    },
  };
};

type Active = Caller & { readonly lastActive: Millis };

/** The sessions from which something came since the last look. */
const activeIn = (sessions: Iterable<Session>, now: Millis): readonly Active[] => {
  const active: Active[] = [];
  for (const { caller, connections } of sessions) {
    const silentMillis = performance.now() - Math.max(...connections.map(({ heardAt }) => heardAt));
    if (silentMillis < activeMillis) active.push({ ...caller, lastActive: Math.round(now - silentMillis) as Millis });
  }
  return active;
};

const touch = async (presence: Presence, { user, session, lastActive }: Active): Promise<void> => {
  const [sessions = []] = await presence.of([user]);
  const entry = sessions.find((one) => one.session === session);
  if (entry !== undefined) await presence.put({ ...entry, lastActive });
};

/** Again and again, until the answer is called. */
const each = (millis: number, later: Schedule, work: () => void): (() => void) => {
  const again = (): void => {
    work();
    stop = later(millis, again);
  };
  let stop = later(millis, again);
  return () => {
    stop();
  };
};

const tell = async (
  { access, deliver, statuses }: PresenceNeeds,
  user: UserId,
  shownOf: (user: UserId) => Promise<UserStatusInit | undefined>,
): Promise<void> => {
  statuses.changed(user);
  const audience = await access.seeing(user);
  const status = (await shownOf(user)) ?? {};
  deliver([{ audience, update: { userStatus: { userId: user, status } } }]);
};

// The best of the sessions. One that is invisible adds nothing: no client ever learns that a user is invisible.
const shown = (sessions: readonly SessionPresence[]): UserStatusInit | undefined => {
  const best = sessions.find(({ status }) => status === 'online') ?? sessions.find(({ status }) => status === 'idle');
  if (best === undefined) return undefined;
  const status = best.status === 'online' ? UserStatusStatus.ONLINE : UserStatusStatus.IDLE;
  const activities = sessions
    .filter((session) => session.status !== 'invisible')
    .flatMap((session) => session.activities);
  return { status, activities: activities.filter(isKnown).slice(0, activitiesShownMax) };
};

const isKnown = (activity: Activity): activity is Activity & UserStatusActivityInit =>
  isValueOf(UserStatusActivityType, activity.type);

/** Of all sessions of a user together. */
export const activitiesShownMax = 10;

const isSame = (one: UserStatusInit | undefined, other: UserStatusInit | undefined): boolean =>
  asText(one) === asText(other);
const asText = (status: UserStatusInit | undefined): string =>
  status === undefined
    ? ''
    : JSON.stringify(status, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const messageOf = (user: UserId): Uint8Array => Buffer.from(user.toString());
const userOf = (message: Uint8Array): UserId | undefined => {
  const text = Buffer.from(message).toString();
  return /^\d{1,20}$/.test(text) ? (BigInt(text) as UserId) : undefined;
};
