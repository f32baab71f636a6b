import { defined } from '../../../../kernel/defined.js';
import type { EditMember } from '../../../../domain/members/commands.js';
import { members as memberRules } from '../../../../domain/members/decide.js';
import type { MembersInit } from '../../../../gen/communities.js';
import { CommunityMember, User } from '../../../../gen/types.js';
import { reject } from '../../../../kernel/decider.js';
import type { CommunityId, UserId } from '../../../../kernel/ids.js';
import type { CommunityDocument } from '../../../../projections/communities/documents.js';
import { community } from '../../../../projections/communities/queries.js';
import { members, membersById } from '../../../../projections/members/queries.js';
import { answerBytesMax, bytesOf, fitting } from '../../../rendering/answerSize.js';
import { usersFor } from '../../../rendering/user.js';
import { memberFor } from '../../../rendering/community.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { inCommunity } from '../../../access/scopes.js';
import type { CommunityNeeds } from '../needs.js';
import {} from '../wire.js';

/** In one answer. */
export const membersListedMax = 1_000;

export type MemberRpcs = 'communitiesGetMembers' | 'communitiesEditMember';

export const memberRpcs = (needs: Pick<CommunityNeeds, 'access' | 'reads' | 'statusOf'>): Handlers<MemberRpcs> => ({
  communitiesGetMembers: inCommunity(
    needs.access,
    async ({ communityId, memberIds }) => {
      const document = await community(needs.reads, communityId);
      if (document === undefined) return reject('COMMUNITY_NOT_FOUND');
      return { members: await listed(needs, document, memberIds) };
    },
    { reads: ['communities', 'members', 'users'] },
  ),

  communitiesEditMember: inCommunity(
    needs.access,
    async ({ memberId, nickname, roleIds }, call, { community: id, by, permissions }) => {
      const owner = permissions.member(id, by.user)?.owner ?? false;
      const member = permissions.member(id, memberId);
      if (member === undefined) return reject('MEMBER_NOT_FOUND');
      const edit: EditMember = {
        type: 'EditMember',
        data: {
          community: id,
          user: memberId,
          by: { ...by, owner },
          rank: member.rank,
          communityRoles: permissions.community(id)?.roles ?? [],
          ...defined({
            nickname,
            roles: roleIds?.roleIds,
          }),
        },
      };
      return done(await call.run(memberRules, edit));
    },
    { others: ({ memberId }) => [memberId] },
  ),
});

/** Those asked for that are members, or the first of all when nobody is asked for. */
const listed = async (
  { reads, statusOf }: Pick<CommunityNeeds, 'reads' | 'statusOf'>,
  document: CommunityDocument,
  ids: readonly UserId[],
): Promise<MembersInit> => {
  const id: CommunityId = document.id;
  const found =
    ids.length === 0
      ? await members(reads, id, { limit: membersListedMax })
      : await membersById(reads, id, [...new Set(ids)]);
  const users = await usersFor(
    { reads, statusOf },
    found.map(({ user }) => user),
  );
  const pairs = found.flatMap((member, index) => {
    const user = users[index];
    return user === undefined ? [] : [{ member: memberFor(document, member.user, member), user }];
  });
  const sent = fitting(
    pairs,
    answerBytesMax,
    ({ member, user }) => bytesOf(CommunityMember, member) + bytesOf(User, user),
  );
  return { members: sent.map(({ member }) => member), users: sent.map(({ user }) => user) };
};
