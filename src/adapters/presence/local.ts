import type { SessionId, UserId } from '../../kernel/ids.js';
import type { Presence, SessionPresence } from '../../kernel/ports/presence.js';

/** The sessions that are connected to this process. */
export const localPresence = (): Presence => {
  // Lists, because nearly everybody has one session or two, for which a Map would take a multiple of the memory.
  const users = new Map<UserId, readonly SessionPresence[]>();
  const others = (user: UserId, session: SessionId): readonly SessionPresence[] =>
    users.get(user)?.filter((known) => known.session !== session) ?? [];
  return {
    put: (presence) => {
      users.set(presence.user, [...others(presence.user, presence.session), presence]);
      return Promise.resolve();
    },
    remove: (user, session) => {
      const left = others(user, session);
      if (left.length > 0) users.set(user, left);
      else users.delete(user);
      return Promise.resolve();
    },
    of: (wanted) => Promise.resolve(wanted.map((user) => users.get(user) ?? [])),
    close: () => {
      users.clear();
      return Promise.resolve();
    },
  };
};
