import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import { count, id, list, oneOf, optional, text } from '../../kernel/schema.js';
import { communityTopic } from '../../kernel/topics.js';

/** Streams: `member-<community>.<user>`: one person in one community, over all their comings and goings. */
export type MemberEvent = MemberJoined | MemberLeft | NicknameSet | NicknameCleared | RolesSet;

const fields = { community: id<CommunityId>('community'), user: id<UserId>('user') };
const about = (data: { readonly community: CommunityId }): string => communityTopic(data.community);

export const memberJoined = eventKind('members.MemberJoined.v1', {
  says: 'Somebody joined: as the founder, or by an invite. `joining` counts their joinings of this community from 1.',
  about,
  fields: { ...fields, via: oneOf('founding', 'invite'), invite: optional(text), joining: count },
});
export type MemberJoined = EventFrom<typeof memberJoined>;

export const memberLeft = eventKind('members.MemberLeft.v1', {
  says: 'A member left of their own will. Roles and nickname are gone with it.',
  about,
  fields,
});
export type MemberLeft = EventFrom<typeof memberLeft>;

export const nicknameSet = eventKind('members.NicknameSet.v1', {
  says: 'A member got a nickname in the community.',
  about,
  fields: { ...fields, by: id<UserId>('user') },
  personal: { nickname: text },
  sealedFor: (data) => ({ subject: data.user, scope: `community.${data.community.toString()}` }),
});
export type NicknameSet = EventFrom<typeof nicknameSet>;

export const nicknameCleared = eventKind('members.NicknameCleared.v1', {
  says: 'A member has no nickname any more.',
  about,
  fields: { ...fields, by: id<UserId>('user') },
});
export type NicknameCleared = EventFrom<typeof nicknameCleared>;

export const rolesSet = eventKind('members.RolesSet.v1', {
  says: 'The roles of a member, all of them, were set.',
  about,
  fields: { ...fields, roles: list(id<RoleId>('role')), by: id<UserId>('user') },
});
export type RolesSet = EventFrom<typeof rolesSet>;

export const memberEvents = [memberJoined, memberLeft, nicknameSet, nicknameCleared, rolesSet] as const;
