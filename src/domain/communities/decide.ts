import { usualPermissions } from '../../kernel/permissions.js';
import { isRejection, reject, type Decider, type Decision } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import { displayName } from '../../kernel/displayName.js';
import { paced } from '../../kernel/editPace.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import { has } from '../../kernel/permissions.js';
import { createChannel, deleteChannel, editChannel, takeDownHighlight } from './channels.js';
import type { CommunityCommand, CreateCommunity, DeleteCommunity, EditPhoto } from './commands.js';
import { communityStream, type CommunityEvent } from './events.js';
import { nameUnitsMax } from './limits.js';
import { createChannelOverride, deleteChannelOverride } from './overrides.js';
import { createRole, deleteRole, editRole } from './roles.js';
import { editSettings } from './settings.js';
import { evolve, initial, snapshots, type CommunityState, type LivingCommunity } from './state.js';

const createCommunity = (
  { community, general, name: typed, by }: CreateCommunity['data'],
  state: CommunityState,
): Decision<CommunityEvent> => {
  if (state.status !== 'none') return [];
  const name = displayName(typed, nameUnitsMax);
  if (isRejection(name)) return name;
  return [
    {
      type: 'CommunityCreated',
      data: { community, owner: by, defaultPermissions: usualPermissions, name },
    },
    {
      type: 'ChannelCreated',
      data: { community, channel: general, kind: 'text', position: 0, by, name: 'general' },
    },
  ];
};

const deleteCommunity = (
  { community, by }: DeleteCommunity['data'],
  state: CommunityState,
): Decision<CommunityEvent> => {
  if (state.status === 'none') return reject('COMMUNITY_NOT_FOUND');
  if (state.status === 'deleted') return [];
  if (state.owner !== by) return reject('NOT_OWNER');
  const photo = state.photo?.file;
  return [{ type: 'CommunityDeleted', data: { community, by, ...defined({ photo }) } }];
};

type PhotoEvent = Extract<
  WrittenEvent<CommunityEvent>,
  { readonly type: 'CommunityPhotoChanged' | 'CommunityPhotoRemoved' }
>;

const editPhoto = (
  { community, by: { user: by, permissions }, at, to }: EditPhoto['data'],
  { photo, editsPaidUntil }: LivingCommunity,
): Decision<CommunityEvent> => {
  if (!has(permissions, 'modifyCommunity')) return reject('MISSING_PERMISSION');
  const now = photo?.file;
  if (to !== 'removed') {
    const data = { community, by, ...to, ...defined({ replaced: now }) };
    return to.file === now ? [] : paced<PhotoEvent>([{ type: 'CommunityPhotoChanged', data }], editsPaidUntil, at);
  }
  if (now === undefined) return [];
  const data = { community, by, file: now };
  return paced<PhotoEvent>([{ type: 'CommunityPhotoRemoved', data }], editsPaidUntil, at);
};

const whileLiving =
  <Data>(rule: (data: Data, state: LivingCommunity) => Decision<CommunityEvent>) =>
  (data: Data, state: CommunityState): Decision<CommunityEvent> =>
    state.status === 'living' ? rule(data, state) : reject('COMMUNITY_NOT_FOUND');

export const communities: Decider<CommunityCommand, CommunityState, CommunityEvent> = {
  stream: ({ data }) => communityStream(data.community),
  initial,
  evolve,
  rules: {
    CreateCommunity: createCommunity,
    DeleteCommunity: deleteCommunity,
    EditPhoto: whileLiving(editPhoto),
    EditSettings: whileLiving(editSettings),
    CreateChannel: whileLiving(createChannel),
    EditChannel: whileLiving(editChannel),
    DeleteChannel: whileLiving(deleteChannel),
    TakeDownHighlight: whileLiving(takeDownHighlight),
    CreateRole: whileLiving(createRole),
    EditRole: whileLiving(editRole),
    DeleteRole: whileLiving(deleteRole),
    CreateChannelOverride: whileLiving(createChannelOverride),
    DeleteChannelOverride: whileLiving(deleteChannelOverride),
  },
  keepsMoments: true,
  begins: ['CreateCommunity'],
  snapshots,
};
