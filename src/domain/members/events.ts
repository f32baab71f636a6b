import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import { added, count, id, list, millis, oneOf, optional, text } from '../../kernel/schema.js';
import { communityScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { communityTopic } from '../../kernel/topics.js';

const fields = { community: id<CommunityId>('community'), user: id<UserId>('user') };

/** Paces the edits of one nickname: each takes ten seconds of it. */
const editsPaidUntil = added(millis);

export const memberStreams = streamFamily('member');
export const memberStream = (community: CommunityId, user: UserId): string =>
  memberStreams.named(`${community.toString()}.${user.toString()}`);

type OfMember = { readonly community: CommunityId; readonly user: UserId };
const stream = (data: OfMember): string => memberStream(data.community, data.user);
const about = (data: OfMember): string => communityTopic(data.community);
const sealedFor = (data: OfMember) => ({ subject: data.user, scope: communityScope(data.community) });

/** Streams: `member-<community>.<user>`: one person in one community, over all their comings and goings. */
export const memberEvents = declareEvents(
  'members',
  { stream, about, sealedFor, affects: 'permissions' },
  {
    MemberJoined: {
      says: 'Somebody joined: as the founder, or by an invite. `joining` counts their joinings of this community from 1.',
      fields: { ...fields, via: oneOf('founding', 'invite'), invite: optional(text), joining: count },
    },
    MemberLeft: {
      says: 'A member left of their own will. Roles and nickname are gone with it.',
      fields,
    },
    MemberRemoved: {
      says: 'A member was removed by another. Roles and nickname are gone with it, and so are the invites that they had made.',
      fields: { ...fields, by: id<UserId>('user') },
    },
    NicknameSet: {
      says: 'A member got a nickname in the community.',
      fields: { ...fields, by: id<UserId>('user'), editsPaidUntil },
      personal: { nickname: text },
    },
    NicknameCleared: {
      says: 'A member has no nickname any more.',
      fields: { ...fields, by: id<UserId>('user'), editsPaidUntil },
    },
    RolesSet: {
      says: 'The roles of a member, all of them, were set.',
      fields: { ...fields, roles: list(id<RoleId>('role')), by: id<UserId>('user') },
    },
  },
);
export type MemberEvent = EventsOf<typeof memberEvents>;
