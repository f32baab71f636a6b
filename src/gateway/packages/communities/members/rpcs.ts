import { defined } from '../../../../kernel/defined.js';
import type { EditMember } from '../../../../domain/members/commands.js';
import { members as memberRules } from '../../../../domain/members/decide.js';
import type { MembersInit } from '../../../../gen/communities.js';
import { CommunityMember, User } from '../../../../gen/types.js';
import { reject, type Rejection } from '../../../../kernel/decider.js';
import type { CommunityId, UserId } from '../../../../kernel/ids.js';
import type { CommunityDocument } from '../../../../projections/communities/documents.js';
import { community } from '../../../../projections/communities/queries.js';
import type { MemberDocument } from '../../../../projections/members/documents.js';
import { members, membersById } from '../../../../projections/members/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import { encodePart } from '../../../../wire/codec.js';
import { answerBytesMax, bytesOf, fitting, type Paying } from '../../../rendering/answerSize.js';
import { usersFor } from '../../../rendering/user.js';
import { memberFor } from '../../../rendering/community.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { keysPerReadMax, meteredReads } from '../../../contract/meteredReads.js';
import { inCommunity } from '../../../access/scopes.js';
import type { CommunityNeeds } from '../needs.js';

/** In one answer. */
export const membersListedMax = 1_000;

export type MemberRpcs = 'communitiesGetMembers' | 'communitiesEditMember';

export const memberRpcs = (needs: Pick<CommunityNeeds, 'access' | 'reads' | 'statusOf'>): Handlers<MemberRpcs> => ({
  communitiesGetMembers: inCommunity(
    needs.access,
    async ({ communityId, memberIds }, call) => {
      const reads = meteredReads(needs.reads, call);
      const document = await community(reads, communityId);
      if (document === undefined) return reject('COMMUNITY_NOT_FOUND');
      return { members: await listed({ ...needs, reads, meter: call.meter }, document, memberIds) };
    },
    { reads: ['communities', 'members', 'users'] },
  ),

  communitiesEditMember: inCommunity(
    needs.access,
    async ({ memberId, nickname, roleIds }, call, { community: id, asked }) => {
      const edit = asked((by, permissions): EditMember | Rejection => {
        const owner = permissions.member(id, by.user)?.owner ?? false;
        const member = permissions.member(id, memberId);
        if (member === undefined) return reject('MEMBER_NOT_FOUND');
        const about = { community: id, user: memberId, by: { ...by, owner }, rank: member.rank, at: call.now };
        const communityRoles = permissions.community(id)?.roles ?? [];
        const changes = defined({ nickname, roles: roleIds?.roleIds });
        return { type: 'EditMember', data: { ...about, communityRoles, ...changes } };
      });
      return done(await call.run(memberRules, edit));
    },
    { others: ({ memberId }) => [memberId] },
  ),
});

/** In pages, so that others are let in between. */
const firstMembers = async (reads: Reads, community: CommunityId): Promise<readonly MemberDocument[]> => {
  const found: MemberDocument[] = [];
  while (found.length < membersListedMax) {
    const after = found.at(-1)?.user;
    const page = await members(reads, community, { ...defined({ after }), limit: keysPerReadMax });
    found.push(...page);
    if (page.length < keysPerReadMax) break;
  }
  return found;
};

/** Those asked for that are members, or the first of all when nobody is asked for. */
const listed = async (
  { reads, statusOf, meter }: Pick<CommunityNeeds, 'reads' | 'statusOf'> & { readonly meter: Paying },
  document: CommunityDocument,
  ids: readonly UserId[],
): Promise<MembersInit> => {
  const id: CommunityId = document.id;
  const found = ids.length === 0 ? await firstMembers(reads, id) : await membersById(reads, id, [...new Set(ids)]);
  const users = await usersFor(
    { reads, statusOf },
    found.map(({ user }) => user),
  );
  const pairs = found.flatMap((member, index) => {
    const user = users[index];
    return user === undefined ? [] : [{ member, user }];
  });
  const sent = await fitting(
    pairs,
    {
      made: ({ member, user }) => ({
        member: encodePart(CommunityMember, memberFor(document, member.user, member)),
        user: encodePart(User, user),
      }),
      sizeOf: ({ member, user }) => bytesOf(member, user),
      bytesMax: answerBytesMax,
    },
    meter,
  );
  return { members: sent.map(({ member }) => member), users: sent.map(({ user }) => user) };
};
