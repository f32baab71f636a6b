import { reject, type Decision, type Rejection } from '../../kernel/decider.js';
import type { RoleId } from '../../kernel/ids.js';
import { has, type Override } from '../../kernel/permissions.js';
import type { CommunityAsker, CreateChannelOverride, DeleteChannelOverride } from './commands.js';
import type { CommunityEvent } from './events.js';
import { overridesMax } from './limits.js';
import { overridesIn } from './channelTree.js';
import { channelOf, roleOf, type LivingCommunity } from './state.js';

export const createChannelOverride = (
  { community, channel: id, role, pos, neg, by }: CreateChannelOverride['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> => {
  const channel = channelOf(state, id);
  if (channel === undefined) return reject('CHANNEL_NOT_FOUND');
  if (role !== everybody && roleOf(state, role) === undefined) return reject('ROLE_NOT_FOUND');
  if ((pos & neg) !== 0n) return reject('CONFLICTING_BITS');
  const overrides = overridesIn(state.channels, channel);
  const before = overrides.find((override) => override.role === role);
  const touched = difference(before, { pos, neg });
  const refused = refusedTo(by, role, touched, state);
  if (refused !== undefined) return refused;
  if (before !== undefined && touched === 0n && !channel.synced) return [];
  if (before === undefined && overrides.length >= overridesMax) {
    return reject('TOO_MANY', `at most ${overridesMax.toString()} overrides in a channel`);
  }
  return [{ type: 'OverrideSet', data: { community, channel: id, role, pos, neg, by: by.user } }];
};

export const deleteChannelOverride = (
  { community, channel: id, role, by }: DeleteChannelOverride['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> => {
  const channel = channelOf(state, id);
  if (channel === undefined) return reject('CHANNEL_NOT_FOUND');
  const before = overridesIn(state.channels, channel).find((override) => override.role === role);
  const refused = refusedTo(by, role, (before?.pos ?? 0n) | (before?.neg ?? 0n), state);
  if (refused !== undefined) return refused;
  if (before === undefined) return [];
  return [{ type: 'OverrideRemoved', data: { community, channel: id, role, by: by.user } }];
};

/**
 * The reason for which the asker may not bring a channel from these overrides to those by another command: the bits in
 * which they differ are touched as much as by a command about each override. Undefined when the asker may.
 */
export const refusedChange = (
  by: CommunityAsker,
  before: readonly Override[],
  after: readonly Override[],
  state: LivingCommunity,
): Rejection | undefined => {
  for (const role of new Set([...before, ...after].map((override) => override.role))) {
    const of = (overrides: readonly Override[]) => overrides.find((override) => override.role === role);
    const touched = difference(of(before), of(after));
    const refused = touched === 0n ? undefined : refusedTo(by, role, touched, state);
    if (refused !== undefined) return refused;
  }
  return undefined;
};

type Bits = Pick<Override, 'pos' | 'neg'>;

const difference = (before: Bits | undefined, after: Bits | undefined): bigint =>
  ((before?.pos ?? 0n) ^ (after?.pos ?? 0n)) | ((before?.neg ?? 0n) ^ (after?.neg ?? 0n));

const everybody = 0n as RoleId;

// Lifting a denial grants as much as a grant does: so nobody touches a bit here that they do not have themselves.
const refusedTo = (
  by: CommunityAsker,
  role: RoleId,
  touched: bigint,
  state: LivingCommunity,
): Rejection | undefined => {
  if (!has(by.permissions, 'modifyChannel') && !has(by.permissions, 'modifyRoles')) return reject('MISSING_PERMISSION');
  if ((roleOf(state, role)?.priority ?? -Infinity) >= by.rank) return reject('OUTRANKED');
  return (touched & ~by.permissions) === 0n ? undefined : reject('MISSING_PERMISSION');
};
