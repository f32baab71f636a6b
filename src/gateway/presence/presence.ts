import {
  type UserStatusActivityInit,
  type UserStatusInit,
  UserStatusActivityType,
  UserStatusStatus,
} from '../../gen/types.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Activity, Presence, SessionPresence } from '../../kernel/ports/presence.js';
import type { PubSub } from '../../kernel/ports/pubSub.js';
import type { Clock } from '../../kernel/ports/system.js';
import { isValueOf } from '../../wire/codec.js';
import { serialQueues } from '../../kernel/serialQueue.js';
import type { Schedule } from './schedule.js';
import type { StatusOf } from '../rendering/user.js';
import type { Caller } from '../contract/call.js';
import type { Session } from '../sessions/session.js';
import { keepAgainMillis, presentSessions, type PresenceChange } from './presentSessions.js';
import { statusUpdates, type StatusUpdatesNeeds } from './statusUpdates.js';
import type { Statuses } from './statuses.js';
import { visibilityChoices, type VisibilityNeeds } from './visibility.js';

export type PresenceNeeds = VisibilityNeeds &
  Omit<StatusUpdatesNeeds, 'statusOf'> & {
    readonly presence: Presence;
    readonly pubSub: PubSub;
    readonly clock: Clock;
    readonly statuses: Pick<Statuses, 'changed'>;
  };

/** The status that others see of each user; `undefined` for a user who is offline, or wants to look it. */
export const statusReader =
  (presence: Pick<Presence, 'of'>): StatusOf =>
  async (users) =>
    (await presence.of(users)).map(shown);

/** The users who are online, as this node says and hears it. */
export interface Presences {
  /** The session's first connection has come, its last one has gone. */
  came(this: void, caller: Caller): void;
  went(this: void, caller: Caller): void;
  /** Of a session that has no connection any more it is only kept what it said. */
  changeStatus(this: void, caller: Caller, change: PresenceChange): Promise<void>;
  /** Sends on all nodes the status shown of these users now: it changed without anybody saying so. */
  changedElsewhere(this: void, users: readonly UserId[]): Promise<void>;
  /** Hears the other nodes, and keeps the times at which sessions were last active. */
  start(sessions: () => Iterable<Session>): Promise<void>;
  /** The node stops: sessions that go from now on are shown on, for they are expected back. */
  stopping(this: void): void;
  close(): Promise<void>;
}

/** How often the time a session was last active is entered. */
export const activeMillis = 60_000;

const topic = 'presence';

export const presences = (needs: PresenceNeeds): Presences => {
  const { presence, pubSub, clock, schedule: later, failed } = needs;
  // The work for one user is done in order: otherwise an older status could be sent last.
  const queues = serialQueues();
  const inTurn = (user: UserId, work: () => Promise<void>): Promise<void> => queues.run(user.toString(), work);
  const choices = visibilityChoices(needs);
  const updates = statusUpdates({ ...needs, statusOf: statusReader(presence) });
  const { came, went, changeStatus, stopping, keepAll } = presentSessions({
    ...needs,
    choices,
    changing: (user, change) =>
      inTurn(user, async () => {
        const [before = []] = await presence.of([user]);
        await change(before);
        const [after = []] = await presence.of([user]);
        if (!isSame(shown(before), shown(after))) await pubSub.publish(topic, messageOf(user));
      }),
  });
  let stop = (): Promise<void> => Promise.resolve();

  const hear = (message: Uint8Array): void => {
    const user = userOf(message);
    if (user === undefined) return;
    needs.statuses.changed(user);
    updates.changed(user);
  };

  return {
    came,
    went,
    changeStatus,
    stopping,
    changedElsewhere: async (users) => {
      await Promise.all(users.map((user) => pubSub.publish(topic, messageOf(user))));
    },
    start: async (sessions) => {
      const unsubscribe = await pubSub.subscribe(topic, hear);
      const stopTouching = each(activeMillis, later, () => {
        for (const active of activeIn(sessions(), clock.now())) {
          inTurn(active.user, () => touch(presence, active)).catch(failed);
        }
      });
      const stopKeeping = each(keepAgainMillis, later, () => void keepAll().catch(failed));
      stop = async () => {
        stopTouching();
        stopKeeping();
        await unsubscribe();
      };
    },
    close: async () => {
      stopping();
      updates.close();
      await Promise.all([stop(), choices.close(), keepAll().catch(failed)]);
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

type ShownStatus = Omit<UserStatusInit, 'activities'> & { readonly activities: readonly UserStatusActivityInit[] };

// The best of the sessions. One that is invisible adds nothing: no client ever learns that a user is invisible.
const shown = (sessions: readonly SessionPresence[]): ShownStatus | undefined => {
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

/** Asked with each request to change a status: field by field this takes a tenth of the time that two texts take. */
const isSame = (one: ShownStatus | undefined, other: ShownStatus | undefined): boolean => {
  const [some, others] = [one?.activities ?? [], other?.activities ?? []];
  return (
    one?.status === other?.status &&
    some.length === others.length &&
    some.every((activity, at) => activityFields.every((name) => activity[name] === others[at]?.[name]))
  );
};
const activityTable: Readonly<Record<keyof UserStatusActivityInit, true>> = {
  title: true,
  type: true,
  startTime: true,
  endTime: true,
  state: true,
};
// The keys of the table are these names, and nothing else.
const activityFields = Object.keys(activityTable) as readonly (keyof UserStatusActivityInit)[];

const messageOf = (user: UserId): Uint8Array => Buffer.from(user.toString());
const userOf = (message: Uint8Array): UserId | undefined => {
  const text = Buffer.from(message).toString();
  return /^\d{1,20}$/.test(text) ? (BigInt(text) as UserId) : undefined;
};
