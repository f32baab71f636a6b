import type { CommunityAsker } from '../../domain/communities/commands.js';
import type { ChannelRef } from '../../gen/refs.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { ChannelRecord } from '../../projections/communities/documents.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { turnOf } from '../contract/meteredReads.js';
import type { Access, ViewerPermissions } from '../contract/viewerPermissions.js';

/** Brings into memory what decides about the caller and those whom the call is about. Ask `access.now` right after. */
export const accessFor = async (
  access: Access,
  call: Call,
  community: CommunityId,
  others: readonly UserId[] = [],
): Promise<void> => {
  await call.accessUpToDate();
  await access.load(community, [call.caller.user, ...others]);
};

/** The same for one of many communities of an answer: in a turn of its own, and paid for by as many of its channels as are looked at. */
export const accessInTurn = async (
  access: Access,
  call: Call,
  community: CommunityId,
  channelsMax = Number.POSITIVE_INFINITY,
): Promise<void> => {
  await accessFor(access, call, community);
  const channels = Math.min(channelsMax, access.now.community(community)?.channels.length ?? 0);
  await turnOf(call.meter, costs.document + (costs.hundredChannels * channels) / 100);
  // The wait may have put it out of memory again.
  await accessFor(access, call, community);
};

/** With their permissions in the community. A non-member does not learn whether there is such a community. */
export const memberAsker = (
  rules: ViewerPermissions,
  community: CommunityId,
  user: UserId,
): CommunityAsker | Rejection => {
  const member = rules.member(community, user);
  return member === undefined
    ? reject('COMMUNITY_NOT_FOUND')
    : { user, permissions: member.permissions, rank: member.rank };
};

/** With their permissions in the channel. A user who may not view it does not learn whether there is such a channel. */
export const channelAsker = (
  rules: ViewerPermissions,
  { communityId, channelId }: ChannelRef,
  user: UserId,
): CommunityAsker | Rejection => {
  const asker = memberAsker(rules, communityId, user);
  if (isRejection(asker)) return asker;
  const permissions = rules.inChannel(communityId, channelId, user);
  return permissions === 0n ? reject('CHANNEL_NOT_FOUND') : { ...asker, permissions };
};

export const channelIn = (rules: ViewerPermissions, community: CommunityId, id: ChannelId): ChannelRecord | undefined =>
  rules.community(community)?.channels.find((channel) => channel.id === id);
