import type { ChannelsInit } from '../../../../gen/communities.js';
import { Channel, Message, NotifPrefs, type ChannelInit, type ConversationInit } from '../../../../gen/types.js';
import { channelChat } from '../../../../kernel/chat.js';
import type { CommunityId, MessageId, UserId } from '../../../../kernel/ids.js';
import { difference } from '../../../../kernel/permissions.js';
import type { ChannelRecord } from '../../../../projections/communities/documents.js';
import { lastMessage } from '../../../../projections/messages/queries.js';
import { unread, type UnreadState } from '../../../../projections/unread/unread.js';
import { answerBytesMax, bytesOf, fitting } from '../../../rendering/answerSize.js';
import { messageFor, withPins, type PinnableMessage } from '../../../rendering/message.js';
import { channelRefFor, channelFor, shownParent } from '../../../rendering/channel.js';
import type { ViewerPermissions } from '../../../contract/viewerPermissions.js';
import { costs, type Meter } from '../../../contract/meter.js';
import { turnOf } from '../../../contract/meteredReads.js';
import { inBatches } from '../inBatches.js';
import type { CommunityNeeds } from '../needs.js';

/** A channel and the viewer's rights in it, taken from the rules in one go because the rest takes waits. */
type Seen = {
  readonly channel: ChannelRecord;
  readonly permissions: ReturnType<typeof difference>;
  readonly floor: bigint;
};
type Activity = { readonly last: PinnableMessage | undefined; readonly unread: UnreadState };

/** The channels of a community that a member sees, with where they are in each of them. */
export const channelsSeen = async (
  { access, reads, meter }: Pick<CommunityNeeds, 'access' | 'reads'> & { readonly meter: Meter },
  community: CommunityId,
  viewer: UserId,
): Promise<ChannelsInit> => {
  const seenAtFirst = seenBy(access.now, community, viewer);
  const talksAtFirst = seenAtFirst.filter(hasMessages);
  const found = await inBatches(talksAtFirst, async ({ channel, floor }): Promise<Activity> => {
    const chat = channelChat(community, channel.id);
    const [newest, counts] = await Promise.all([
      lastMessage(reads, chat),
      unread(reads, { chat, user: viewer, floor }),
    ]);
    const [last] = newest === undefined ? [] : await withPins(reads, [newest]);
    return { last, unread: counts };
  });
  // All of it is rendered in one go, and others may be as far in the same round.
  await turnOf(meter, (costs.hundredChannels * seenAtFirst.length) / 100);
  // Sight that was lost during the reads would show messages that were sent since.
  const seen = stillSeen(access.now, community, viewer, seenAtFirst);
  const talks = seen.filter(hasMessages);
  const byChannel = new Map(talksAtFirst.map(({ channel }, index) => [channel.id, found[index]]));
  const activities = talks.flatMap(({ channel }) => byChannel.get(channel.id) ?? []);
  const conversations = talks.map((talk) => conversationOf(community, talk, byChannel.get(talk.channel.id)));
  const channels = withinBounds(
    seen.map(({ channel }) => channelFor(community, channel, shownParent(access.now, community, channel, viewer))),
  );
  const messages = activities.flatMap(({ last }) => (last === undefined ? [] : [messageFor(last, viewer)]));
  return {
    conversations,
    channels,
    messages: fitting(messages, messagesBytesMax, (message) => bytesOf(Message, message)),
  };
};

const hasMessages = ({ channel }: Seen): boolean => channel.kind !== 'category';

const stillSeen = (
  rules: ViewerPermissions,
  community: CommunityId,
  viewer: UserId,
  before: readonly Seen[],
): readonly Seen[] => before.filter(({ channel }) => rules.inChannel(community, channel.id, viewer) !== 0n);

const seenBy = (rules: ViewerPermissions, community: CommunityId, viewer: UserId): readonly Seen[] => {
  const granted = rules.member(community, viewer)?.permissions ?? 0n;
  return (rules.community(community)?.channels ?? []).flatMap((channel) => {
    const effective = rules.inChannel(community, channel.id, viewer);
    if (effective === 0n) return [];
    const floor = rules.unreadFloorIn(channelChat(community, channel.id))(viewer);
    return [{ channel, permissions: difference(granted, effective), floor }];
  });
};

const conversationOf = (
  community: CommunityId,
  { channel, permissions }: Seen,
  activity: Activity | undefined,
): ConversationInit => ({
  chatRef: { channel: channelRefFor(community, channel.id) },
  // Lists are sorted by it, so a chat without messages stands where it was made.
  lastMessageId: activity?.last?.id ?? (channel.id as bigint as MessageId),
  lastReadMessageId: activity?.unread.marker,
  unreadCount: activity?.unread.messages ?? 0,
  permissions,
  notifPrefs: NotifPrefs.DEFAULT,
  unreadMentionsCount: activity?.unread.mentions ?? 0,
});

// Besides these, 500 channels with the longest names take 180 kB, and their conversations 40 kB.
const descriptionsBytesMax = answerBytesMax * 0.35;
const messagesBytesMax = answerBytesMax * 0.35;

/** Descriptions may be left out, channels may not: an Update or EditChannel brings the rest when somebody looks. */
const withinBounds = (channels: readonly ChannelInit[]): readonly ChannelInit[] => {
  const whole = fitting(channels, descriptionsBytesMax, (channel) => bytesOf(Channel, channel));
  return channels.map((channel, index) => (index < whole.length ? channel : { ...channel, description: undefined }));
};
