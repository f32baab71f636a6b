import type { CreateRole, DeleteRole, EditRole } from '../../../../domain/communities/commands.js';
import { communities } from '../../../../domain/communities/decide.js';
import type { CreateRole as CreateRoleRequest, EditRole as EditRoleRequest } from '../../../../gen/communities.js';
import { reject } from '../../../../kernel/decider.js';
import type { ChannelId, CommunityId, RoleId, UserId } from '../../../../kernel/ids.js';
import { roleFor } from '../../../rendering/community.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { inCommunity } from '../../../access/scopes.js';
import type { ViewerPermissions } from '../../../contract/viewerPermissions.js';
import type { CommunityNeeds } from '../needs.js';
import { bitsOf } from '../wire.js';

export type RoleRpcs =
  'communitiesCreateRole' | 'communitiesEditRole' | 'communitiesDeleteRole' | 'communitiesGetRoles';

export const roleRpcs = ({ access, ids }: Pick<CommunityNeeds, 'access' | 'ids'>): Handlers<RoleRpcs> => ({
  communitiesCreateRole: inCommunity(access, async (request, call, { community, asked }) => {
    const content = contentOf(request);
    const create = asked((by): CreateRole => ({
      type: 'CreateRole',
      data: { community, role: ids.next() as RoleId, by, ...content },
    }));
    return done(await call.run(communities, create));
  }),

  communitiesEditRole: inCommunity(access, async (request, call, { community, asked }) => {
    const content = { community, role: request.id, ...contentOf(request) };
    const edit = asked((by): EditRole => ({ type: 'EditRole', data: { ...content, by } }));
    return done(await call.run(communities, edit));
  }),

  communitiesDeleteRole: inCommunity(access, async ({ id: role }, call, { community, permissions, asked }) => {
    if (permissions.community(community)?.roles.some(({ id }) => id === role) !== true) return reject('ROLE_NOT_FOUND');
    const remove = asked((by, now): DeleteRole => {
      const inChannels = permissionsWhereOverridden(now, { community, role, user: by.user });
      return { type: 'DeleteRole', data: { community, role, by, inChannels } };
    });
    return done(await call.run(communities, remove));
  }),

  // Roles are in memory with the permissions: there is no read model to wait for.
  communitiesGetRoles: inCommunity(access, (_, __, { community, permissions }) => {
    const document = permissions.community(community);
    if (document === undefined) return Promise.resolve(reject('COMMUNITY_NOT_FOUND'));
    const roles = document.roles.map((role) => roleFor(community, role));
    return Promise.resolve({ communityRoles: { roles, defaultPermissions: document.defaultPermissions } });
  }),
});

type AskedAbout = { readonly community: CommunityId; readonly role: RoleId; readonly user: UserId };

/** Of the user, in each channel with an override of its own for the role. */
const permissionsWhereOverridden = (
  permissions: ViewerPermissions,
  { community, role, user }: AskedAbout,
): ReadonlyMap<ChannelId, bigint> => {
  const channels = permissions.community(community)?.channels ?? [];
  const overridden = channels.filter(({ overrides }) => overrides.some((override) => override.role === role));
  return new Map(overridden.map(({ id }) => [id, permissions.inChannel(community, id, user)]));
};

const contentOf = (request: CreateRoleRequest | EditRoleRequest) => ({
  name: request.name,
  permissions: bitsOf(request.permissions),
  priority: request.priority,
  color: request.color,
  separated: request.separated,
  public: request.public,
});
