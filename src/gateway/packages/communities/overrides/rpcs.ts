import { communities } from '../../../../domain/communities/decide.js';
import { isRejection } from '../../../../kernel/decider.js';
import type { CommunityId, RoleId } from '../../../../kernel/ids.js';
import { overrideFor } from '../../../rendering/channel.js';
import type { Handlers } from '../../../contract/handlers.js';
import { channelAsker, channelIn, rulesFor } from '../../../access/memberAccess.js';
import type { CommunityNeeds } from '../needs.js';
import { bitsOf, done } from '../wire.js';

export type OverrideRpcs =
  'communitiesCreateChannelOverride' | 'communitiesDeleteChannelOverride' | 'communitiesGetChannelOverrides';

export const overrideRpcs = ({ access }: Pick<CommunityNeeds, 'access'>): Handlers<OverrideRpcs> => ({
  async communitiesCreateChannelOverride(request, call) {
    const { communityId: community, channelId: channel } = request;
    await rulesFor(access, call, community);
    const by = channelAsker(access.now, request, call.caller.user);
    if (isRejection(by)) return by;
    const override = {
      role: roleOf(community, request.roleId),
      pos: bitsOf(request.permissions?.pos ?? 0n),
      neg: bitsOf(request.permissions?.neg ?? 0n),
    };
    const data = { community, channel, by, ...override };
    const outcome = await call.run(communities, { type: 'CreateChannelOverride', data });
    if (isRejection(outcome)) return outcome;
    return { channelOverride: { override: overrideFor(community, channel, override) } };
  },

  async communitiesDeleteChannelOverride(request, call) {
    const { communityId: community, channelId: channel } = request;
    await rulesFor(access, call, community);
    const by = channelAsker(access.now, request, call.caller.user);
    if (isRejection(by)) return by;
    const data = { community, channel, by, role: roleOf(community, request.roleId) };
    return done(await call.run(communities, { type: 'DeleteChannelOverride', data }));
  },

  // Overrides are in memory with the rules: there is no read model to wait for.
  async communitiesGetChannelOverrides(request, call) {
    const { communityId, channelId } = request;
    await rulesFor(access, call, communityId);
    const by = channelAsker(access.now, request, call.caller.user);
    if (isRejection(by)) return by;
    const overrides = access.now
      .overrides(communityId, channelId)
      .map((override) => overrideFor(communityId, channelId, override));
    const parentSync = channelIn(access.now, communityId, channelId)?.synced ?? false;
    return { channelOverrides: { overrides, parentSync } };
  },
});

const everybody = 0n as RoleId;

/** There is no role for everybody on the wire: 0 and the community's own id both mean it. */
const roleOf = (community: CommunityId, role: RoleId): RoleId =>
  (role as bigint) === (community as bigint) ? everybody : role;
