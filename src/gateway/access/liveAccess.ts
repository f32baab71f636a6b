import { communityStream } from '../../domain/communities/events.js';
import { memberStream } from '../../domain/members/events.js';
import type { Recorded } from '../../kernel/event.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { DocumentChange, LiveDocuments } from '../../projections/reading/liveDocuments.js';
import type { MembershipsDocument } from '../../projections/members/documents.js';
import type { UserDocument } from '../../projections/users/documents.js';
import { channelViewersOf } from './channelViewers.js';
import { membershipIn } from './communityPermissions.js';
import { connectedUsersOf } from './connectedUsers.js';
import { rulesOver, worldBefore, type World } from './chatPermissions.js';
import type { ChangesUnderWay } from '../contract/enforcement.js';
import type { Access, AccessChange, AccessChanges, ViewerPermissions } from '../contract/viewerPermissions.js';

/** Access as the one who folds it sees it. */
export interface LiveAccess extends Access, AccessChanges {
  /**
   * From this call on the user counts as connected. Resolves once what they may see is in memory; when that cannot be
   * loaded it rejects, and the user is not connected. Asked again while they are connected, it answers the same.
   */
  readonly connect: (user: UserId) => Promise<void>;
  readonly disconnect: (user: UserId) => void;
  readonly isConnected: (user: UserId) => boolean;
  readonly connectedUsers: () => number;
  /** Some connected user is a member. */
  readonly hasMembersOf: (community: CommunityId) => boolean;
  /** Changes of it cannot be folded: until it is in memory again, nobody sees any of its channels. */
  readonly forgetSights: (community: CommunityId) => void;
  /** In log order. `ready`: the event brought a connected user into communities that are being loaded; wait for it. */
  readonly apply: (event: Recorded) => Applied;
}
export type Applied = { readonly before: ViewerPermissions; readonly ready: Promise<unknown> | undefined };

export type AccessNeeds = {
  readonly communities: LiveDocuments<CommunityDocument>;
  readonly memberships: LiveDocuments<MembershipsDocument>;
  readonly users: LiveDocuments<UserDocument>;
  /** Those with whom the user has a conversation, the latest ones; at most as many as one page of conversations. */
  readonly peersOf: PeersOf;
  readonly hasWrittenTo: Access['hasWrittenTo'];
  /** Without it the node is taken to append nothing. */
  readonly unfolded?: ChangesUnderWay;
};

/** `answered`: of the conversations in which both have written only. */
export type PeersOf = (user: UserId, which: 'all' | 'answered') => Promise<Iterable<UserId>>;

export const liveAccess = (needs: AccessNeeds): LiveAccess => {
  const { communities, memberships, users, peersOf, unfolded } = needs;
  const known = knownCommunities(communities);
  const viewers = channelViewersOf(known.community);
  const connections = connectedUsersOf({ communities, memberships, viewers });
  const world: World = {
    ...known,
    membership: (id, user) => viewers.members(id).get(user) ?? membershipIn(memberships.peek(user.toString()), id),
    isConnected: connections.has,
    connectedIn: (id) => [...viewers.members(id).keys()],
    viewersIn: viewers.viewersOf,
  };
  const now = rulesOver(world);
  const listeners: ((change: AccessChange) => void)[] = [];
  const connected = connectedAcquaintances({ memberships, isConnected: connections.has, now });
  const load: Access['load'] = (id, members) =>
    loading([
      { documents: communities, key: id.toString() },
      ...members.map((member) => ({ documents: memberships, key: member.toString() })),
    ]);

  return {
    now,
    load,
    upToAppends: (id, members) => unfolded?.folded(rightsStreams(id, members)) ?? load(id, members),
    user: (user) => users.get(user.toString()),
    connect: connections.connect,
    disconnect: connections.disconnect,
    isConnected: connections.has,
    connectedUsers: connections.count,
    hasMembersOf: (id) => viewers.members(id).size > 0,
    forgetSights: (id) => viewers.changed(id, undefined),
    seeing: async (user) => connected(user, await peersOf(user, 'all')),
    statusAudience: async (user) => connected(user, await peersOf(user, 'answered')),
    shareCommunity: (one, other) => {
      const [first, second] = [memberships.get(one.toString()), memberships.get(other.toString())];
      return first instanceof Promise || second instanceof Promise
        ? Promise.all([first, second]).then(([mine, theirs]) => haveInCommon(mine, theirs))
        : haveInCommon(first, second);
    },
    hasWrittenTo: needs.hasWrittenTo,
    onChange: (listener) => void listeners.push(listener),
    apply: (event) => {
      users.apply(event);
      const changed = communities.apply(event);
      const moved = memberships.apply(event);
      if (changed.length === 0 && moved.length === 0) return { before: now, ready: undefined };
      for (const { key, before } of changed) viewers.changed(BigInt(key) as CommunityId, before);
      const loads = moved.flatMap((change) => connections.moved(change));
      const former = {
        communities: formerly<CommunityId, CommunityDocument>(changed),
        memberships: formerly<UserId, MembershipsDocument>(moved),
      };
      const before = worldBefore(world, former);
      const change = { communities: new Set(former.communities.keys()), users: new Set(former.memberships.keys()) };
      for (const listener of listeners) listener(change);
      return { before: rulesOver(before), ready: loads.length === 0 ? undefined : Promise.all(loads) };
    },
  };
};

const knownCommunities = (communities: LiveDocuments<CommunityDocument>): Pick<World, 'community' | 'isGone'> => ({
  community: (id) => communities.peek(id.toString()),
  isGone: (id) => communities.holds(id.toString()) && communities.peek(id.toString()) === undefined,
});

type AcquaintanceNeeds = Pick<AccessNeeds, 'memberships'> &
  Pick<LiveAccess, 'isConnected'> & { readonly now: Pick<ViewerPermissions, 'connectedMembers'> };

/** The members of the user's communities, those of `peers` and the user, as far as they are connected here. */
const connectedAcquaintances =
  ({ memberships, isConnected, now }: AcquaintanceNeeds) =>
  async (user: UserId, peers: Iterable<UserId>): Promise<ReadonlySet<UserId>> => {
    // The last wait: afterwards nobody can leave before the answer.
    const document = await memberships.get(user.toString());
    const found = new Set([...peers, user].filter(isConnected));
    for (const membership of document?.memberships ?? []) {
      for (const member of now.connectedMembers(membership.community)) found.add(member);
    }
    return found;
  };

const haveInCommon = (one: MembershipsDocument | undefined, other: MembershipsDocument | undefined): boolean => {
  const joined = new Set(one?.memberships.map(({ community }) => community));
  return other?.memberships.some(({ community }) => joined.has(community)) === true;
};
const rightsStreams = (community: CommunityId, members: readonly UserId[]): readonly string[] => [
  communityStream(community),
  ...members.map((member) => memberStream(community, member)),
];

/** The keys of these documents are ids in decimal: the caller names the kind. */
const formerly = <Id extends bigint, Doc>(changes: readonly DocumentChange<Doc>[]): ReadonlyMap<Id, Doc | undefined> =>
  new Map(changes.map(({ key, before }) => [BigInt(key) as Id, before]));

type Wanted = { readonly documents: LiveDocuments<unknown>; readonly key: string };

const loading = (wanted: readonly Wanted[]): Promise<void> | undefined => {
  const loads = wanted.map(({ documents, key }) => documents.get(key)).filter((load) => load instanceof Promise);
  if (loads.length === 0) return undefined;
  // Until the last one has come, none of the others may go.
  for (const { documents, key } of wanted) documents.pin(key);
  return Promise.all(loads)
    .then(() => undefined)
    .finally(() => {
      for (const { documents, key } of wanted) documents.unpin(key);
    });
};
