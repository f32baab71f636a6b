import { isRejection, reject, type Decision, type Rejection } from '../../kernel/decider.js';
import { displayName } from '../../kernel/displayName.js';
import { opened } from '../../kernel/opened.js';
import type { RoleId } from '../../kernel/ids.js';
import { has } from '../../kernel/permissions.js';
import type { CommunityAsker, CreateRole, DeleteRole, EditRole } from './commands.js';
import type { CommunityEvent } from './events.js';
import { colorMax, nameUnitsMax, rolesMax } from './limits.js';
import { roleOf, type LivingCommunity } from './state.js';
import type { RoleState } from './structure.js';

export const createRole = (data: CreateRole['data'], state: LivingCommunity): Decision<CommunityEvent> => {
  if (roleOf(state, data.role) !== undefined) return [];
  const wrong = refusedTo(data.by, data.priority) ?? wrongIn(data, 0n);
  if (wrong !== undefined) return wrong;
  const name = displayName(data.name, nameUnitsMax);
  if (isRejection(name)) return name;
  if (state.roles.length >= rolesMax) return reject('TOO_MANY', `at most ${rolesMax.toString()} roles`);
  return [{ type: 'RoleCreated', data: recorded({ ...data, name }) }];
};

export const editRole = (data: EditRole['data'], state: LivingCommunity): Decision<CommunityEvent> => {
  const role = roleOf(state, data.role);
  if (role === undefined) return reject('ROLE_NOT_FOUND');
  const wrong = refusedTo(data.by, Math.max(role.priority, data.priority)) ?? wrongIn(data, role.permissions);
  if (wrong !== undefined) return wrong;
  const name = displayName(data.name, nameUnitsMax, opened(role.name));
  if (isRejection(name)) return name;
  const edited = { ...data, name };
  if (isAlready(role, edited)) return [];
  return [{ type: 'RoleEdited', data: recorded(edited) }];
};

export const deleteRole = (
  { community, role: id, by, inChannels }: DeleteRole['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> => {
  const role = roleOf(state, id);
  if (role === undefined) return [];
  const refused = refusedTo(by, role.priority) ?? refusedLifting(id, inChannels, state);
  return refused ?? [{ type: 'RoleDeleted', data: { community, role: id, by: by.user } }];
};

/**
 * The overrides of a role go with it. A denial that is lifted thus grants as much as one that is lifted by hand, so it
 * takes the same bits in that channel. Its grants may go, as they may when the role is taken from each of its members.
 */
const refusedLifting = (
  id: RoleId,
  inChannels: DeleteRole['data']['inChannels'],
  { channels }: LivingCommunity,
): Rejection | undefined => {
  const lifts = channels.some(({ id: channel, overrides }) => {
    const denied = overrides.find(({ role }) => role === id)?.neg ?? 0n;
    return (denied & ~(inChannels.get(channel) ?? 0n)) !== 0n;
  });
  return lifts ? reject('MISSING_PERMISSION') : undefined;
};

/** Only roles strictly below one's own highest one are managed. */
const refusedTo = (by: CommunityAsker, priority: number): Rejection | undefined => {
  if (!has(by.permissions, 'modifyRoles')) return reject('MISSING_PERMISSION');
  return priority < by.rank ? undefined : reject('OUTRANKED');
};

// The edit does not grant permissions that a role had before: somebody who lacks a bit can still rename the role that
// has it.
const wrongIn = (data: EditRole['data'], before: bigint): Rejection | undefined => {
  if (data.color > colorMax) return reject('INVALID_ARGUMENT', 'a colour is 0xRRGGBB');
  const granted = data.permissions & ~before;
  return (granted & ~data.by.permissions) === 0n ? undefined : reject('MISSING_PERMISSION');
};

const isAlready = (role: RoleState, data: EditRole['data']): boolean =>
  opened(role.name) === data.name &&
  role.permissions === data.permissions &&
  role.priority === data.priority &&
  role.color === data.color &&
  role.separated === data.separated &&
  role.public === data.public;

const recorded = ({ by, ...content }: EditRole['data']) => ({ ...content, by: by.user });
