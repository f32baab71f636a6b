import pLimit from 'p-limit';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { BoundName } from '../contract/bounds.js';
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
  /** All connections of all sessions. */
  connections: readonly Listener[];
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
  /**
   * Of the user with the most connections the one that was silent longest gives way. False when nobody has more than
   * one: a newcomer, who may be anybody, is not worth anybody's only connection.
   */
  makeRoom(this: void): boolean;
}

/** Bounds on the connections of one session and of one user. Default: any number. */
export type RosterBounds = {
  readonly connectionsPerSessionMax?: number;
  readonly connectionsPerUserMax?: number;
};

export type RosterNeeds = {
  readonly bounds?: RosterBounds;
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

export const roster = ({ bounds = {}, renderer, came, went, left, changed }: RosterNeeds): Roster => {
  const users = new Map<UserId, Present>();
  const sessions = new Map<SessionId, Session>();
  const byCount = new UsersByCount();
  const { presentOf, forgetWhenEmpty } = presentsIn(users, renderer);

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
    hold(present, having(present.connections, connection));
    for (const [silent, bound] of crowdedOut(bounds, { connection, session, present })) retire(silent, bound);
    return present;
  };

  const hold = (present: Present, connections: readonly Listener[]): void => {
    byCount.moved(present, present.connections.length, connections.length);
    present.connections = connections;
  };

  const retire = (connection: Listener, bound: BoundName): void => {
    // In this order: a connection that is closing is not made one without a session, which may send less.
    connection.giveWay(bound);
    leave(connection);
  };

  const leave = (connection: Listener): void => {
    const { session } = connection;
    const present = session && users.get(session.caller.user);
    if (session === undefined || present === undefined) return;
    connection.left();
    session.connections = lacking(session.connections, connection);
    present.listening = lacking(present.listening, connection);
    hold(present, lacking(present.connections, connection));
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
    makeRoom: () => {
      const silent = silentest(byCount.most()?.connections ?? []);
      if (silent !== undefined) retire(silent, 'connections');
      return silent !== undefined;
    },
    listen: (...of) => {
      listen(came, ...of);
      changed();
    },
  };
};

const presentOnce = (user: UserId, loading: Promise<void>, settled: (present: Present) => void): Present => {
  const present: Present = { user, loaded: loading, loading: true, sessions: 0, ...noConnections };
  const loaded = (): void => {
    present.loading = false;
    settled(present);
  };
  loading.then(loaded, loaded);
  return present;
};

const presentsIn = (users: Map<UserId, Present>, renderer: RosterNeeds['renderer']) => {
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

  return { presentOf, forgetWhenEmpty };
};

type Entered = { readonly connection: Listener; readonly session: Session; readonly present: Present };

/** The connections that are too many with the newest, one by one. */
function* crowdedOut(
  { connectionsPerSessionMax = Infinity, connectionsPerUserMax = Infinity }: RosterBounds,
  { connection, session, present }: Entered,
): Iterable<readonly [Listener, BoundName]> {
  const ofSession = silentest(session.connections, connection);
  const isCrowded = session.connections.length > connectionsPerSessionMax;
  if (isCrowded && ofSession !== undefined) yield [ofSession, 'connections_per_session'];
  const ofUser = silentest(present.connections, connection);
  const isUserCrowded = present.connections.length > connectionsPerUserMax;
  if (isUserCrowded && ofUser !== undefined) yield [ofUser, 'connections_per_user'];
}

const noConnections = { connections: [], listening: [] } as const;

/** A client on a bad line leaves connections behind that nobody hears of any more, and comes back with a new one. */
const silentest = (connections: readonly Listener[], newest?: Listener): Listener | undefined => {
  let found: Listener | undefined;
  for (const connection of connections) {
    if (connection !== newest && connection.heardAt < (found?.heardAt ?? Infinity)) found = connection;
  }
  return found;
};

/** Users with several connections, by how many, so that the one with the most is found at once. */
class UsersByCount {
  private readonly users: (Set<Present> | undefined)[] = [];

  moved(present: Present, before: number, now: number): void {
    this.users[before]?.delete(present);
    if (now > 1) (this.users[now] ??= new Set()).add(present);
    while (this.users.length > 0 && (this.users.at(-1)?.size ?? 0) === 0) this.users.pop();
  }

  most(): Present | undefined {
    const [most] = this.users.at(-1) ?? [];
    return most;
  }
}

// Lists of mostly one: `concat` makes just the places that it takes, where `push`, a spread and `filter` make seventeen.
const having = (connections: readonly Listener[], connection: Listener): readonly Listener[] =>
  connections.includes(connection) ? connections : connections.concat([connection]);

const lacking = (connections: readonly Listener[], connection: Listener): readonly Listener[] =>
  connections.filter((other) => other !== connection).slice();

const listen = (came: RosterNeeds['came'], connection: Listener, caller: Caller, present: Present): void => {
  const { session } = connection;
  // It may have gone, or become somebody else's, while it waited.
  if (session?.caller.session !== caller.session) return;
  present.listening = (connection.subscribed ? having : lacking)(present.listening, connection);
  if (session.announced) return;
  session.announced = true;
  came(caller);
};
