import type { CommunityId, RoleId, UserId } from '../../kernel/ids.js';
import { documentOf, documentsIn, documentsOf, type Reads } from '../reading/queries.js';
import type { MemberDocument, Membership, RemovalDocument } from './documents.js';
import { memberDocuments, memberKey, membershipsDocuments, membershipsKey, removalDocuments } from './fold.js';

export const member = (reads: Reads, community: CommunityId, user: UserId): Promise<MemberDocument | undefined> =>
  documentOf(reads, memberDocuments, memberKey(community, user));

/** In the order of `users`; those who are no members are left out. */
export const membersById = (
  reads: Reads,
  community: CommunityId,
  users: readonly UserId[],
): Promise<readonly MemberDocument[]> =>
  documentsOf(
    reads,
    memberDocuments,
    users.map((user) => memberKey(community, user)),
  );

export type MembersPage = {
  /** The last user of the page before. */
  readonly after?: UserId;
  readonly limit: number;
};

/** By user, ascending. */
export const members = (reads: Reads, community: CommunityId, page: MembersPage): Promise<readonly MemberDocument[]> =>
  documentsIn(reads, memberDocuments, { ...page, index: 'byCommunity', within: [community], order: 'ascending' });

/** Those with the role, also after it was deleted, by user, ascending. */
export const holders = (
  reads: Reads,
  { community, role }: { readonly community: CommunityId; readonly role: RoleId },
  page: MembersPage,
): Promise<readonly MemberDocument[]> =>
  documentsIn(reads, memberDocuments, { ...page, index: 'byRole', within: [community, role], order: 'ascending' });

/** All communities that the user is in, in the order of joining; may name deleted ones. */
export const memberships = async (reads: Reads, user: UserId): Promise<readonly Membership[]> =>
  (await documentOf(reads, membershipsDocuments, membershipsKey(user)))?.memberships ?? [];

/** The last removal of a user from a community; undefined when there never was one. */
export const removal = (reads: Reads, community: CommunityId, user: UserId): Promise<RemovalDocument | undefined> =>
  documentOf(reads, removalDocuments, memberKey(community, user));
