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
  const { communities, memberships } = needs;
  /** Also where there is no room: the user is told of the event that brought them there. */
  const bringNow = (key: string): unknown => communities.want(key) ?? communities.get(key);
  const connections = new Map<UserId, Connection>();

  const enter = async (user: UserId, connection: Connection): Promise<void> => {
    const key = user.toString();
    await memberships.get(key);
    if (connections.get(user) !== connection) return;
    connection.entered = true;
    // Not what the load answered: events may have been applied since.
    const known = memberships.peek(key)?.memberships ?? [];
    await Promise.all(arrange({ ...needs, bring: communities.want }, user, connection, known));
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
      if (connection?.entered !== true) return [];
      return arrange({ ...needs, bring: bringNow }, user, connection, after?.memberships ?? []);
    },
  };
};

/** `bring`: into memory, as one more who wants it there. A promise while it is loaded. */
type Arranging = ConnectedUsersNeeds & { readonly bring: (community: string) => unknown };

/**
 * Brings the wanted communities and the audiences in line with the memberships. Answers the loads that are under way.
 */
const arrange = (
  needs: Arranging,
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
  { bring, viewers }: Arranging,
  user: UserId,
  connection: Connection,
  membership: Membership,
): Promise<unknown> | undefined => {
  const { community } = membership;
  if (viewers.members(community).get(user) !== membership) viewers.put(user, membership);
  if (connection.communities.includes(community)) return undefined;
  connection.communities = [...connection.communities, community];
  const brought = bring(community.toString());
  return brought instanceof Promise ? brought : undefined;
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
