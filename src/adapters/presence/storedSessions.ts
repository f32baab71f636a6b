import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Activity, SessionPresence, StatedPresence, Status } from '../../kernel/ports/presence.js';
import { parsedJson } from '../../kernel/json.js';

/** JSON has no 64-bit numbers. */
type StoredActivity = Omit<Activity, 'startTime' | 'endTime'> & {
  readonly startTime: string;
  readonly endTime?: string;
};
type StoredSession = {
  readonly session: string;
  readonly status: Status;
  readonly activities: readonly StoredActivity[];
  readonly lastActive: number;
};
type StoredStatement = Omit<StoredSession, 'lastActive'> & { readonly at: number };

/** The text that stands for a user's sessions at one node. Empty for no sessions. */
export const encoded = (sessions: ReadonlyMap<SessionId, SessionPresence> | undefined): string => {
  if (sessions === undefined) return '';
  const stored = [...sessions.values()].map(({ session, status, activities, lastActive }): StoredSession => ({
    session: session.toString(),
    status,
    activities: activities.map(storedActivity),
    lastActive,
  }));
  return JSON.stringify(stored);
};

/** The way back; never throws. */
export const decoded = (user: UserId, text: string): readonly SessionPresence[] => {
  try {
    // Written by `encoded` on another node.
    return (parsedJson(text) as unknown as readonly StoredSession[]).map(
      ({ session, status, activities, lastActive }) => ({
        user,
        session: BigInt(session) as SessionId,
        status,
        activities: activities.map(readActivity),
        lastActive: lastActive as Millis,
      }),
    );
  } catch {
    // A node of another version has written it. To this one its users are away.
    return [];
  }
};

/** The text that stands for what a session said. */
export const encodedStatement = ({ session, status, activities, at }: StatedPresence): string => {
  const stored: StoredStatement = {
    session: session.toString(),
    status,
    activities: activities.map(storedActivity),
    at,
  };
  return JSON.stringify(stored);
};

/** The way back; never throws. */
export const decodedStatement = (user: UserId, text: string): StatedPresence | undefined => {
  try {
    // Written by `encodedStatement` on another node.
    const { session, status, activities, at } = parsedJson(text) as unknown as StoredStatement;
    return {
      user,
      session: BigInt(session) as SessionId,
      status,
      activities: activities.map(readActivity),
      at: at as Millis,
    };
  } catch {
    return undefined;
  }
};

const storedActivity = ({ startTime, endTime, ...activity }: Activity): StoredActivity => ({
  ...activity,
  startTime: startTime.toString(),
  ...(endTime === undefined ? {} : { endTime: endTime.toString() }),
});

const readActivity = ({ startTime, endTime, ...activity }: StoredActivity): Activity => ({
  ...activity,
  startTime: BigInt(startTime),
  ...(endTime === undefined ? {} : { endTime: BigInt(endTime) }),
});

/** A session that has moved is at two nodes for a moment. */
export const newest = (
  here: readonly SessionPresence[],
  elsewhere: readonly SessionPresence[],
): readonly SessionPresence[] => {
  if (elsewhere.length === 0) return here;
  const sessions = new Map<SessionId, SessionPresence>();
  for (const presence of [...here, ...elsewhere]) {
    const other = sessions.get(presence.session);
    if (other === undefined || other.lastActive < presence.lastActive) sessions.set(presence.session, presence);
  }
  return [...sessions.values()];
};
