import { isRejection, reject, type Decider, type Decision, type Rejection } from '../../kernel/decider.js';
import { displayName } from '../../kernel/displayName.js';
import { paced } from '../../kernel/editPace.js';
import type { CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import { opened } from '../../kernel/opened.js';
import { has } from '../../kernel/permissions.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import type { EditMember, JoinCommunity, LeaveCommunity, MemberCommand } from './commands.js';
import { memberStream, type MemberEvent } from './events.js';
import { evolve, initial, snapshots, type MemberState } from './state.js';

/** In UTF-16 code units. */
export const nicknameUnitsMax = 100;

/** Names the command of one joining for ever, for each that may give it: the handler, or the workflow after a crash. */
export const joiningId = (community: CommunityId, user: UserId, joining: number): string =>
  `join.${community.toString()}.${user.toString()}.${joining.toString()}`;

const joinCommunity = (
  { community, user, via, invite, joining }: JoinCommunity['data'],
  state: MemberState,
): Decision<MemberEvent> => {
  if (state.status === 'member' || state.joinings >= joining) return [];
  const by = invite === undefined ? { via } : { via, invite };
  return [{ type: 'MemberJoined', data: { community, user, ...by, joining: state.joinings + 1 } }];
};

const leaveCommunity = (
  { community, user, owner }: LeaveCommunity['data'],
  state: MemberState,
): Decision<MemberEvent> => {
  if (state.status === 'outside') return [];
  if (owner) return reject('OWNER_CANNOT_LEAVE');
  return [{ type: 'MemberLeft', data: { community, user } }];
};

const editMember = (edit: EditMember['data'], state: MemberState): Decision<MemberEvent> => {
  if (state.status === 'outside') return reject('MEMBER_NOT_FOUND');
  const nickname = nicknamed(edit, state);
  const named = isRejection(nickname) ? nickname : paced(nickname, state.editsPaidUntil, edit.at);
  if (isRejection(named)) return named;
  const given = rolesGiven(edit, state);
  return isRejection(given) ? given : [...named, ...given];
};

type Member = Extract<MemberState, { readonly status: 'member' }>;

type NicknameEvent = Extract<WrittenEvent<MemberEvent>, { readonly type: 'NicknameSet' | 'NicknameCleared' }>;

const nicknamed = (edit: EditMember['data'], state: Member): readonly NicknameEvent[] | Rejection => {
  const { community, user, by, nickname } = edit;
  if (nickname === undefined) return [];
  const mayNameOthers = has(by.permissions, 'modifyCommunity') || has(by.permissions, 'modifyRoles');
  if (by.user !== user && !mayNameOthers) return reject('MISSING_PERMISSION');
  if (by.user !== user && !ranksAbove(edit)) return reject('OUTRANKED');
  const about = { community, user, by: by.user };
  if (nickname.trim() === '') return state.nickname === undefined ? [] : [{ type: 'NicknameCleared', data: about }];
  const current = state.nickname && opened(state.nickname);
  const name = displayName(nickname, nicknameUnitsMax, current);
  if (isRejection(name)) return name;
  return name === current ? [] : [{ type: 'NicknameSet', data: { ...about, nickname: name } }];
};

const rolesGiven = (edit: EditMember['data'], state: Member): readonly WrittenEvent<MemberEvent>[] | Rejection => {
  if (edit.roles === undefined) return [];
  const { community, user, by, communityRoles } = edit;
  if (!has(by.permissions, 'modifyRoles')) return reject('MISSING_PERMISSION');
  if (!by.owner && !ranksAbove(edit)) return reject('OUTRANKED');
  const known = new Map(communityRoles.map((role) => [role.id, role]));
  const wanted = new Set(edit.roles);
  if ([...wanted].some((role) => !known.has(role))) return reject('ROLE_NOT_FOUND');

  const held = new Set(state.roles.filter((role) => known.has(role)));
  const added = communityRoles.filter(({ id }) => wanted.has(id) && !held.has(id));
  const removed = communityRoles.filter(({ id }) => held.has(id) && !wanted.has(id));
  if (added.length === 0 && removed.length === 0) return [];
  if ([...added, ...removed].some(({ priority }) => priority >= by.rank)) return reject('OUTRANKED');
  if (added.some(({ permissions }) => (permissions & ~by.permissions) !== 0n)) return reject('MISSING_PERMISSION');
  const roles: readonly RoleId[] = [...wanted];
  return [{ type: 'RolesSet', data: { community, user, roles, by: by.user } }];
};

const ranksAbove = ({ by, rank }: EditMember['data']): boolean => rank < by.rank;

export const members: Decider<MemberCommand, MemberState, MemberEvent> = {
  stream: ({ data }) => memberStream(data.community, data.user),
  initial,
  evolve,
  keepsMoments: true,
  snapshots,
  rules: { JoinCommunity: joinCommunity, LeaveCommunity: leaveCommunity, EditMember: editMember },
};
