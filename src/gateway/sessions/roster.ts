import pLimit from 'p-limit';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { Caller } from '../contract/call.js';
import { Standpoint, type Listener, type Session } from './session.js';
import type { UpdateRenderer } from '../contract/updateView.js';

/** A user with a connection to this node. */
export type Present = {
  readonly user: UserId;
  /** Settles when the renderer has loaded what the user may see. */
  readonly loaded: Promise<void>;
  loading: boolean;
  sessions: number;
  /** Those of the user's connections that are sent updates. */
  listening: readonly Listener[];
};

/** Which connections belong to which sessions and users. */
export interface Roster {
  readonly users: ReadonlyMap<UserId, Present>;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  enter(connection: Listener, caller: Caller, from: Standpoint): Present;
  /** The connection is sent updates from here on, or no more, if it is still of this session. */
  listen(connection: Listener, caller: Caller, present: Present): void;
  leave(this: void, connection: Listener): void;
}

export type RosterNeeds = {
  readonly renderer: Pick<UpdateRenderer, 'connect' | 'disconnect'>;
  /** A session's first connection has come, its last one has gone. */
  readonly came: (caller: Caller) => void;
  readonly went: (caller: Caller) => void;
  /** A connection belongs to the session no more, though others may. */
  readonly left: (connection: Listener, caller: Caller) => void;
  /** Other connections listen now. */
  readonly changed: () => void;
};

/** Users whose communities and memberships are loaded at the same time: after a restart all come at once. */
export const lettingInMax = 64;

export const roster = ({ renderer, came, went, left, changed }: RosterNeeds): Roster => {
  const users = new Map<UserId, Present>();
  const sessions = new Map<SessionId, Session>();
  const letIn = pLimit(lettingInMax);

  const forgetWhenEmpty = (present: Present): void => {
    if (present.loading || present.sessions > 0 || users.get(present.user) !== present) return;
    users.delete(present.user);
    renderer.disconnect(present.user);
  };

  const presentOf = (user: UserId): Present => {
    const known = users.get(user);
    if (known !== undefined) return known;
    const present = presentOnce(
      user,
      letIn(() => renderer.connect(user)),
      forgetWhenEmpty,
    );
    users.set(user, present);
    return present;
  };

  const enter = (connection: Listener, caller: Caller, from: Standpoint): Present => {
    const present = presentOf(caller.user);
    const known = sessions.get(caller.session);
    const session = known ?? { caller, standpoint: new Standpoint(), connections: [], announced: false };
    if (known === undefined) {
      sessions.set(caller.session, session);
      present.sessions += 1;
    }
    session.standpoint.join(from);
    session.connections = having(session.connections, connection);
    connection.joined(session);
    return present;
  };

  const leave = (connection: Listener): void => {
    const { session } = connection;
    const present = session && users.get(session.caller.user);
    if (session === undefined || present === undefined) return;
    connection.left();
    session.connections = lacking(session.connections, connection);
    present.listening = lacking(present.listening, connection);
    changed();
    left(connection, session.caller);
    if (session.connections.length > 0) return;
    sessions.delete(session.caller.session);
    present.sessions -= 1;
    if (session.announced) went(session.caller);
    forgetWhenEmpty(present);
  };

  return {
    users,
    sessions,
    enter,
    leave,
    listen: (...of) => {
      listen(came, ...of);
      changed();
    },
  };
};

const presentOnce = (user: UserId, loading: Promise<void>, settled: (present: Present) => void): Present => {
  const present: Present = { user, loaded: loading, loading: true, sessions: 0, listening: [] };
  const loaded = (): void => {
    present.loading = false;
    settled(present);
  };
  loading.then(loaded, loaded);
  return present;
};

// Lists of mostly one: made anew they have just that one place, where `push` makes room for seventeen.
const having = (connections: readonly Listener[], connection: Listener): readonly Listener[] =>
  connections.includes(connection) ? connections : [...connections, connection];

const lacking = (connections: readonly Listener[], connection: Listener): readonly Listener[] =>
  connections.filter((other) => other !== connection);

const listen = (came: RosterNeeds['came'], connection: Listener, caller: Caller, present: Present): void => {
  const { session } = connection;
  // It may have gone, or become somebody else's, while it waited.
  if (session?.caller.session !== caller.session) return;
  present.listening = (connection.subscribed ? having : lacking)(present.listening, connection);
  if (session.announced) return;
  session.announced = true;
  came(caller);
};
