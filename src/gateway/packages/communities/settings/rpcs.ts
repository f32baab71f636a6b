import type { EditSettings } from '../../../../domain/communities/commands.js';
import { communities } from '../../../../domain/communities/decide.js';
import { communityStream } from '../../../../domain/communities/events.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { ChannelId, CommunityId, UserId } from '../../../../kernel/ids.js';
import { accessFor, memberAsker } from '../../../access/memberAccess.js';
import { inCommunity } from '../../../access/scopes.js';
import type { Handlers } from '../../../contract/handlers.js';
import type { ViewerPermissions } from '../../../contract/viewerPermissions.js';
import type { CommunityNeeds } from '../needs.js';
import { settingsFor, wishesOf, type Wishes } from './wire.js';

export type CommunitySettingsRpcs = 'communitiesEditSettings';

/**
 * Members may read the settings, because the default of notifications is theirs, but are shown no channel that is hidden
 * from them.
 */
export const communitySettingsRpcs = (needs: CommunityNeeds): Handlers<CommunitySettingsRpcs> => ({
  communitiesEditSettings: inCommunity(needs.access, async ({ settings }, call, { community, by, asked }) => {
    const wishes = settings && wishesOf(settings);
    if (isRejection(wishes)) return wishes;
    if (wishes !== undefined) {
      const present = isChannelAbsent(settings) ? await systemChannel(needs, community) : undefined;
      const edit = asked((by, permissions): EditSettings | Rejection => {
        const channel = wishes.systemMessages?.channel;
        const isHidden = channel !== undefined && !sees(permissions, community, channel, by.user);
        if (isHidden) return reject('CHANNEL_NOT_FOUND');
        const isUnseen = present !== undefined && !sees(permissions, community, present, by.user);
        const kept = isUnseen ? keeping(wishes, present) : wishes;
        return { type: 'EditSettings', data: { community, by, at: call.now, ...kept } };
      });
      const edited = await call.run(communities, edit);
      if (isRejection(edited)) return edited;
    }
    const { state } = await needs.streams.caughtUp(communityStream(community), communities);
    if (state.status !== 'living') return reject('COMMUNITY_NOT_FOUND');
    // Looked at after the waits, during which the caller may have been removed, and the community have left memory.
    await accessFor(needs.access, call, community);
    const still = memberAsker(needs.access.now, community, by.user);
    if (isRejection(still)) return still;
    const shown = (channel: ChannelId) => sees(needs.access.now, community, channel, by.user);
    return { communitySettings: settingsFor(state.settings ?? {}, shown) };
  }),
});

/** An editor who was shown no channel hands back none. Only an id of 0 takes a channel away that the editor does not see. */
const isChannelAbsent = (settings: EditedSettings): boolean =>
  settings?.systemMessages !== undefined && settings.systemMessages.channelId === undefined;

type EditedSettings = Parameters<typeof wishesOf>[0] | undefined;

const systemChannel = async ({ streams }: CommunityNeeds, community: CommunityId): Promise<ChannelId | undefined> => {
  const { state } = await streams.caughtUp(communityStream(community), communities);
  return state.status === 'living' ? state.settings?.systemMessages?.channel : undefined;
};

const keeping = ({ systemMessages, ...wishes }: Wishes, unseen: ChannelId): Wishes => ({
  ...wishes,
  ...(systemMessages !== undefined && { systemMessages: { ...systemMessages, unseen } }),
});

const sees = (rules: ViewerPermissions, community: CommunityId, channel: ChannelId, user: UserId): boolean =>
  rules.inChannel(community, channel, user) !== 0n;
