import type { MemberEvent } from '../../../../domain/members/events.js';
import type { EventOf } from '../../../../kernel/event.js';
import type { CommunityId, UserId } from '../../../../kernel/ids.js';
import { communityTopic } from '../../../../kernel/topics.js';
import { userFor, type StatusOf } from '../../../rendering/user.js';
import { memberFor } from '../../../rendering/community.js';
import type { UpdateTable, Delivery } from '../../../contract/updates.js';
import type { Access } from '../../../contract/viewerPermissions.js';
import type { UpdateView } from '../../../contract/updateView.js';
import { allChannels, atOnce, visibilityDeliveries } from '../visibilityUpdates.js';
import { communityDeliveries } from '../perRecipient.js';

export type MemberDeliveryNeeds = {
  /** The members that events are about need not be connected here, so the rules may not know them yet. */
  readonly load: Access['load'];
};

export type MemberUpdatesNeeds = MemberDeliveryNeeds & { readonly statusOf: StatusOf };

export const memberUpdates = (needs: MemberUpdatesNeeds): UpdateTable<MemberEvent, UpdateView> => ({
  MemberJoined: async ({ data }, view) => [
    ...welcomed(data, view),
    ...(data.via === 'founding' ? [] : await announced(data, view, needs.statusOf)),
  ],
  MemberLeft: ({ data }, view) => gone(data, view),
  MemberRemoved: ({ data }, view) => gone(data, view),
  NicknameSet: ({ data }, view) => memberTold(data, view, needs),
  NicknameCleared: ({ data }, view) => memberTold(data, view, needs),
  RolesSet: async ({ data }, view) => {
    const rights = rightsTold(data, view);
    return [...(await memberTold(data, view, needs)), ...rights];
  },
});

/** Many may join at once, and the update of each shows their account. */
export const prefetchedMembers = {
  MemberJoined: ({ data }: EventOf<MemberEvent, 'MemberJoined'>): readonly UserId[] =>
    data.via === 'founding' ? [] : [data.user],
};

type About = { readonly community: CommunityId; readonly user: UserId };

const gone = ({ community, user }: About, { after }: UpdateView): readonly Delivery[] => [
  {
    audience: after.connectedMembers(community),
    update: { communityMemberDeleted: { communityId: community, memberId: user } },
  },
  { audience: [user], update: { communityDeleted: { communityId: community } } },
];

/** The joiner is sent the community and the channels that they see in it. */
const welcomed = ({ community, user }: About, view: UpdateView): readonly Delivery[] =>
  atOnce([
    ...communityDeliveries(view, community, [user]),
    ...visibilityDeliveries(view, { community, users: [user], channels: allChannels(view, community) }),
  ]);

const announced = async (
  { community, user }: EventOf<MemberEvent, 'MemberJoined'>['data'],
  view: UpdateView,
  statusOf: StatusOf,
): Promise<readonly Delivery[]> => {
  const document = view.after.community(community);
  if (document === undefined) return [];
  const audience = [...view.after.connectedMembers(community)];
  const [found, [status]] = await Promise.all([view.user(user), statusOf([user])]);
  const update = {
    communityMemberCreated: {
      communityId: community,
      memberId: user,
      member: memberFor(document, user, { roles: [] }),
      user: found && userFor(found, status),
    },
  };
  return [{ audience, update }];
};

const memberTold = (
  { community, user }: About,
  view: UpdateView,
  needs: MemberDeliveryNeeds,
): Promise<readonly Delivery[]> => memberDeliveries({ community, users: [user] }, view, needs);

type AboutMany = { readonly community: CommunityId; readonly users: readonly UserId[] };

/** Each of them as they are now, to everybody in the community. */
export const memberDeliveries = async (
  { community, users }: AboutMany,
  { after }: UpdateView,
  { load }: MemberDeliveryNeeds,
): Promise<readonly Delivery[]> => {
  await load(community, users);
  const document = after.community(community);
  if (document === undefined) return [];
  const audience = [...after.connectedMembers(community)];
  return users.flatMap((user) => {
    const membership = after.member(community, user)?.membership;
    if (membership === undefined) return [];
    const member = memberFor(document, user, membership);
    const merge = { place: communityTopic(community), what: `member ${user.toString()}` };
    return [{ audience, update: { communityMember: { communityId: community, memberId: user, member } }, merge }];
  });
};

/** The effect of other roles on the rights and the sight of the member. Taken from the rules before any wait. */
const rightsTold = ({ community, user }: About, view: UpdateView): readonly Delivery[] => {
  const before = view.before.member(community, user)?.permissions;
  const after = view.after.member(community, user)?.permissions;
  return [
    ...(before === after ? [] : communityDeliveries(view, community, [user])),
    ...visibilityDeliveries(view, { community, users: [user], channels: allChannels(view, community) }),
  ];
};
