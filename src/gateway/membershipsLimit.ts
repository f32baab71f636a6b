import { reject, type Rejection } from '../kernel/decider.js';
import type { UserId } from '../kernel/ids.js';
import { communitiesById } from '../projections/communities/queries.js';
import { memberships } from '../projections/members/queries.js';
import type { Reads } from '../projections/reading.js';

/** Of one user. Everything that a user sees in one answer, and what a node holds for a connected one, is bounded by it. */
export const membershipsMax = 200;

/** Whoever is in too many communities joins no other. Two requests at the same moment may go one beyond. */
export const refusedAnother = async (reads: Reads, user: UserId): Promise<Rejection | undefined> => {
  const all = await memberships(reads, user);
  if (all.length < membershipsMax) return undefined;
  // Memberships of deleted communities are still listed: only those that are left count.
  const ids = all.map(({ community }) => community);
  const living = await communitiesById(reads, ids);
  return living.length < membershipsMax
    ? undefined
    : reject('TOO_MANY', `at most ${membershipsMax.toString()} communities`);
};
