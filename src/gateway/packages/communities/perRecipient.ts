import type { CommunityId, UserId } from '../../../kernel/ids.js';
import type { Delivery } from '../../contract/updates.js';
import { communityFor } from '../../rendering/community.js';
import type { ViewerPermissions } from '../../contract/viewerPermissions.js';
import type { UpdateView } from '../../contract/updateView.js';

/**
 * Members who stood alike and stand alike now: owner or not, and with the same roles. The same rules hold for all of
 * them, so one of them is asked for all, and all are told with one update.
 */
export const alike = (
  { before, after }: Pick<UpdateView, 'before' | 'after'>,
  community: CommunityId,
  users: Iterable<UserId>,
): readonly (readonly [UserId, ...UserId[]])[] => {
  const groups = new Map<string, [UserId, ...UserId[]]>();
  for (const user of users) {
    const standing = `${standingOf(before, community, user)}>${standingOf(after, community, user)}`;
    const group = groups.get(standing);
    if (group === undefined) groups.set(standing, [user]);
    else group.push(user);
  }
  return [...groups.values()];
};

/** The community, to each of them as they see it: in as many parts as there are renderings. */
export const communityDeliveries = (
  view: UpdateView,
  community: CommunityId,
  users: Iterable<UserId>,
): readonly Delivery[] => {
  const document = view.after.community(community);
  if (document === undefined) return [];
  const parts = new Map<string, { readonly audience: UserId[]; readonly update: Delivery['update'] }>();
  for (const group of alike(view, community, users)) {
    const member = view.after.member(community, group[0]);
    if (member === undefined) continue;
    const rendering = `${member.owner ? 'owner' : 'member'}.${member.permissions.toString()}`;
    const part = parts.get(rendering);
    if (part !== undefined) part.audience.push(...group);
    else {
      const update = { community: { communityId: community, community: communityFor(document, member) } };
      parts.set(rendering, { audience: [...group], update });
    }
  }
  return [...parts.values()];
};

const standingOf = (rules: ViewerPermissions, community: CommunityId, user: UserId): string => {
  const member = rules.member(community, user);
  if (member === undefined) return 'outside';
  return member.owner ? 'owner' : member.roles.map(({ id }) => id.toString()).join();
};
