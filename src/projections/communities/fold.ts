import { communityStreams, type CommunityEvent } from '../../domain/communities/events.js';
import { eachStructureEvent, restructured, type StructureEvent } from '../../domain/communities/structure.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { EventOf, Recorded } from '../../kernel/event.js';
import type { CommunityId } from '../../kernel/ids.js';
import { momentOf } from '../../kernel/moment.js';
import { removed, whenThere } from '../runner/foldHelpers.js';
import type { CommunityDocument } from './documents.js';
import { withSightTimes } from './sightTimes.js';

export const communityKey = (community: CommunityId): string => community.toString();

const ofCommunity = ({ data }: { readonly data: { readonly community: CommunityId } }): readonly string[] => [
  communityKey(data.community),
];

const keys: DocumentKeys<CommunityEvent> = {
  CommunityCreated: ofCommunity,
  CommunityDeleted: ofCommunity,
  ...eachStructureEvent(ofCommunity),
};

const living = whenThere<CommunityDocument, StructureEvent>((community, event) =>
  withSightTimes(community, restructured(community, event), momentOf(event)),
);

export const communityDocuments: DocumentType<CommunityDocument, CommunityEvent> = {
  name: 'communities',
  version: 5,
  keys,
  streams: (key) => [communityStreams.named(key)],
  indexes: {},
  evolve: {
    CommunityCreated: (_, event) => founded(event),
    CommunityDeleted: removed,
    ...eachStructureEvent(living),
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
