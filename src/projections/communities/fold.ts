import type { CommunityCreated, CommunityEvent, RoleCreated, RoleEdited } from '../../domain/communities/events.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { Recorded } from '../../kernel/event.js';
import type { CommunityId } from '../../kernel/ids.js';
import { removed, whenThere } from '../runner/foldHelpers.js';
import {
  arranged,
  withChannel,
  withMadeChannel,
  withOverride,
  withoutChannel,
  withoutOverride,
  withoutRoleOverrides,
} from './channels.js';
import type { CommunityDocument, RoleRecord } from './documents.js';

export const communityKey = (community: CommunityId): string => community.toString();

const ofCommunity = ({ data }: { readonly data: { readonly community: CommunityId } }): readonly string[] => [
  communityKey(data.community),
];

const keys: DocumentKeys<CommunityEvent> = {
  'communities.CommunityCreated.v1': ofCommunity,
  'communities.CommunityDeleted.v1': ofCommunity,
  'communities.ChannelCreated.v1': ofCommunity,
  'communities.ChannelRenamed.v1': ofCommunity,
  'communities.ChannelDescribed.v1': ofCommunity,
  'communities.ChannelsArranged.v1': ofCommunity,
  'communities.ChannelExplicitnessChanged.v1': ofCommunity,
  'communities.SlowmodeChanged.v1': ofCommunity,
  'communities.MessageHighlighted.v1': ofCommunity,
  'communities.HighlightCleared.v1': ofCommunity,
  'communities.ChannelDeleted.v1': ofCommunity,
  'communities.RoleCreated.v1': ofCommunity,
  'communities.RoleEdited.v1': ofCommunity,
  'communities.RoleDeleted.v1': ofCommunity,
  'communities.OverrideSet.v1': ofCommunity,
  'communities.OverrideRemoved.v1': ofCommunity,
};

export const communityDocuments: DocumentType<CommunityDocument, CommunityEvent> = {
  name: 'communities',
  version: 1,
  keys,
  streams: (key) => [`community-${key}`],
  indexes: {},
  evolve: {
    'communities.CommunityCreated.v1': (_, event) => founded(event),
    'communities.CommunityDeleted.v1': removed,
    'communities.ChannelCreated.v1': whenThere((community, { data }) => withMadeChannel(community, data)),
    'communities.ChannelRenamed.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, name: data.name })),
    ),
    'communities.ChannelDescribed.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, description: data.description })),
    ),
    'communities.ChannelsArranged.v1': whenThere((community, { data }) => arranged(community, data.places)),
    'communities.ChannelExplicitnessChanged.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, explicit: data.explicit })),
    ),
    'communities.SlowmodeChanged.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, slowmodeSeconds: data.seconds })),
    ),
    'communities.MessageHighlighted.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, highlighted: data.message })),
    ),
    'communities.HighlightCleared.v1': whenThere((community, { data }) =>
      withChannel(community, data.channel, ({ highlighted: _, ...channel }) => channel),
    ),
    'communities.ChannelDeleted.v1': whenThere((community, { data }) => withoutChannel(community, data.channel)),
    'communities.RoleCreated.v1': whenThere((community, { data }) => ({
      ...community,
      roles: [...community.roles.filter(({ id }) => id !== data.role), roleOf(data)],
    })),
    'communities.RoleEdited.v1': whenThere((community, { data }) => ({
      ...community,
      roles: community.roles.map((role) => (role.id === data.role ? roleOf(data) : role)),
    })),
    'communities.RoleDeleted.v1': whenThere((community, { data }) => ({
      ...community,
      roles: community.roles.filter(({ id }) => id !== data.role),
      channels: withoutRoleOverrides(community.channels, data.role),
    })),
    'communities.OverrideSet.v1': whenThere((community, { data: { channel, role, pos, neg } }) =>
      withOverride(community, channel, { role, pos, neg }),
    ),
    'communities.OverrideRemoved.v1': whenThere((community, { data }) =>
      withoutOverride(community, data.channel, data.role),
    ),
  },
};

const founded = ({ data, at }: Recorded<CommunityCreated>): CommunityDocument => ({
  id: data.community,
  name: data.name,
  owner: data.owner,
  defaultPermissions: data.defaultPermissions,
  createdAt: at,
  channels: [],
  roles: [],
});

const roleOf = (data: RoleCreated['data'] | RoleEdited['data']): RoleRecord => ({
  id: data.role,
  name: data.name,
  permissions: data.permissions,
  priority: data.priority,
  color: data.color,
  separated: data.separated,
  public: data.public,
});
