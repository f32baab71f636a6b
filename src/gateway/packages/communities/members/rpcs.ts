import type { EditMember } from '../../../../domain/members/commands.js';
import { members as memberRules, nicknameUnitsMax } from '../../../../domain/members/decide.js';
import type { MembersInit } from '../../../../gen/communities.js';
import { CommunityMember, User } from '../../../../gen/types.js';
import { isRejection, reject } from '../../../../kernel/decider.js';
import type { CommunityId, UserId } from '../../../../kernel/ids.js';
import { composedTrimmed } from '../../../../kernel/text.js';
import type { CommunityDocument } from '../../../../projections/communities/documents.js';
import { community } from '../../../../projections/communities/queries.js';
import { members, membersById } from '../../../../projections/members/queries.js';
import { answerBytesMax, bytesOf, fitting } from '../../../rendering/answerSize.js';
import { usersFor } from '../../../rendering/user.js';
import { memberFor } from '../../../rendering/community.js';
import type { Handlers } from '../../../contract/handlers.js';
import { memberAsker, rulesFor } from '../../../access/memberAccess.js';
import type { CommunityNeeds } from '../needs.js';
import { done } from '../wire.js';

/** In one answer. */
export const membersListedMax = 1_000;

export type MemberRpcs = 'communitiesGetMembers' | 'communitiesEditMember';

export const memberRpcs = (needs: Pick<CommunityNeeds, 'access' | 'reads' | 'statusOf'>): Handlers<MemberRpcs> => ({
  async communitiesGetMembers({ communityId, memberIds }, call) {
    await call.upToDate('communities', 'members', 'users');
    await rulesFor(needs.access, call, communityId);
    const by = memberAsker(needs.access.now, communityId, call.caller.user);
    if (isRejection(by)) return by;
    const document = await community(needs.reads, communityId);
    if (document === undefined) return reject('COMMUNITY_NOT_FOUND');
    return { members: await listed(needs, document, memberIds) };
  },

  async communitiesEditMember({ communityId, memberId, nickname, roleIds }, call) {
    await rulesFor(needs.access, call, communityId, [memberId]);
    const rules = needs.access.now;
    const { user } = call.caller;
    const asker = rules.member(communityId, user);
    if (asker === undefined) return reject('COMMUNITY_NOT_FOUND');
    const member = rules.member(communityId, memberId);
    if (member === undefined) return reject('MEMBER_NOT_FOUND');
    const edit: EditMember = {
      type: 'EditMember',
      data: {
        community: communityId,
        user: memberId,
        by: { user, owner: asker.owner, permissions: asker.permissions, rank: asker.rank },
        rank: member.rank,
        communityRoles: rules.community(communityId)?.roles ?? [],
        ...(nickname === undefined ? {} : { nickname: composedTrimmed(nickname, nicknameUnitsMax) }),
        ...(roleIds === undefined ? {} : { roles: roleIds.roleIds }),
      },
    };
    return done(await call.run(memberRules, edit));
  },
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
