import type { CommunityId, UserId } from '../../../kernel/ids.js';
import { communityTopic } from '../../../kernel/topics.js';
import { perRendering, type AlikeUsers } from '../../contract/perRendering.js';
import type { Delivery } from '../../contract/updates.js';
import { communityFor } from '../../rendering/community.js';
import type { ViewerPermissions } from '../../contract/viewerPermissions.js';
import type { UpdateView } from '../../contract/updateView.js';

/**
 * Members who had the same rank and have the same rank now: owner or not, and with the same roles. The same permissions
 * hold for all of them.
 */
export const alike = (
  { before, after }: Pick<UpdateView, 'before' | 'after'>,
  community: CommunityId,
  users: Iterable<UserId>,
): readonly AlikeUsers[] => {
  const groups = new Map<string, [UserId, ...UserId[]]>();
  for (const user of users) {
    const ranks = `${rankOf(before, community, user)}>${rankOf(after, community, user)}`;
    const group = groups.get(ranks);
    if (group === undefined) groups.set(ranks, [user]);
    else group.push(user);
  }
  return [...groups.values()];
};

/** The community, to each of them as they see it. */
export const communityDeliveries = (
  view: UpdateView,
  community: CommunityId,
  users: Iterable<UserId>,
): readonly Delivery[] => {
  const document = view.after.community(community);
  if (document === undefined) return [];
  return perRendering(
    alike(view, community, users),
    (user) => {
      const member = view.after.member(community, user);
      return member && `${member.owner ? 'owner' : 'member'}.${member.permissions.toString()}`;
    },
    (user) => ({
      update: {
        community: { communityId: community, community: communityFor(document, view.after.member(community, user)) },
      },
      merge: { place: communityTopic(community), what: 'community' },
    }),
  );
};

const rankOf = (permissions: ViewerPermissions, community: CommunityId, user: UserId): string => {
  const member = permissions.member(community, user);
  if (member === undefined) return 'outside';
  return member.owner ? 'owner' : member.roles.map(({ id }) => id.toString()).join();
};
