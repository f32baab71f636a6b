import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { DocumentChange, LiveDocuments } from '../../projections/reading/liveDocuments.js';
import type { Membership, MembershipsDocument } from '../../projections/members/documents.js';
import type { ChannelViewers } from './channelViewers.js';

/** The users connected to this node. Their memberships stay in memory, and the communities in them as far as there is room. */
export interface ConnectedUsers {
  readonly connect: (user: UserId) => Promise<void>;
  readonly disconnect: (user: UserId) => void;
  readonly has: (user: UserId) => boolean;
  readonly count: () => number;
  /** Somebody's memberships changed. Answers the loads of communities that this brought a connected user into. */
  readonly moved: (change: DocumentChange<MembershipsDocument>) => readonly Promise<unknown>[];
}

export type ConnectedUsersNeeds = {
  readonly communities: LiveDocuments<CommunityDocument>;
  readonly memberships: LiveDocuments<MembershipsDocument>;
  readonly viewers: ChannelViewers;
};

type Connection = {
  communities: readonly CommunityId[];
  /** Their memberships are loaded, and followed from then on. */
  entered: boolean;
  ready: Promise<void>;
};

const noCommunities: readonly CommunityId[] = [];

export const connectedUsersOf = (needs: ConnectedUsersNeeds): ConnectedUsers => {
  const { memberships } = needs;
  const connections = new Map<UserId, Connection>();

  const enter = async (user: UserId, connection: Connection): Promise<void> => {
    const key = user.toString();
    await memberships.get(key);
    if (connections.get(user) !== connection) return;
    connection.entered = true;
    // Not what the load answered: events may have been applied since.
    await Promise.all(arrange(needs, user, connection, memberships.peek(key)?.memberships ?? []));
  };
  const disconnect = (user: UserId): void => {
    const connection = connections.get(user);
    if (connection === undefined) return;
    connections.delete(user);
    for (const community of connection.communities) part(needs, user, connection, community);
    memberships.unpin(user.toString());
  };

  return {
    disconnect,
    has: (user) => connections.has(user),
    count: () => connections.size,
    connect: (user) => {
      const known = connections.get(user);
      if (known !== undefined) return known.ready;
      const connection: Connection = { communities: noCommunities, entered: false, ready: Promise.resolve() };
      connections.set(user, connection);
      memberships.pin(user.toString());
      connection.ready = enter(user, connection).catch((error: unknown) => {
        if (connections.get(user) === connection) disconnect(user);
        throw error;
      });
      return connection.ready;
    },
    moved: ({ key, after }) => {
      const user = BigInt(key) as UserId;
      const connection = connections.get(user);
      return connection?.entered === true ? arrange(needs, user, connection, after?.memberships ?? []) : [];
    },
  };
};

/**
 * Brings the wanted communities and the audiences in line with the memberships. Answers the loads that are under way.
 */
const arrange = (
  needs: ConnectedUsersNeeds,
  user: UserId,
  connection: Connection,
  memberships: readonly Membership[],
): readonly Promise<unknown>[] => {
  const current = new Set(memberships.map(({ community }) => community));
  for (const community of connection.communities) {
    if (!current.has(community)) part(needs, user, connection, community);
  }
  return memberships.flatMap((membership) => join(needs, user, connection, membership) ?? []);
};

const join = (
  { communities, viewers }: ConnectedUsersNeeds,
  user: UserId,
  connection: Connection,
  membership: Membership,
): Promise<unknown> | undefined => {
  const { community } = membership;
  if (viewers.members(community).get(user) !== membership) viewers.put(user, membership);
  if (connection.communities.includes(community)) return undefined;
  connection.communities = [...connection.communities, community];
  return communities.want(community.toString());
};

/** The community unpinned last is evicted last, so an event that is just being rendered still finds it. */
const part = (
  { communities, viewers }: ConnectedUsersNeeds,
  user: UserId,
  connection: Connection,
  community: CommunityId,
): void => {
  connection.communities = connection.communities.filter((other) => other !== community);
  viewers.remove(user, community);
  communities.unwant(community.toString());
};
