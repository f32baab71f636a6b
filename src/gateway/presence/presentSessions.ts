import pLimit from 'p-limit';
import type { Visibility } from '../../domain/visibility/commands.js';
import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import {
  statedMillisMax,
  type Activity,
  type Presence,
  type SessionPresence,
  type StatedPresence,
  type Status,
} from '../../kernel/ports/presence.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Caller } from '../contract/call.js';
import type { Schedule } from './schedule.js';
import type { VisibilityChoices } from './visibility.js';

export type PresenceChange = { readonly status: Status; readonly activities: readonly Activity[] };

export type PresentSessionsNeeds = {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly choices: Pick<VisibilityChoices, 'choose' | 'of'>;
  /** Does the work after all earlier work for the user, with the user's sessions on all nodes, and tells what changed. */
  readonly changing: (user: UserId, change: (sessions: readonly SessionPresence[]) => Promise<void>) => Promise<void>;
  readonly failed: (error: unknown) => void;
};

/** The sessions that have a connection to this node, or had one until a moment ago, and what they said. */
export interface PresentSessions {
  came(this: void, caller: Caller): void;
  went(this: void, caller: Caller): void;
  changeStatus(this: void, caller: Caller, change: PresenceChange): Promise<void>;
  /** From now on sessions that go are shown on, for they are expected back. */
  stopping(this: void): void;
  /** Keeps again what they said. */
  keepAll(this: void): Promise<void>;
}

/** A session that comes back within this time was never away. */
export const reconnectMillisMax = 2_000;

/** How often it is kept again what connected sessions said: a node that dies cannot do so in the end. */
export const keepAgainMillis = statedMillisMax / 2;

/** Sessions that are looked up at the same time when many come at once. */
export const enteringMax = 32;

/** After this time a session that could not be looked up is looked up again. */
export const enterAgainMillis = 2_000;

const noActivities: readonly Activity[] = [];

export const presentSessions = (needs: PresentSessionsNeeds): PresentSessions => {
  const { presence, schedule, changing, failed } = needs;
  const place: Place = { here: new Set(), stated: new Map() };
  const { here, stated } = place;
  const leaving = new Map<SessionId, () => void>();
  const entering = pLimit(enteringMax);
  let isStopping = false;

  const enterSoon = (caller: Caller): void => {
    const entered = entering(() => changing(caller.user, (sessions) => enter(needs, place, caller, sessions)));
    entered.catch((error: unknown) => {
      failed(error);
      const again = (): void => {
        enterSoon(caller);
      };
      if (here.has(caller.session) && !isStopping) schedule(enterAgainMillis, again);
    });
  };
  const leave = ({ user, session }: Caller): void => {
    leaving.delete(session);
    here.delete(session);
    changing(user, async () => {
      if (!here.has(session)) stated.delete(session);
      await presence.remove(user, session);
    }).catch(failed);
  };

  return {
    came: (caller) => {
      const stay = leaving.get(caller.session);
      leaving.delete(caller.session);
      here.add(caller.session);
      if (stay === undefined) enterSoon(caller);
      else stay();
    },
    went: (caller) => {
      // At once: the session may come back to another node.
      const said = stated.get(caller.session);
      if (said !== undefined) presence.keep(said).catch(failed);
      if (isStopping) return;
      const stay = schedule(reconnectMillisMax, () => {
        leave(caller);
      });
      leaving.set(caller.session, stay);
    },
    changeStatus: (caller, change) => changing(caller.user, () => state(needs, place, caller, change)),
    stopping: () => {
      isStopping = true;
      for (const stay of leaving.values()) stay();
      leaving.clear();
      entering.clearQueue();
    },
    keepAll: async () => {
      // Some at a time, so that Redis is not asked for everything at once.
      const limited = pLimit(enteringMax);
      await Promise.all(Array.from(stated.values(), (said) => limited(() => presence.keep(said))));
    },
  };
};

type Place = { readonly here: Set<SessionId>; readonly stated: Map<SessionId, StatedPresence> };

/** Everything known of a session is read before anything is shown of it. */
const enter = async (
  { presence, choices, clock }: PresentSessionsNeeds,
  { here, stated }: Place,
  caller: Caller,
  sessions: readonly SessionPresence[],
): Promise<void> => {
  const { user, session } = caller;
  if (!here.has(session)) return;
  const known = await statementOf({ choices, presence, sessions }, caller);
  if (known !== undefined) stated.set(session, known);
  const { status = 'online', activities = noActivities } = known ?? {};
  // Field by field: spread, each would be of a shape of its own, which is another 300 bytes for every session.
  const entry: SessionPresence = { user, session, status, activities, lastActive: clock.now() };
  await presence.put(entry);
};

const state = async (
  { presence, choices, clock }: PresentSessionsNeeds,
  { here, stated }: Place,
  { user, session }: Caller,
  { status, activities }: PresenceChange,
): Promise<void> => {
  const said: StatedPresence = { user, session, status, activities, at: clock.now() };
  const [wanted, before] = [visibilityIn(said), visibilityIn(stated.get(session))];
  if (!here.has(session) || wanted !== before) {
    await choices.choose({ user, session, visibility: wanted, at: said.at });
  }
  await presence.keep(said);
  // The session may have gone before its request was carried out, and nobody would remove its entry.
  if (!here.has(session)) return;
  stated.set(session, said);
  await presence.put({ user, session, status, activities, lastActive: said.at });
};

const visibilityIn = (said: StatedPresence | undefined): Visibility =>
  said?.status === 'invisible' ? 'invisible' : 'visible';

type StatementNeeds = {
  readonly choices: Pick<VisibilityChoices, 'of'>;
  readonly presence: Pick<Presence, 'kept'>;
  /** Those of the user, on all nodes. */
  readonly sessions: readonly SessionPresence[];
};

/** The last statement of a session that comes: here, on another node, or before a restart. `undefined`: nothing. */
const statementOf = async (
  { choices, presence, sessions }: StatementNeeds,
  { user, session }: Caller,
): Promise<StatedPresence | undefined> => {
  const [kept, chosen] = await Promise.all([presence.kept(user, session), choices.of(session)]);
  const elsewhere = sessions.find((one) => one.session === session);
  const { status = 'online', activities = noActivities } = kept ?? elsewhere ?? {};
  const at = chosen.at ?? kept?.at ?? (0 as Millis);
  // A choice may be newer than what is kept, or nothing may be kept any more.
  if (chosen.at !== undefined && (kept === undefined || kept.at < chosen.at)) {
    const isHidden = chosen.visibility === 'invisible' || elsewhere?.status === 'invisible';
    return { user, session, status: isHidden ? 'invisible' : seen(status), activities, at };
  }
  return kept ?? (elsewhere && { user, session, status, activities, at });
};

const seen = (status: Status): Status => (status === 'invisible' ? 'online' : status);
