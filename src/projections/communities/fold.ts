import { communityStreams, type CommunityEvent } from '../../domain/communities/events.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { EventOf, Recorded } from '../../kernel/event.js';
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
  CommunityCreated: ofCommunity,
  CommunityDeleted: ofCommunity,
  ChannelCreated: ofCommunity,
  ChannelRenamed: ofCommunity,
  ChannelDescribed: ofCommunity,
  ChannelsArranged: ofCommunity,
  ChannelExplicitnessChanged: ofCommunity,
  SlowmodeChanged: ofCommunity,
  MessageHighlighted: ofCommunity,
  HighlightCleared: ofCommunity,
  ChannelDeleted: ofCommunity,
  RoleCreated: ofCommunity,
  RoleEdited: ofCommunity,
  RoleDeleted: ofCommunity,
  OverrideSet: ofCommunity,
  OverrideRemoved: ofCommunity,
};

export const communityDocuments: DocumentType<CommunityDocument, CommunityEvent> = {
  name: 'communities',
  version: 1,
  keys,
  streams: (key) => [communityStreams.named(key)],
  indexes: {},
  evolve: {
    CommunityCreated: (_, event) => founded(event),
    CommunityDeleted: removed,
    ChannelCreated: whenThere((community, { data }) => withMadeChannel(community, data)),
    ChannelRenamed: whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, name: data.name })),
    ),
    ChannelDescribed: whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, description: data.description })),
    ),
    ChannelsArranged: whenThere((community, { data }) => arranged(community, data.places)),
    ChannelExplicitnessChanged: whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, explicit: data.explicit })),
    ),
    SlowmodeChanged: whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, slowmodeSeconds: data.seconds })),
    ),
    MessageHighlighted: whenThere((community, { data }) =>
      withChannel(community, data.channel, (channel) => ({ ...channel, highlighted: data.message })),
    ),
    HighlightCleared: whenThere((community, { data }) =>
      withChannel(community, data.channel, ({ highlighted: _, ...channel }) => channel),
    ),
    ChannelDeleted: whenThere((community, { data }) => withoutChannel(community, data.channel)),
    RoleCreated: whenThere((community, { data }) => ({
      ...community,
      roles: [...community.roles.filter(({ id }) => id !== data.role), roleOf(data)],
    })),
    RoleEdited: whenThere((community, { data }) => ({
      ...community,
      roles: community.roles.map((role) => (role.id === data.role ? roleOf(data) : role)),
    })),
    RoleDeleted: whenThere((community, { data }) => ({
      ...community,
      roles: community.roles.filter(({ id }) => id !== data.role),
      channels: withoutRoleOverrides(community.channels, data.role),
    })),
    OverrideSet: whenThere((community, { data: { channel, role, pos, neg } }) =>
      withOverride(community, channel, { role, pos, neg }),
    ),
    OverrideRemoved: whenThere((community, { data }) => withoutOverride(community, data.channel, data.role)),
  },
};

const founded = ({ data, at }: Recorded<EventOf<CommunityEvent, 'CommunityCreated'>>): CommunityDocument => ({
  id: data.community,
  name: data.name,
  owner: data.owner,
  defaultPermissions: data.defaultPermissions,
  createdAt: at,
  channels: [],
  roles: [],
});

const roleOf = (
  data: EventOf<CommunityEvent, 'RoleCreated'>['data'] | EventOf<CommunityEvent, 'RoleEdited'>['data'],
): RoleRecord => ({
  id: data.role,
  name: data.name,
  permissions: data.permissions,
  priority: data.priority,
  color: data.color,
  separated: data.separated,
  public: data.public,
});
