import { communityRpcs } from '../../../../src/gateway/packages/communities/rpcs.js';
import {
  memberUpdates,
  type MemberUpdatesNeeds,
} from '../../../../src/gateway/packages/communities/members/updates.js';
import { communityUpdates, type CommunityUpdatesNeeds } from '../../../../src/gateway/packages/communities/updates.js';
import { inviteRpcs } from '../../../../src/gateway/packages/invites/rpcs.js';
import { inviteUpdates } from '../../../../src/gateway/packages/invites/updates.js';
import type { StatusOf } from '../../../../src/gateway/rendering/user.js';
import { freeMeter } from '../../../../src/gateway/contract/meter.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import type { UpdateTable, Delivery } from '../../../../src/gateway/contract/updates.js';
import { rulesOver, type World } from '../../../../src/gateway/access/chatPermissions.js';
import type { Access, ViewerPermissions } from '../../../../src/gateway/contract/viewerPermissions.js';
import type { UpdateView } from '../../../../src/gateway/contract/updateView.js';
import type { RpcName, Rpcs } from '../../../../src/gen/rpcs.js';
import { UserStatusStatus } from '../../../../src/gen/types.js';
import type { UpdateInit } from '../../../../src/gen/updates.js';
import { users } from '../../../../src/domain/users/decide.js';
import { parseChatKey } from '../../../../src/kernel/chat.js';
import { isRejection, type Rejection } from '../../../../src/kernel/decider.js';
import type { Event, Recorded } from '../../../../src/kernel/event.js';
import type { ChannelId, CommunityId, RoleId, SessionId, UserId } from '../../../../src/kernel/ids.js';
import type { Reason } from '../../../../src/kernel/reasons.js';
import { holders } from '../../../../src/projections/members/queries.js';
import { openEngines, type Engines, type Snapshot } from './engines.js';

type OurHandlers = ReturnType<typeof communityRpcs> & ReturnType<typeof inviteRpcs>;
type OurRpc = keyof OurHandlers & RpcName;
type Request<Name extends OurRpc> = Rpcs[Name]['request'];
type Result<Name extends OurRpc> = Rpcs[Name]['result'];

/**
 * The handlers and updates of communities on engines in memory, as on two nodes: one that answers everybody, and one to
 * which everybody who was born is connected, which tells them and knows of nobody else without asking.
 */
export type Town = {
  readonly engines: Engines;
  readonly person: (name: string) => Promise<UserId>;
  readonly disconnect: (user: UserId) => void;
  readonly ask: <Name extends OurRpc>(
    user: UserId,
    name: Name,
    request: Request<Name>,
  ) => Promise<Result<Name> | Rejection>;
  /** Throws when it is refused. */
  readonly must: <Name extends OurRpc>(user: UserId, name: Name, request: Request<Name>) => Promise<Result<Name>>;
  /** The reason for which it is refused; throws when it is not. */
  readonly refused: <Name extends OurRpc>(user: UserId, name: Name, request: Request<Name>) => Promise<Reason>;
  /** Asks without a session. */
  readonly lookup: (code: string) => Promise<Result<'authLookupInvite'> | Rejection>;
  /** Records a fact of another package. */
  readonly append: (stream: string, event: Event) => Promise<void>;
  readonly rules: () => ViewerPermissions;
  /** What the user was told since the last time this was asked. */
  readonly heard: (user: UserId) => readonly UpdateInit[];
  /** Everything that was told since the last time this was asked, in as many parts as are encoded. */
  readonly told: () => readonly (Delivery & { readonly audience: readonly UserId[] })[];
};

export const openTown = async (): Promise<Town> => {
  const engines = await openEngines();
  const connected = new Set<UserId>();
  const loaded = new Set<UserId>();
  const rules = (): ViewerPermissions => rulesOf(engines.snapshot(), connected, () => true);
  const told = (snapshot: Snapshot): ViewerPermissions =>
    rulesOf(snapshot, connected, (user) => connected.has(user) || loaded.has(user));
  const statusOf: StatusOf = (asked) =>
    Promise.resolve(asked.map((user) => (connected.has(user) ? { status: UserStatusStatus.ONLINE } : undefined)));
  const load: Access['load'] = (_, members) => {
    for (const member of members) loaded.add(member);
    return Promise.resolve();
  };
  const mail = postOffice(connected, { statusOf, load, holders: holdersIn(engines) });
  const follow = (): Promise<void> =>
    engines.follow((event, before) =>
      mail.tell(event, viewOf(told(before), told(engines.snapshot()), engines.snapshot())),
    );

  const handlers = handlersOn(engines, rules, statusOf);
  const callOf = calling(engines, follow);
  const ask: Town['ask'] = (user, name, request) => {
    // The table pairs each name with its own request; the compiler loses that behind the type parameter.
    const handler = handlers[name] as unknown as (request: unknown, call: Call) => Promise<never>;
    return handler(request, callOf(user));
  };
  return {
    engines,
    ask,
    rules,
    person: async (name) => {
      const user = engines.ids.next() as UserId;
      connected.add(user);
      await callOf(user).run(users, { type: 'RegisterUser', data: { user, name, bot: false } });
      return user;
    },
    disconnect: (user) => {
      connected.delete(user);
    },
    must: async (user, name, request) => {
      const answer = await ask(user, name, request);
      if (isRejection(answer)) throw new Error(`${name} was refused: ${answer.rejected} ${answer.detail ?? ''}`);
      return answer;
    },
    refused: async (user, name, request) => {
      const answer: unknown = await ask(user, name, request);
      if (!isRejection(answer)) throw new Error(`${name} was not refused`);
      return answer.rejected;
    },
    lookup: (code) => handlers.authLookupInvite({ code }, callOf(undefined)),
    append: async (stream, event) => {
      await engines.append(stream, event);
      await follow();
    },
    heard: mail.heard,
    told: mail.told,
  };
};

const holdersIn =
  ({ store }: Engines): CommunityUpdatesNeeds['holders'] =>
  async (role, _, limit) =>
    (await holders({ store }, role, { limit })).map(({ user }) => user);

const handlersOn = (
  { store, ids, streams, sealer }: Engines,
  rules: () => ViewerPermissions,
  statusOf: StatusOf,
): OurHandlers => {
  const access: Access = {
    get now() {
      return rules();
    },
    load: () => undefined,
    upToAppends: () => undefined,
    user: () => undefined,
    seeing: () => Promise.resolve([]),
    statusAudience: () => Promise.resolve(new Set()),
    shareCommunity: () => false,
  };
  const reads = { store };
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  return {
    ...communityRpcs({ access, reads, ids, statusOf, streams }),
    ...inviteRpcs({ access, reads, random, streams, sealer }),
  };
};

const calling =
  ({ execute, ids, time }: Engines, follow: () => Promise<void>) =>
  (user: UserId | undefined): Call => ({
    traceId: 'trace',
    meter: freeMeter,
    address: '127.0.0.1',
    now: time.millis,
    monotonic: time.millis,
    device: undefined,
    // Only the one RPC that needs no session is asked without a caller.
    caller: (user === undefined ? undefined : { user, session: 1n as SessionId }) as Call['caller'],
    initialize: () => Promise.resolve(),
    authorize: () => Promise.resolve(),
    origin: { session: undefined },
    closeSoon: () => undefined,
    run: async (decider, command, options) => {
      const commandId = options?.commandId ?? ids.commandId();
      const done = await execute(decider, command, { commandId, correlationId: 'trace' });
      await follow();
      return done;
    },
    upToDate: follow,
    upToDateWithLog: follow,
    accessUpToDate: follow,
  });

const postOffice = (connected: ReadonlySet<UserId>, needs: MemberUpdatesNeeds & CommunityUpdatesNeeds) => {
  const mailboxes = new Map<UserId, UpdateInit[]>();
  const all: (Delivery & { readonly audience: readonly UserId[] })[] = [];
  // The tables pair each type with its own event; the compiler loses that when they are put together.
  const updates = { ...communityUpdates(needs), ...memberUpdates(needs), ...inviteUpdates } as unknown as Partial<
    Record<string, UpdateTable<Event, UpdateView>[string]>
  >;
  return {
    tell: async (event: Recorded, view: UpdateView): Promise<void> => {
      for (const told of (await updates[event.type]?.(event, view)) ?? []) {
        const audience = [...told.audience].filter((user) => connected.has(user));
        all.push({ ...told, audience });
        for (const user of audience) mailboxes.set(user, [...(mailboxes.get(user) ?? []), told.update]);
      }
    },
    heard: (user: UserId): readonly UpdateInit[] => {
      const heard = mailboxes.get(user) ?? [];
      mailboxes.delete(user);
      return heard;
    },
    told: () => all.splice(0),
  };
};

const rulesOf = (
  { communities, memberships }: Snapshot,
  connected: ReadonlySet<UserId>,
  knows: (user: UserId) => boolean,
): ViewerPermissions => {
  const world: World = {
    community: (id) => communities.get(id.toString()),
    membership: (id, user) =>
      knows(user) ? memberships.get(user.toString())?.memberships.find(({ community }) => community === id) : undefined,
    isConnected: (user) => connected.has(user),
    connectedIn: (id) => [...connected].filter((user) => world.membership(id, user) !== undefined),
    viewersIn: (key) => {
      const chat = parseChatKey(key);
      if (chat.kind !== 'channel') return [];
      const rules = rulesOver(world);
      return [...connected].filter((user) => rules.inChannel(chat.community, chat.channel, user) !== 0n);
    },
  };
  return rulesOver(world);
};

const viewOf = (before: ViewerPermissions, after: ViewerPermissions, { users: people }: Snapshot): UpdateView => ({
  before,
  after,
  user: (user) => people.get(user.toString()),
  documentAsOf: () => undefined,
  seeing: () => Promise.resolve([]),
  statusAudience: () => Promise.resolve(new Set()),
  shareCommunity: () => false,
  hadUnread: () => false,
  unreadCounts: (_, viewers) => Promise.resolve(Array.from(viewers, () => 0)),
  unread: () => Promise.resolve({ messages: 0, mentions: 0, marker: undefined }),
});

/** A community of Ada's in which Bob is a member, and Cleo is a stranger. */
export const settledTown = async () => {
  const town = await openTown();
  const [ada, bob, cleo] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cleo')];
  await town.must(ada, 'communitiesCreateCommunity', { name: 'Chess' });
  const community = await communityNamed(town, ada, 'Chess');
  const general = await channelNamed(town, ada, 'general');
  const code = await inviteTo(town, ada, { communityId: community, channelId: general });
  await town.must(bob, 'authUseInvite', { code });
  for (const user of [ada, bob, cleo]) town.heard(user);
  town.told();
  return { ...town, ada, bob, cleo, community, general, code };
};
export type SettledTown = Awaited<ReturnType<typeof settledTown>>;

export const communityNamed = async (town: Town, user: UserId, name: string): Promise<CommunityId> => {
  const { communities } = (await town.must(user, 'communitiesGetCommunities', {})).communities;
  const found = communities?.find((community) => community.name === name)?.id;
  if (found === undefined) throw new Error(`the user is in no community named ${name}`);
  return found;
};

/** In the first community of the user. */
export const channelNamed = async (town: Town, user: UserId, name: string): Promise<ChannelId> => {
  const { communities } = (await town.must(user, 'communitiesGetCommunities', {})).communities;
  const communityId = communities?.[0]?.id ?? (0n as CommunityId);
  const { channels } = (await town.must(user, 'communitiesGetChannels', { communityId })).channels;
  const found = channels?.findLast((channel) => channel.name === name)?.id;
  if (found === undefined) throw new Error(`the user sees no channel named ${name}`);
  return found;
};

export const roleNamed = async (town: SettledTown, name: string): Promise<RoleId> => {
  const { communityRoles } = await town.must(town.ada, 'communitiesGetRoles', { communityId: town.community });
  const found = communityRoles.roles?.find((role) => role.name === name)?.id;
  if (found === undefined) throw new Error(`there is no role named ${name}`);
  return found;
};

export const inviteTo = async (
  town: Town,
  user: UserId,
  channel: { readonly communityId: CommunityId; readonly channelId: ChannelId },
  limits: { readonly maxUses?: number; readonly expiresAt?: bigint } = {},
): Promise<string> => {
  const { createdInvite } = await town.must(user, 'chatsCreateChatInvite', { chatRef: { channel }, ...limits });
  return createdInvite.code ?? '';
};

/** Makes a role with these bits and gives it to Bob, who has then no other. */
export const empowered = async (town: SettledTown, permissions: bigint, priority = 5): Promise<RoleId> => {
  const { ada, bob, community } = town;
  const name = `role ${permissions.toString()}`;
  await town.must(ada, 'communitiesCreateRole', {
    communityId: community,
    name,
    permissions,
    priority,
    color: 0,
    separated: false,
    public: false,
  });
  const role = await roleNamed(town, name);
  await town.must(ada, 'communitiesEditMember', {
    communityId: community,
    memberId: bob,
    roleIds: { roleIds: [role] },
  });
  for (const user of [ada, bob]) town.heard(user);
  town.told();
  return role;
};
