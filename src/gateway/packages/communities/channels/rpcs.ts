import { defined } from '../../../../kernel/defined.js';
import type { CreateChannel, DeleteChannel, EditChannel } from '../../../../domain/communities/commands.js';
import { communities } from '../../../../domain/communities/decide.js';
import { descriptionUnitsMax } from '../../../../domain/communities/limits.js';
import { messages } from '../../../../domain/messages/decide.js';
import { messageStream } from '../../../../domain/messages/events.js';
import type { EditChannel as EditChannelRequest } from '../../../../gen/communities.js';
import type { ChannelRef } from '../../../../gen/refs.js';
import { channelChat } from '../../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { ChannelId, MessageId, UserId } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import { composed } from '../../../../kernel/text.js';
import type { Call } from '../../../contract/call.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import type { ViewerPermissions } from '../../../contract/viewerPermissions.js';
import { askedInChannel } from '../../../access/askedAtAppend.js';
import { accessFor, channelIn } from '../../../access/memberAccess.js';
import { meteredReads } from '../../../contract/meteredReads.js';
import { inChannel, inCommunity } from '../../../access/scopes.js';
import { shownParent } from '../../../rendering/channel.js';
import { channelsSeen } from './list.js';
import type { CommunityNeeds } from '../needs.js';
import { channelKindOf, channelRefOf } from '../wire.js';

export type ChannelRpcs =
  'communitiesCreateChannel' | 'communitiesGetChannels' | 'communitiesEditChannel' | 'communitiesDeleteChannel';

export const channelRpcs = (needs: CommunityNeeds): Handlers<ChannelRpcs> => ({
  communitiesCreateChannel: inCommunity(needs.access, async ({ name, type, parentId }, call, scope) => {
    const { community } = scope;
    const kind = channelKindOf(type);
    if (isRejection(kind)) return kind;
    const under = parentId === undefined || parentId === 0n ? {} : { parent: parentId };
    const create = scope.asked((by, permissions): CreateChannel | Rejection => {
      const { parent } = under;
      const ref = parent === undefined ? undefined : { communityId: community, channelId: parent };
      const refused = ref && refusedUnder(permissions, ref, by.user);
      if (refused !== undefined) return refused;
      const data = { community, channel: needs.ids.next() as ChannelId, by, kind, name, ...under };
      return { type: 'CreateChannel', data };
    });
    return done(await call.run(communities, create));
  }),

  communitiesGetChannels: inCommunity(
    needs.access,
    async (_, call, { community }) => {
      const reads = meteredReads(needs.reads, call);
      const channels = await channelsSeen({ ...needs, reads }, call, community);
      return isRejection(channels) ? channels : { channels };
    },
    { reads: ['messages', 'reads', 'users'] },
  ),

  async communitiesEditChannel(request, call) {
    const ref = channelRefOf(request.channel);
    if (isRejection(ref)) return ref;
    const highlighted = await highlightedOf(needs, ref, request);
    await accessFor(needs.access, call, ref.communityId);
    const attributes = attributesOf(request);
    const edit = askedInChannel(
      needs.access,
      call,
      ref,
    )((by, permissions): EditChannel | Rejection => {
      // Only now, because a caller who does not see the channel is not told what is in it.
      if (isRejection(highlighted)) return highlighted;
      const parent = parentOf(permissions, ref, request, by.user);
      if (isRejection(parent)) return parent;
      const about = { community: ref.communityId, channel: ref.channelId, by, at: call.now };
      return { type: 'EditChannel', data: { ...about, ...attributes, ...defined({ highlighted, parent }) } };
    });
    const outcome = await call.run(communities, edit);
    if (!isRejection(outcome) && typeof highlighted === 'bigint') await takenDownIfGone(needs, call, ref, highlighted);
    return done(outcome);
  },

  communitiesDeleteChannel: inChannel(needs.access, async (_, call, { community, channel, asked }) =>
    done(
      await call.run(
        communities,
        asked((by): DeleteChannel => ({ type: 'DeleteChannel', data: { community, channel, by } })),
      ),
    ),
  ),
});

/** A member who puts a channel under a category changes the category too. */
const refusedUnder = (rules: ViewerPermissions, parent: ChannelRef, user: UserId): Rejection | undefined => {
  const permissions = rules.inChannel(parent.communityId, parent.channelId, user);
  if (permissions === 0n) return reject('INVALID_PARENT');
  return has(permissions, 'modifyChannel') ? undefined : reject('MISSING_PERMISSION');
};

/** `undefined`: it stays where it is. */
const parentOf = (
  rules: ViewerPermissions,
  { communityId, channelId }: ChannelRef,
  { parentId }: EditChannelRequest,
  user: UserId,
): ChannelId | 'none' | undefined | Rejection => {
  if (parentId === undefined) return undefined;
  const channel = channelIn(rules, communityId, channelId);
  const shown = channel && shownParent(rules, communityId, channel, user);
  // A category that the caller does not see is shown as none, so a client that sends what it was shown moves nothing.
  if (parentId === 0n) return shown === channel?.parent ? 'none' : undefined;
  if (parentId === shown) return parentId;
  return refusedUnder(rules, { communityId, channelId: parentId }, user) ?? parentId;
};

/** The wrapper says three things: absent keeps, empty or 0 clears, an id sets. */
const highlightedOf = async (
  needs: CommunityNeeds,
  ref: ChannelRef,
  { highlightedMsgId: wrapper }: EditChannelRequest,
): Promise<MessageId | 'none' | undefined | Rejection> => {
  if (wrapper === undefined) return undefined;
  const id = wrapper.highlightedMsgId ?? 0n;
  if (id === 0n) return 'none';
  return (await isThere(needs, ref, id)) ? id : reject('MESSAGE_NOT_FOUND');
};

/** Asked of the message's own stream: the read model may be behind. */
const isThere = async (
  { streams }: CommunityNeeds,
  { communityId, channelId }: ChannelRef,
  message: MessageId,
): Promise<boolean> => {
  const { state } = await streams.caughtUp(messageStream(message), messages);
  return state.status === 'alive' && state.chat === channelChat(communityId, channelId);
};

/** `takeDownHighlights` knows nothing of a message that was deleted just before it was highlighted. */
const takenDownIfGone = async (
  needs: CommunityNeeds,
  call: Call,
  ref: ChannelRef,
  message: MessageId,
): Promise<void> => {
  if (await isThere(needs, ref, message)) return;
  const data = { community: ref.communityId, channel: ref.channelId, message, by: call.caller.user };
  await call.run(communities, { type: 'TakeDownHighlight', data });
};

const attributesOf = ({ name, description, explicit, slowmodeSeconds, position }: EditChannelRequest) =>
  defined({
    name,
    description: description === undefined ? undefined : composed(description, descriptionUnitsMax),
    explicit,
    slowmodeSeconds,
    position,
  });
