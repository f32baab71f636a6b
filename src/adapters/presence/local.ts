import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { returnMillisMax, type Presence, type SessionPresence } from '../../kernel/ports/presence.js';
import type { Clock } from '../../kernel/ports/system.js';
import { keptStatements, type KeptStatements } from './keptStatements.js';
import type { SavedPresence } from './presenceFile.js';

export type LocalPresenceNeeds = {
  readonly timers: Timers;
  readonly clock: Clock;
  /** The presence that the process before left behind. */
  readonly saved?: SavedPresence | undefined;
  /** Takes what there is when the process stops, for the next one. Default: nothing is handed on. */
  readonly save?: (saved: SavedPresence) => Promise<void>;
  /** Called with an error of `save`, or one that the listener of `watch` throws. */
  readonly onError: (error: unknown) => void;
};

export interface LocalPresence extends Presence {
  /** Calls the listener with the users of the process before who have not come back in time. */
  watch(this: void, listener: (users: readonly UserId[]) => void | Promise<void>): void;
}

/** A process that began later than this after the one before takes nobody for connected because of that one. */
export const stoppedMillisMax = 60_000;

/** The sessions that are connected to this process, and for a while those that were to the one before. */
export const localPresence = ({ timers, clock, saved, save, onError }: LocalPresenceNeeds): LocalPresence => {
  const users = sessionsByUser();
  const statements = keptStatements(timers.now);
  const returning = new Map<SessionId, UserId>();
  let listener: (users: readonly UserId[]) => void | Promise<void> = () => undefined;

  if (saved !== undefined) takeOver(saved, clock.now(), { statements, returning, put: users.put });
  const giveUp = async (): Promise<void> => {
    const missing = new Set(returning.values());
    for (const [session, user] of returning) users.remove(user, session);
    returning.clear();
    if (missing.size > 0) await listener([...missing]);
  };
  const stop = returning.size === 0 ? undefined : timers.later(returnMillisMax, () => void giveUp().catch(onError));

  return {
    watch: (other) => {
      listener = other;
    },
    put: (presence) => {
      returning.delete(presence.session);
      users.put(presence);
      return Promise.resolve();
    },
    remove: (user, session) => {
      returning.delete(session);
      users.remove(user, session);
      return Promise.resolve();
    },
    of: (wanted) => Promise.resolve(wanted.map(users.of)),
    keep: (stated) => {
      statements.keep(stated);
      return Promise.resolve();
    },
    kept: (_, session) => Promise.resolve(statements.of(session)),
    close: async () => {
      stop?.();
      const left = { at: clock.now(), sessions: users.all(), statements: [...statements.all()] };
      users.clear();
      statements.clear();
      await save?.(left).catch(onError);
    },
  };
};

type TakingOver = {
  readonly statements: KeptStatements;
  readonly returning: Map<SessionId, UserId>;
  readonly put: (presence: SessionPresence) => void;
};

const takeOver = (saved: SavedPresence, now: Millis, { statements, returning, put }: TakingOver): void => {
  // A wall clock that was set back makes it younger than it is, never older.
  const age = Math.max(0, now - saved.at);
  for (const [stated, millis] of saved.statements) if (millis > age) statements.keep(stated, millis - age);
  if (age > stoppedMillisMax) return;
  for (const presence of saved.sessions) {
    returning.set(presence.session, presence.user);
    put(presence);
  }
};

/** Lists, because nearly everybody has one session or two, for which a Map would take a multiple of the memory. */
const sessionsByUser = () => {
  const users = new Map<UserId, readonly SessionPresence[]>();
  const others = (user: UserId, session: SessionId): readonly SessionPresence[] =>
    users.get(user)?.filter((known) => known.session !== session) ?? [];
  return {
    of: (user: UserId): readonly SessionPresence[] => users.get(user) ?? [],
    all: (): readonly SessionPresence[] => [...users.values()].flat(),
    put: (presence: SessionPresence): void => {
      users.set(presence.user, [...others(presence.user, presence.session), presence]);
    },
    remove: (user: UserId, session: SessionId): void => {
      const left = others(user, session);
      if (left.length > 0) users.set(user, left);
      else users.delete(user);
    },
    clear: (): void => {
      users.clear();
    },
  };
};
