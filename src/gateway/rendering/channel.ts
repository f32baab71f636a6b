import type { ChannelKind } from '../../domain/communities/events.js';
import { ChannelFlag, ChannelType, type ChannelInit, type ChannelOverrideInit } from '../../gen/types.js';
import { shownName, shownText } from './user.js';
import type { ChannelRecord } from '../../projections/communities/documents.js';
import type { ChannelId, CommunityId } from '../../kernel/ids.js';
import type { ChannelRefInit } from '../../gen/refs.js';
import type { Override } from '../../kernel/permissions.js';

export const channelTypes: Readonly<Record<ChannelKind, ChannelType>> = {
  text: ChannelType.TEXT,
  voice: ChannelType.VOICE,
  category: ChannelType.CATEGORY,
};

export const channelFor = (community: CommunityId, channel: ChannelRecord): ChannelInit => ({
  id: channel.id,
  communityId: community,
  name: shownName(channel.name),
  type: channelTypes[channel.kind],
  position: channel.position,
  parentId: channel.parent,
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
