import { communities } from '../../../domain/communities/decide.js';
import { communityStream } from '../../../domain/communities/events.js';
import { members } from '../../../domain/members/decide.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { CommunityId, UserId } from '../../../kernel/ids.js';
import { communitiesById } from '../../../projections/communities/queries.js';
import { memberships } from '../../../projections/members/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { Call } from '../../contract/call.js';

/**
 * Of one user. Everything that a user sees in one answer, and all that a node holds for a connected one, is bounded by
 * it.
 */
export const membershipsMax = 200;

export type MembershipsNeeds = { readonly reads: Reads; readonly streams: Pick<FoldedStreams, 'caughtUp'> };
type Joining = Pick<Call, 'run'> & { readonly caller: { readonly user: UserId } };

/**
 * A user who is in too many communities joins no other. Two requests at the same moment may go one beyond. The caller's
 * memberships of deleted communities, which are still listed, end here, or they would pile up.
 */
export const refusedAnother = async (needs: MembershipsNeeds, call: Joining): Promise<Rejection | undefined> => {
  const listed = (await memberships(needs.reads, call.caller.user)).map(({ community }) => community);
  if (listed.length < membershipsMax) return undefined;
  const deleted = await deletedOf(needs, listed);
  if (listed.length - deleted.length >= membershipsMax) {
    return reject('TOO_MANY', `at most ${membershipsMax.toString()} communities`);
  }
  await Promise.all(deleted.map((community) => leave(call, community)));
  return undefined;
};

/** One that the read model does not have may also be one that it does not have yet. */
const deletedOf = async (
  { reads, streams }: MembershipsNeeds,
  listed: readonly CommunityId[],
): Promise<readonly CommunityId[]> => {
  const known = new Set((await communitiesById(reads, listed)).map(({ id }) => id));
  const missing = listed.filter((community) => !known.has(community));
  const found = await Promise.all(missing.map((id) => streams.caughtUp(communityStream(id), communities)));
  return missing.filter((_, index) => found[index]?.state.status === 'deleted');
};

const leave = (call: Joining, community: CommunityId): Promise<unknown> =>
  call.run(members, { type: 'LeaveCommunity', data: { community, user: call.caller.user, owner: false } });
