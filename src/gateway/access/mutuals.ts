import { directChat } from '../../kernel/chat.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import { isAnswered } from '../../projections/conversations/documents.js';
import { conversation } from '../../projections/conversations/queries.js';
import { memberships } from '../../projections/members/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Call } from '../contract/call.js';
import type { Access } from '../contract/viewerPermissions.js';

export type MutualsNeeds = { readonly access: Access; readonly reads: Reads };

/**
 * The communities in which the caller and the other user are members now, in the order in which the caller joined. At
 * most as many as one user may be in (`membershipsMax`), and all of the caller's own where the two are the same user.
 */
export const mutualCommunities = async (
  { access, reads }: MutualsNeeds,
  call: Call,
  other: UserId,
): Promise<readonly CommunityId[]> => {
  const { user } = call.caller;
  await call.keysUpToDate('members');
  const joined = (await memberships(reads, user)).map(({ community }) => community);
  await call.accessUpToDate();
  // The read model only names the candidates, because a member may have left since, and a community may be deleted. Each
  // is looked at when it has come, because not all of them may fit into memory.
  const isMutual = (community: CommunityId): boolean =>
    [user, other].every((one) => access.now.member(community, one) !== undefined);
  const looked = joined.map(async (community) => {
    await access.load(community, [user, other]);
    return isMutual(community);
  });
  const mutual = await Promise.all(looked);
  return joined.filter((_, index) => mutual[index]);
};

/**
 * Whether the caller may know the presence of the other user: with a community in common, or a direct chat in which
 * both have written, as for the updates (`Access.statusAudience`). That list of all who may know is not asked for,
 * because it names every connected member of up to `membershipsMax` communities, and of direct chats only the latest.
 */
export const maySeeStatus = async (needs: MutualsNeeds, call: Call, other: UserId): Promise<boolean> => {
  const { user } = call.caller;
  if (user === other) return true;
  await call.keysUpToDate('conversations');
  const talk = await conversation(needs.reads, directChat(user, other));
  if (talk !== undefined && isAnswered(talk)) return true;
  return (await mutualCommunities(needs, call, other)).length > 0;
};

type StatusesOf<Status> = (users: readonly UserId[]) => Promise<readonly (Status | undefined)[]>;

/**
 * The same presences, for the caller alone: undefined also for users whose presence the caller may not know. Only users
 * who are shown online are looked at, and none of those in `known`, of whom it is certain already.
 */
export const statusesFor =
  <Status>(
    { statusOf, ...needs }: MutualsNeeds & { readonly statusOf: StatusesOf<Status> },
    call: Call,
    known: ReadonlySet<UserId> = new Set(),
  ): StatusesOf<Status> =>
  async (users) => {
    const statuses = await statusOf(users);
    // Asked after the statuses were fetched, because the caller may lose sight of a user in between.
    return Promise.all(
      users.map(async (user, index) => {
        const status = statuses[index];
        if (status === undefined || known.has(user)) return status;
        return (await maySeeStatus(needs, call, user)) ? status : undefined;
      }),
    );
  };
