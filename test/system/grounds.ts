import type { ChannelId, CommunityId, MessageId, RoleId } from '../../src/kernel/ids.js';
import { permission, type PermissionName } from '../../src/kernel/permissions.js';
import type { Deployment } from '../support/deployments.js';
import { createChannel, createRole, found, inChannel, join, say } from './places.js';
import { guest, resume, signIn, signUp, signUpWith, type Connected, type Seat } from './seat.js';

/** Everybody who asks for something, from the one with the least rights to the one with all. */
export const askers = ['no session', 'stranger', 'member without the bit', 'member with it', 'owner'] as const;
export type Asker = (typeof askers)[number];

export type People = {
  readonly server: Pick<Deployment, 'url'>;
  readonly seats: Readonly<Record<Exclude<Asker, 'no session'>, Seat>>;
  readonly owner: Seat;
  /** A member without any roles, to whom things are done. */
  readonly other: Seat;
};

export const ownerLogin = { email: 'owner@example.org', password: 'correct horse' };

export const people = async (server: People['server']): Promise<People> => {
  const owner = await signUpWith(server.url, 'Owner', ownerLogin);
  const seats = {
    stranger: await signUp(server.url, 'Stranger'),
    'member without the bit': await signUp(server.url, 'Without'),
    'member with it': await signUp(server.url, 'With'),
    owner,
  };
  return { server, seats, owner, other: await signUp(server.url, 'Other') };
};

/** A connection of its own, so that whatever is asked over it disturbs nothing. */
export const connectionOf = ({ server, seats }: People, asker: Asker): Promise<Connected> =>
  asker === 'no session' ? guest(server.url) : resume(server.url, seats[asker].token);

/** One more session of the owner's. */
export const anotherOwner = ({ server }: People): Promise<Seat> => signIn(server.url, ownerLogin);

/** A community in which one permission, in the community and in the channel, makes the difference. */
export type Ground = {
  readonly people: People;
  readonly community: CommunityId;
  readonly general: ChannelId;
  readonly channel: ChannelId;
  /** The owner's, in the channel. */
  readonly message: MessageId;
};

export const ground = async (of: People, bit: PermissionName): Promise<Ground> => {
  const { owner, other, seats } = of;
  const able = seats['member with it'];
  const town = await found(owner, `Town of ${bit}`);
  await join(owner, town, other, seats['member without the bit'], able);
  const { community: communityId } = town;
  const bits = permission[bit];
  const role = await createRole(owner, communityId, { name: 'able', permissions: bits, priority: 10 });
  await owner.do('communitiesEditMember', { communityId, memberId: able.user, roleIds: { roleIds: [role] } });
  const channel = await createChannel(owner, communityId, { name: 'square' });
  const where = { communityId, channelId: channel };
  await owner.do('communitiesCreateChannelOverride', { ...where, roleId: everybody, permissions: { neg: bits } });
  await owner.do('communitiesCreateChannelOverride', { ...where, roleId: role, permissions: { pos: bits } });
  const message = await say(owner, inChannel(communityId, channel), 'welcome');
  return { people: of, ...town, channel, message };
};

export const everybody = 0n as RoleId;
