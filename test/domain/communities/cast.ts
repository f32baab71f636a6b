import type { CommunityAsker, CommunityCommand } from '../../../src/domain/communities/commands.js';
import { communities } from '../../../src/domain/communities/decide.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import type { ChannelId, CommunityId, MessageId, Millis, RoleId, UserId } from '../../../src/kernel/ids.js';
import { allPermissions, permission, usualPermissions } from '../../../src/kernel/permissions.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

export const given = givenFor(communities);

export const community = 100n as CommunityId;
export const ada = 1n as UserId;
export const bob = 2n as UserId;
export const channelId = (id: bigint): ChannelId => id as ChannelId;
export const roleId = (id: bigint): RoleId => id as RoleId;
export const messageId = (id: bigint): MessageId => id as MessageId;

export const general = channelId(201n);
export const random = channelId(202n);
export const talk = channelId(203n);
export const staff = channelId(210n);
export const archive = channelId(211n);

/** Ada founded the community, so she may do anything to it. */
export const owner: CommunityAsker = { user: ada, permissions: allPermissions, rank: Infinity };
/** Bob is a member with these bits besides the usual ones. */
export const member = (bits = 0n, rank = -1): CommunityAsker => ({
  user: bob,
  permissions: usualPermissions | bits,
  rank,
});
export const { modifyChannel, modifyRoles } = permission;

export const founded: Bare<CommunityEvent> = {
  type: 'CommunityCreated',
  data: { community, owner: ada, defaultPermissions: usualPermissions, name: 'Chess' },
};

export const created = (
  channel: ChannelId,
  position: number,
  { kind = 'text', parent }: { readonly kind?: 'text' | 'voice' | 'category'; readonly parent?: ChannelId } = {},
): Bare<CommunityEvent> => ({
  type: 'ChannelCreated',
  data: {
    community,
    channel,
    kind,
    position,
    ...(parent === undefined ? {} : { parent }),
    by: ada,
    name: `channel ${channel.toString()}`,
  },
});

/** The community with its first channel. */
export const begun: readonly Bare<CommunityEvent>[] = [founded, created(general, 0)];

type Placed = readonly [ChannelId, number, ChannelId?];
export const arranged = (...places: readonly Placed[]): Bare<CommunityEvent> => ({
  type: 'ChannelsArranged',
  data: {
    community,
    places: places.map(([channel, position, parent]) => ({
      channel,
      position,
      ...(parent === undefined ? {} : { parent }),
    })),
    by: ada,
  },
});

/** The same by an edit of one channel. */
export const moving = (channel: ChannelId, ...places: readonly Placed[]): Bare<CommunityEvent> => {
  const event = arranged(...places);
  return event.type === 'ChannelsArranged' ? { ...event, data: { ...event.data, channel } } : event;
};

type Edit = Extract<CommunityCommand, { readonly type: 'EditChannel' }>['data'];
export const edit = (channel: ChannelId, changes: Omit<Partial<Edit>, 'community' | 'channel'>): CommunityCommand => ({
  type: 'EditChannel',
  data: { community, channel, by: owner, at: 0 as Millis, ...changes },
});

export const roleContent = {
  name: 'Helpers',
  permissions: usualPermissions,
  priority: 3,
  color: 0x00ff00,
  separated: true,
  public: false,
};
export const roleCreated = (role: RoleId, changes: Partial<typeof roleContent> = {}): Bare<CommunityEvent> => ({
  type: 'RoleCreated',
  data: { community, role, by: ada, ...roleContent, ...changes },
});
