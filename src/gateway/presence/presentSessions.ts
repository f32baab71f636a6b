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
    const entered = entering(() => changing(caller.user, (sessions) => enter(needs, place, { sessions, ...caller })));
    entered.catch((error: unknown) => {
      failed(error);
      const again = (): void => {
        if (here.has(caller.session) && !isStopping) enterSoon(caller);
      };
      if (!isStopping) schedule(enterAgainMillis, again);
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
    changeStatus: (caller, change) =>
      changing(caller.user, (sessions) => state(needs, place, { sessions, ...caller }, change)),
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

/** A session, with all of its user's, on all nodes. */
type Among = Caller & { readonly sessions: readonly SessionPresence[] };

/** Everything known of a session is read before anything is shown of it. */
const enter = async (needs: PresentSessionsNeeds, { here, stated }: Place, among: Among): Promise<void> => {
  const { presence, choices, clock, failed } = needs;
  const { user, session } = among;
  if (!here.has(session)) return;
  const { last, chosen, chosenAt = 0 } = await statementOf(needs, among);
  if (last !== undefined) {
    stated.set(session, last);
    // The node that it comes from may have died before it had written the choice.
    const visibility = visibilityIn(last);
    if (visibility !== chosen && last.at > chosenAt)
      choices.choose({ user, session, visibility, at: last.at }).catch(failed);
  }
  const { status = 'online', activities = noActivities } = last ?? {};
  // Field by field: spread, each would be of a shape of its own, which is another 300 bytes for every session.
  const entry: SessionPresence = { user, session, status, activities, lastActive: clock.now() };
  await presence.put(entry);
};

const state = async (
  needs: PresentSessionsNeeds,
  { here, stated }: Place,
  among: Among,
  { status, activities }: PresenceChange,
): Promise<void> => {
  const { presence, choices, clock } = needs;
  const { user, session } = among;
  const before = stated.get(session);
  const { last, chosen } =
    before === undefined ? await statementOf(needs, among) : { last: before, chosen: visibilityIn(before) };
  // Later than the one before, also where the clock was set back: the latest is what counts.
  const at = Math.max(clock.now(), (last?.at ?? 0) + 1) as Millis;
  const said: StatedPresence = { user, session, status, activities, at };
  if (visibilityIn(said) !== chosen) await choices.choose({ user, session, visibility: visibilityIn(said), at });
  await presence.keep(said);
  // The session may have gone before its request was carried out, and nobody would remove its entry.
  if (!here.has(session)) return;
  stated.set(session, said);
  await presence.put({ user, session, status, activities, lastActive: clock.now() });
};

const visibilityIn = ({ status }: StatedPresence): Visibility => (status === 'invisible' ? 'invisible' : 'visible');

/** `chosen`: whether the session wants to be seen, as the log has it or will have it. */
type Statement = {
  readonly last: StatedPresence | undefined;
  readonly chosen: Visibility;
  readonly chosenAt?: Millis | undefined;
};

/** The last statement of a session: here, on another node, or before a restart. */
const statementOf = async (
  { choices, presence }: Pick<PresentSessionsNeeds, 'choices' | 'presence'>,
  { user, session, sessions }: Among,
): Promise<Statement> => {
  const [kept, { visibility: chosen, at: chosenAt }] = await Promise.all([
    presence.kept(user, session),
    choices.of(session),
  ]);
  const elsewhere = sessions.find((one) => one.session === session);
  const { status = 'online', activities = noActivities } = kept ?? elsewhere ?? {};
  const at = chosenAt ?? kept?.at ?? (0 as Millis);
  // A choice may be newer than what is kept, or nothing may be kept any more.
  if (chosenAt !== undefined && (kept === undefined || kept.at < chosenAt)) {
    const isHidden = chosen === 'invisible' || elsewhere?.status === 'invisible';
    return { last: { user, session, status: isHidden ? 'invisible' : seen(status), activities, at }, chosen, chosenAt };
  }
  return { last: kept ?? (elsewhere && { user, session, status, activities, at }), chosen, chosenAt };
};

const seen = (status: Status): Status => (status === 'invisible' ? 'online' : status);
