import type { ChannelRef, ChatRefInit } from '../../src/gen/refs.js';
import { ChannelType } from '../../src/gen/types.js';
import type { ChannelId, CommunityId, MessageId, RoleId, UserId } from '../../src/kernel/ids.js';
import type { Seat } from './seat.js';

/** A community with the channel that it begins with. */
export type Town = { readonly community: CommunityId; readonly general: ChannelId };

export const found = async (owner: Seat, name: string): Promise<Town> => {
  await owner.do('communitiesCreateCommunity', { name });
  const { communities } = await owner.do('communitiesGetCommunities', {});
  const community = newest(communities.filter((one) => one.name === name).map(({ id }) => id));
  return { community, general: await channelNamed(owner, community, 'general') };
};

export const channelNamed = async (owner: Seat, communityId: CommunityId, name: string): Promise<ChannelId> => {
  const { channels } = await owner.do('communitiesGetChannels', { communityId });
  return newest(channels.filter((one) => one.name === name).map(({ id }) => id));
};

type NewChannel = { readonly name: string; readonly type?: ChannelType; readonly parentId?: ChannelId };

/** Makes it and looks for it, as clients do: nothing is answered. */
export const createChannel = async (
  owner: Seat,
  communityId: CommunityId,
  { type = ChannelType.TEXT, ...channel }: NewChannel,
): Promise<ChannelId> => {
  await owner.do('communitiesCreateChannel', { communityId, type, ...channel });
  return channelNamed(owner, communityId, channel.name);
};

type NewRole = { readonly name: string; readonly permissions?: bigint; readonly priority?: number };

export const createRole = async (owner: Seat, communityId: CommunityId, role: NewRole): Promise<RoleId> => {
  await owner.do('communitiesCreateRole', { communityId, priority: 1, ...role });
  const { roles } = await owner.do('communitiesGetRoles', { communityId });
  return newest(roles.filter((one) => one.name === role.name).map(({ id }) => id));
};

export const inviteTo = async (owner: Seat, { community, general }: Town): Promise<string> => {
  const { code } = await owner.do('chatsCreateChatInvite', { chatRef: inChannel(community, general) });
  return code;
};

export const join = async (owner: Seat, town: Town, ...people: readonly Seat[]): Promise<void> => {
  const code = await inviteTo(owner, town);
  for (const person of people) await person.do('authUseInvite', { code });
};

export const say = async (author: Seat, chatRef: ChatRefInit, message: string): Promise<MessageId> =>
  (await author.do('messagesSendMessage', { chatRef, message })).messageId;

export const inChannel = (communityId: CommunityId, channelId: ChannelId): { readonly channel: ChannelRef } => ({
  channel: { communityId, channelId },
});

export const withUser = ({ user }: { readonly user: UserId }): ChatRefInit => ({ user: { userId: user } });

export const savedMessages: ChatRefInit = { self: {} };

const newest = <Id extends bigint>(ids: readonly Id[]): Id => {
  const [last] = ids.toSorted((one, other) => (one < other ? 1 : -1));
  if (last === undefined) throw new Error('what was just made is not there');
  return last;
};
