import { boundedMap } from '../../kernel/boundedMap.js';
import type { Position } from '../../kernel/event.js';
import type { SessionId } from '../../kernel/ids.js';
import { closeCode } from '../contract/closeCodes.js';
import { recipientIndex, broadcast } from './broadcast.js';
import { roster, type RosterNeeds } from './roster.js';
import type { Caller } from '../contract/call.js';
import type { Delivery } from '../contract/updates.js';
import type { Listener, Session, Standpoint } from './session.js';

/** The users connected to this node, and the way to send them updates. */
export interface Hub {
  /**
   * The connection belongs to this session from here on, and is sent everything from the event after the one that the
   * fan-out is at. Resolves once all that its user may see is in memory. `from` is where the connection stood before. A
   * connection that was of another session leaves that one. One whose session was revoked meanwhile is closed.
   */
  join(connection: Listener, caller: Caller, from: Standpoint): Promise<void>;
  leave(this: void, connection: Listener): void;
  /** Sends in order. `position` is that of the event; ephemeral updates have none. Counts deliveries. */
  deliver(this: void, told: Iterable<Delivery>, position?: Position): number;
  /** A revoked session is never joined again, even by a request that checked its token just before. */
  revoked(session: SessionId): void;
  /** Whether the session was revoked lately: one of the last `revocationsMax`, by an event that the fan-out came to. */
  isRevoked(this: void, session: SessionId): boolean;
  /** As of the roster. */
  makeRoom(this: void): boolean;
  sessions(this: void): Iterable<Session>;
  users(this: void): number;
}

export type HubNeeds = Omit<RosterNeeds, 'changed'> & {
  readonly alarm: (message: string, details: object) => void;
};

/** Revocations are remembered for those who are just being authorized, and for requests that wait for their turn. */
export const revocationsMax = 10_000;

export const hub = ({ alarm, ...needs }: HubNeeds): Hub => {
  const here = roster({
    ...needs,
    changed: () => {
      audience.changed();
    },
  });
  const audience = recipientIndex(here.users);
  const revocations = boundedMap<SessionId, true>({ entriesMax: revocationsMax });

  const revoked = (id: SessionId): void => {
    revocations.set(id, true);
    for (const connection of [...(here.sessions.get(id)?.connections ?? [])]) {
      // In this order: a connection that is closing is not made one without a session, which may send less.
      connection.closeSoon(closeCode.policyViolation);
      here.leave(connection);
    }
  };

  return {
    revoked,
    isRevoked: (id) => revocations.has(id),
    leave: here.leave,
    makeRoom: here.makeRoom,
    users: () => here.users.size,
    sessions: () => here.sessions.values(),
    join: async (connection, caller, from) => {
      // It closed while its token was checked. Nobody would ever take it out again.
      if (connection.gone) return;
      const known = connection.session?.caller.session === caller.session ? here.users.get(caller.user) : undefined;
      if (known === undefined) here.leave(connection);
      const present = known ?? here.enter(connection, caller, from);
      try {
        await present.loaded;
      } catch (error) {
        here.leave(connection);
        throw error;
      }
      if (revocations.has(caller.session)) revoked(caller.session);
      here.listen(connection, caller, present);
    },
    deliver: (told, position) => {
      let deliveries = 0;
      for (const item of told) {
        deliveries += broadcast(audience.of(item.audience), item, { position, here: here.users, alarm });
        if (item.closes !== undefined) revoked(item.closes);
      }
      return deliveries;
    },
  };
};
