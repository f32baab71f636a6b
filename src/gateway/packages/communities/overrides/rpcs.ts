import type { CreateChannelOverride, DeleteChannelOverride } from '../../../../domain/communities/commands.js';
import { communities } from '../../../../domain/communities/decide.js';
import { isRejection } from '../../../../kernel/decider.js';
import type { CommunityId, RoleId } from '../../../../kernel/ids.js';
import { overrideFor } from '../../../rendering/channel.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { channelIn } from '../../../access/memberAccess.js';
import { inChannel } from '../../../access/scopes.js';
import type { CommunityNeeds } from '../needs.js';
import { bitsOf } from '../wire.js';

export type OverrideRpcs =
  'communitiesCreateChannelOverride' | 'communitiesDeleteChannelOverride' | 'communitiesGetChannelOverrides';

export const overrideRpcs = ({ access }: Pick<CommunityNeeds, 'access'>): Handlers<OverrideRpcs> => ({
  communitiesCreateChannelOverride: inChannel(access, async (request, call, { community, channel, asked }) => {
    const override = {
      role: roleOf(community, request.roleId),
      pos: bitsOf(request.permissions?.pos ?? 0n),
      neg: bitsOf(request.permissions?.neg ?? 0n),
    };
    const create = asked((by): CreateChannelOverride => ({
      type: 'CreateChannelOverride',
      data: { community, channel, by, ...override },
    }));
    const outcome = await call.run(communities, create);
    if (isRejection(outcome)) return outcome;
    return { channelOverride: { override: overrideFor(community, channel, override) } };
  }),

  communitiesDeleteChannelOverride: inChannel(access, async (request, call, { community, channel, asked }) => {
    const about = { community, channel, role: roleOf(community, request.roleId) };
    const remove = asked((by): DeleteChannelOverride => ({ type: 'DeleteChannelOverride', data: { ...about, by } }));
    return done(await call.run(communities, remove));
  }),

  // Overrides are in memory with the permissions: there is no read model to wait for.
  communitiesGetChannelOverrides: inChannel(access, (_, __, { community, channel, permissions }) => {
    const overrides = permissions
      .overrides(community, channel)
      .map((override) => overrideFor(community, channel, override));
    const parentSync = channelIn(permissions, community, channel)?.synced ?? false;
    return Promise.resolve({ channelOverrides: { overrides, parentSync } });
  }),
});

const everybody = 0n as RoleId;

/** There is no role for everybody on the wire: 0 and the community's own id both mean it. */
const roleOf = (community: CommunityId, role: RoleId): RoleId =>
  (role as bigint) === (community as bigint) ? everybody : role;
