import { afterEach } from 'node:test';
import { of } from '../../../src/container/tokens.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../src/kernel/ids.js';
import type { Ids } from '../../../src/kernel/ports/system.js';
import { ada, bob, cleo, people } from './cast.js';
import { house, type House } from './house.js';
import type { Node } from './node.js';

/** A house with one node to which everybody is connected, and what tests of communities do all the time. */
export type Town = Omit<House, 'close'> &
  Omit<Node, 'told' | 'close' | 'settled'> & {
    readonly ids: Ids;
    /** Somebody new, who is connected. */
    readonly person: (name: string) => Promise<UserId>;
    /** As a node tells it. */
    readonly told: () => readonly (Delivery & { readonly audience: readonly UserId[] })[];
  };

const opened: House[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** It closes with the test. */
export const openTown = async (): Promise<Town> => {
  const here = await house(people);
  opened.push(here);
  const node = await here.node();
  const ids = node.get(of.ids);
  await node.connect(ada, bob, cleo);
  return {
    ...node,
    ...here,
    ids,
    person: async (name) => {
      const user = ids.next() as UserId;
      await here.happened(`user-${user.toString()}`, { type: 'UserRegistered', data: { user, name, bot: false } });
      await node.connect(user);
      return user;
    },
    told: () => node.told().map((delivery) => ({ ...delivery, audience: [...delivery.audience] })),
  };
};

/** A community of Ada's in which Bob is a member, and Cleo is a stranger. */
export const settledTown = async () => {
  const town = await openTown();
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
  const found = communities.find((community) => community.name === name)?.id;
  if (found === undefined) throw new Error(`the user is in no community named ${name}`);
  return found;
};

/** In the first community of the user. */
export const channelNamed = async (town: Town, user: UserId, name: string): Promise<ChannelId> => {
  const { communities } = (await town.must(user, 'communitiesGetCommunities', {})).communities;
  const communityId = communities[0]?.id ?? (0n as CommunityId);
  const { channels } = (await town.must(user, 'communitiesGetChannels', { communityId })).channels;
  const found = channels.findLast((channel) => channel.name === name)?.id;
  if (found === undefined) throw new Error(`the user sees no channel named ${name}`);
  return found;
};

export const roleNamed = async (town: SettledTown, name: string): Promise<RoleId> => {
  const { communityRoles } = await town.must(town.ada, 'communitiesGetRoles', { communityId: town.community });
  const found = communityRoles.roles.find((role) => role.name === name)?.id;
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
  return createdInvite.code;
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
