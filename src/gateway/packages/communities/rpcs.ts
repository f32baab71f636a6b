import { communities } from '../../../domain/communities/decide.js';
import { joiningId, members } from '../../../domain/members/decide.js';
import type { CommunityUserInfoInit } from '../../../gen/communities.js';
import type { CommunityInit } from '../../../gen/types.js';
import { channelChat } from '../../../kernel/chat.js';
import { isRejection, reject } from '../../../kernel/decider.js';
import { editPaid } from '../../../kernel/editPace.js';
import { has } from '../../../kernel/permissions.js';
import type { EditPhoto } from '../../../domain/communities/commands.js';
import { madePhoto } from '../../files/photos.js';
import type { ChannelId, CommunityId, UserId } from '../../../kernel/ids.js';
import { memberships } from '../../../projections/members/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { unread, type ChatViewer } from '../../../projections/unread/unread.js';
import { refusedAnother } from './membershipsLimit.js';
import { communityFor } from '../../rendering/community.js';
import { done, type Handlers } from '../../contract/handlers.js';
import { meteredReads } from '../../contract/meteredReads.js';
import type { Access, ViewerPermissions } from '../../contract/viewerPermissions.js';
import { accessInTurn } from '../../access/memberAccess.js';
import { inCommunity } from '../../access/scopes.js';
import { inBatches } from './inBatches.js';
import { channelRpcs, type ChannelRpcs } from './channels/rpcs.js';
import { memberRpcs, type MemberRpcs } from './members/rpcs.js';
import type { CommunityNeeds } from './needs.js';
import { overrideRpcs, type OverrideRpcs } from './overrides/rpcs.js';
import { roleRpcs, type RoleRpcs } from './roles/rpcs.js';
import { communitySettingsRpcs, type CommunitySettingsRpcs } from './settings/rpcs.js';

type CommunityItself =
  | 'communitiesCreateCommunity'
  | 'communitiesGetCommunities'
  | 'communitiesLeaveCommunity'
  | 'communitiesEditPhoto'
  | 'communitiesDeleteCommunity';

type CommunityRpcs = CommunitySettingsRpcs | CommunityItself | ChannelRpcs | MemberRpcs | RoleRpcs | OverrideRpcs;

export const communityRpcs = (needs: CommunityNeeds): Handlers<CommunityRpcs> => ({
  ...communityItselfRpcs(needs),
  ...channelRpcs(needs),
  ...memberRpcs(needs),
  ...roleRpcs(needs),
  ...overrideRpcs(needs),
  ...communitySettingsRpcs(needs),
});

const communityItselfRpcs = (needs: CommunityNeeds): Handlers<CommunityItself> => ({
  async communitiesCreateCommunity({ name }, call) {
    const { user } = call.caller;
    await call.keysUpToDate('communities', 'members');
    const refused = await refusedAnother(needs, call);
    if (refused !== undefined) return refused;
    // Minted once, unlike the ids of its parts: its keys are named after the community, and must be found again.
    const community = needs.ids.next() as CommunityId;
    const found = { community, general: needs.ids.next() as ChannelId, name, by: user };
    const founded = await call.run(communities, { type: 'CreateCommunity', data: found });
    if (isRejection(founded)) return founded;
    // Should this be the last that happens here, `admitMembers` does it again under the same name.
    const joined = { type: 'JoinCommunity', data: { community, user, via: 'founding', joining: 1 } } as const;
    return done(await call.run(members, joined, { commandId: joiningId(community, user, 1) }));
  },

  async communitiesGetCommunities(_, call) {
    await call.upToDate('communities', 'members', 'messages', 'reads');
    const { user } = call.caller;
    const seen: Seen[] = [];
    let left = channelsCountedMax;
    for (const { community } of await memberships(needs.reads, user)) {
      await accessInTurn(needs.access, call, community, left);
      const found = seenBy(needs.access.now, community, user, left);
      if (found === undefined) continue;
      seen.push(found);
      left -= found.chats.length;
    }
    const infos = new Map<CommunityId, CommunityUserInfoInit>();
    const reads = meteredReads(needs.reads, call);
    for (const { id, chats } of seen) infos.set(id, { communityId: id, ...(await unreadIn(reads, chats)) });
    const shown = await shownNow(needs.access, user, [...infos.keys()]);
    const communityUserInfo = [...shown.keys()].flatMap((id) => infos.get(id) ?? []);
    return { communities: { communities: [...shown.values()], communityUserInfo } };
  },

  communitiesLeaveCommunity: inCommunity(needs.access, async (_, call, { community, by: { user }, permissions }) => {
    const owner = permissions.member(community, user)?.owner ?? false;
    return done(await call.run(members, { type: 'LeaveCommunity', data: { community, user, owner } }));
  }),

  communitiesEditPhoto: inCommunity(needs.access, async ({ file }, call, { community, by, permissions, asked }) => {
    // Making a picture is work, which is not begun for an edit that is refused.
    if (!has(by.permissions, 'modifyCommunity')) return reject('MISSING_PERMISSION');
    const paid = editPaid(permissions.community(community)?.editsPaidUntil, call.now);
    const to = file === undefined ? 'removed' : await madePhoto(needs.files, call, file, { form: 'photo', paid });
    if (isRejection(to)) return to;
    const edit = asked((by): EditPhoto => ({ type: 'EditPhoto', data: { community, by, at: call.now, to } }));
    return done(await call.run(communities, edit));
  }),

  communitiesDeleteCommunity: inCommunity(needs.access, async (_, call, { community, by: { user } }) =>
    done(await call.run(communities, { type: 'DeleteCommunity', data: { community, by: user } })),
  ),
});

/**
 * In so many channels unread messages are counted for one answer, those of the communities first that were joined first.
 * Beyond it a community seems to be read until a client asks for its channels.
 */
export const channelsCountedMax = 2_000;

/** Taken from the rules in one go, because the counting takes waits. */
type Seen = {
  readonly id: CommunityId;
  /** Those that are counted. */
  readonly chats: readonly ChatViewer[];
};

const seenBy = (rules: ViewerPermissions, id: CommunityId, user: UserId, chatsMax: number): Seen | undefined => {
  const document = rules.community(id);
  if (document === undefined || rules.member(id, user) === undefined) return undefined;
  const chats: ChatViewer[] = [];
  for (const { id: channel, kind } of document.channels) {
    // Of a hundred thousand channels those beyond the bound are neither looked at nor kept.
    if (chats.length >= chatsMax) break;
    if (kind === 'category' || rules.inChannel(id, channel, user) === 0n) continue;
    const chat = channelChat(id, channel);
    chats.push({ chat, user, floor: rules.unreadFloorIn(chat)(user) });
  }
  return { id, chats };
};

/** Of what changed while the counting took waits, the user was told before the answer. Also where they left. */
const shownNow = async (
  access: Access,
  user: UserId,
  ids: readonly CommunityId[],
): Promise<ReadonlyMap<CommunityId, CommunityInit>> => {
  const shown = new Map<CommunityId, CommunityInit>();
  for (const id of ids) {
    // Those in memory are all looked at without a wait.
    const loading = access.load(id, [user]);
    if (loading !== undefined) await loading;
    const [document, member] = [access.now.community(id), access.now.member(id, user)];
    if (document !== undefined && member !== undefined) shown.set(id, communityFor(document, member));
  }
  return shown;
};

const unreadIn = async (
  reads: Reads,
  chats: readonly ChatViewer[],
): Promise<{ readonly unreadCount: number; readonly unreadMentionCount: number }> => {
  const counts = await inBatches(chats, (viewed) => unread(reads, viewed));
  return {
    unreadCount: counts.reduce((sum, { messages }) => sum + messages, 0),
    unreadMentionCount: counts.reduce((sum, { mentions }) => sum + mentions, 0),
  };
};
