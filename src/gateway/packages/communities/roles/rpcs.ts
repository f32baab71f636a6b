import type { CreateRole, EditRole } from '../../../../domain/communities/commands.js';
import { communities } from '../../../../domain/communities/decide.js';
import type { CreateRole as CreateRoleRequest, EditRole as EditRoleRequest } from '../../../../gen/communities.js';
import { isRejection, reject } from '../../../../kernel/decider.js';
import type { RoleId } from '../../../../kernel/ids.js';
import { roleFor } from '../../../rendering/community.js';
import type { Handlers } from '../../../contract/handlers.js';
import { memberAsker, rulesFor } from '../../../access/memberAccess.js';
import type { CommunityNeeds } from '../needs.js';
import { bitsOf, done, nameOf } from '../wire.js';

export type RoleRpcs =
  'communitiesCreateRole' | 'communitiesEditRole' | 'communitiesDeleteRole' | 'communitiesGetRoles';

export const roleRpcs = ({ access, ids }: Pick<CommunityNeeds, 'access' | 'ids'>): Handlers<RoleRpcs> => ({
  async communitiesCreateRole(request, call) {
    const { communityId: community } = request;
    await rulesFor(access, call, community);
    const by = memberAsker(access.now, community, call.caller.user);
    if (isRejection(by)) return by;
    const outcome = await call.run(communities, (): CreateRole => ({
      type: 'CreateRole',
      data: { community, role: ids.next() as RoleId, by, ...contentOf(request) },
    }));
    return done(outcome);
  },

  async communitiesEditRole(request, call) {
    const { communityId: community, id: role } = request;
    await rulesFor(access, call, community);
    const by = memberAsker(access.now, community, call.caller.user);
    if (isRejection(by)) return by;
    const edit: EditRole = { type: 'EditRole', data: { community, role, by, ...contentOf(request) } };
    return done(await call.run(communities, edit));
  },

  async communitiesDeleteRole({ communityId: community, id: role }, call) {
    await rulesFor(access, call, community);
    const by = memberAsker(access.now, community, call.caller.user);
    if (isRejection(by)) return by;
    if (access.now.community(community)?.roles.some(({ id }) => id === role) !== true) return reject('ROLE_NOT_FOUND');
    return done(await call.run(communities, { type: 'DeleteRole', data: { community, role, by } }));
  },

  // Roles are in memory with the rules: there is no read model to wait for.
  async communitiesGetRoles({ communityId }, call) {
    await rulesFor(access, call, communityId);
    const document = access.now.community(communityId);
    const member = access.now.member(communityId, call.caller.user);
    if (document === undefined || member === undefined) return reject('COMMUNITY_NOT_FOUND');
    const roles = document.roles.map((role) => roleFor(communityId, role));
    return { communityRoles: { roles, defaultPermissions: document.defaultPermissions } };
  },
});

const contentOf = (request: CreateRoleRequest | EditRoleRequest) => ({
  name: nameOf(request.name),
  permissions: bitsOf(request.permissions),
  priority: request.priority,
  color: request.color,
  separated: request.separated,
  public: request.public,
});
