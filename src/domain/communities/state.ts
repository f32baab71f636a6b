import type { SnapshotSpec } from '../../kernel/decider.js';
import type { Fold } from '../../kernel/event.js';
import type { ChannelId, RoleId, UserId } from '../../kernel/ids.js';
import { channelIn, type ChannelState } from './channelTree.js';
import type { CommunityEvent } from './events.js';
import {
  eachStructureEvent,
  restructured,
  type CommunityStructure,
  type RoleState,
  type StructureEvent,
} from './structure.js';

export type CommunityState = { readonly status: 'none' } | { readonly status: 'deleted' } | LivingCommunity;

export type LivingCommunity = CommunityStructure & { readonly status: 'living'; readonly owner: UserId };

const living = (state: CommunityState, event: StructureEvent): CommunityState =>
  state.status === 'living' ? restructured(state, event) : state;

export const initial: CommunityState = { status: 'none' };

export const snapshots: SnapshotSpec = { name: 'communityStates', version: 3 };

export const evolve: Fold<CommunityState, CommunityEvent> = {
  CommunityCreated: (_, { data }) => ({
    status: 'living',
    owner: data.owner,
    channels: [],
    roles: [],
  }),
  CommunityDeleted: () => ({ status: 'deleted' }),
  ...eachStructureEvent(living),
};

export const channelOf = ({ channels }: LivingCommunity, id: ChannelId): ChannelState | undefined =>
  channelIn(channels, id);

export const roleOf = ({ roles }: LivingCommunity, id: RoleId): RoleState | undefined =>
  roles.find((role) => role.id === id);
