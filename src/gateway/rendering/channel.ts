import type { ChannelKind } from '../../domain/communities/events.js';
import { ChannelFlag, ChannelType, type ChannelInit, type ChannelOverrideInit } from '../../gen/types.js';
import { shownName, shownText } from './user.js';
import type { ChannelRecord } from '../../projections/communities/documents.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { ChannelRefInit } from '../../gen/refs.js';
import type { Override } from '../../kernel/permissions.js';
import type { ViewerPermissions } from '../contract/viewerPermissions.js';

export const channelTypes: Readonly<Record<ChannelKind, ChannelType>> = {
  text: ChannelType.TEXT,
  voice: ChannelType.VOICE,
  category: ChannelType.CATEGORY,
};

/** The category that the channel is in, unless the viewer does not see the category and may not know of it. */
export const shownParent = (
  rules: ViewerPermissions,
  community: CommunityId,
  { parent }: Pick<ChannelRecord, 'parent'>,
  viewer: UserId,
): ChannelId | undefined =>
  parent === undefined || rules.inChannel(community, parent, viewer) === 0n ? undefined : parent;

/** As those see it to whom `parent` is the category of the channel: see `shownParent`. */
export const channelFor = (
  community: CommunityId,
  channel: ChannelRecord,
  parent: ChannelId | undefined,
): ChannelInit => ({
  id: channel.id,
  communityId: community,
  name: shownName(channel.name),
  type: channelTypes[channel.kind],
  position: channel.position,
  parentId: parent,
  flags: BigInt(channel.explicit ? ChannelFlag.EXPLICIT : ChannelFlag.NONE),
  highlightedMsgId: channel.highlighted,
  description: shownText(channel.description),
  slowmodeSeconds: channel.slowmodeSeconds,
});

export const channelRefFor = (communityId: CommunityId, channelId: ChannelId): ChannelRefInit => ({
  communityId,
  channelId,
});

export const overrideFor = (
  communityId: CommunityId,
  channelId: ChannelId,
  { role, pos, neg }: Override,
): ChannelOverrideInit => ({ communityId, channelId, roleId: role, permissions: { pos, neg } });
