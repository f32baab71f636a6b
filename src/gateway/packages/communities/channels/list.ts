import type { ChannelsInit } from '../../../../gen/communities.js';
import {
  Channel,
  Conversation,
  Message,
  NotifPrefs,
  type ChannelInit,
  type ConversationInit,
  type MessageInit,
} from '../../../../gen/types.js';
import { channelChat } from '../../../../kernel/chat.js';
import { isRejection, type Rejection } from '../../../../kernel/decider.js';
import type { ChannelId, CommunityId, MessageId, UserId } from '../../../../kernel/ids.js';
import { difference } from '../../../../kernel/permissions.js';
import type { ChannelRecord } from '../../../../projections/communities/documents.js';
import { lastMessage } from '../../../../projections/messages/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import { unread, type ChatViewer, type UnreadState } from '../../../../projections/unread/unread.js';
import { encodePart } from '../../../../wire/codec.js';
import type { Encoded } from '../../../../wire/encoded.js';
import { answerBytesMax, bytesOf, fitting } from '../../../rendering/answerSize.js';
import { messageFor, withPins, type PinnableMessage } from '../../../rendering/message.js';
import { channelRefFor, channelFor, shownParent } from '../../../rendering/channel.js';
import { accessInTurn, memberAsker } from '../../../access/memberAccess.js';
import type { Call } from '../../../contract/call.js';
import type { ViewerPermissions } from '../../../contract/viewerPermissions.js';
import { inBatches } from '../inBatches.js';
import type { CommunityNeeds } from '../needs.js';

type Asked = { readonly community: CommunityId; readonly viewer: UserId };

/** A channel and the viewer's rights in it: all that it is shown by, besides what goes on in it. */
type Seen = {
  readonly channel: ChannelRecord;
  readonly parent: ChannelId | undefined;
  readonly granted: bigint;
  readonly effective: bigint;
};
type Activity = { readonly last: PinnableMessage | undefined; readonly unread: UnreadState };

/** The channels of a community that the caller sees, with where they are in each of them. For members only, until the end. */
export const channelsSeen = async (
  { access, reads }: Pick<CommunityNeeds, 'access' | 'reads'>,
  call: Call,
  community: CommunityId,
): Promise<ChannelsInit | Rejection> => {
  const viewer = call.caller.user;
  const asked: Asked = { community, viewer };
  const seenInTurn = async (): Promise<readonly Seen[] | Rejection> => {
    await accessInTurn(access, call, community);
    const by = memberAsker(access.now, community, viewer);
    return isRejection(by) ? by : seenBy(access.now, asked);
  };
  const atFirst = await seenInTurn();
  if (isRejection(atFirst)) return atFirst;
  // With the floors at once: the reads wait, and the community may leave memory meanwhile.
  const talks = atFirst.filter(({ channel }) => hasMessages(channel)).map(({ channel }) => channel.id);
  const chats = talks.map((channel) => channelChat(community, channel));
  const viewed = chats.map((chat) => ({ chat, user: viewer, floor: access.now.unreadFloorIn(chat)(viewer) }));
  const found = await inBatches(viewed, (one) => activityIn(reads, one));
  const encode = encoder(asked, new Map(talks.map((channel, at) => [channel, found[at]])));
  const entries = await fitting(atFirst, { made: encode, sizeOf: bytesOfEntry }, call.meter);
  const known = new Map(entries.map((entry) => [entry.seen.channel.id, entry]));
  // Sight that was lost meanwhile would show messages that were sent since, and of what was changed the viewer was told
  // before this answer. So from here on nothing waits.
  const atLast = await seenInTurn();
  if (isRejection(atLast)) return atLast;
  const shown = atLast.flatMap((seen) => {
    const entry = known.get(seen.channel.id);
    if (entry === undefined) return [];
    return [isSame(entry.seen, seen) ? entry : encode(seen)];
  });
  return {
    conversations: shown.flatMap(({ conversation }) => conversation ?? []),
    channels: shown.map(({ channel }) => channel),
    messages: shown.flatMap(({ message }) => message ?? []),
  };
};

const hasMessages = ({ kind }: ChannelRecord): boolean => kind !== 'category';

/** Taken from the rules in one go. */
const seenBy = (rules: ViewerPermissions, { community, viewer }: Asked): readonly Seen[] => {
  const granted = rules.member(community, viewer)?.permissions ?? 0n;
  return (rules.community(community)?.channels ?? []).flatMap((channel) => {
    const effective = rules.inChannel(community, channel.id, viewer);
    if (effective === 0n) return [];
    return [{ channel, parent: shownParent(rules, community, channel, viewer), granted, effective }];
  });
};

/** The record of a channel that nothing happened to stays the same object. */
const isSame = (one: Seen, other: Seen): boolean =>
  one.channel === other.channel &&
  one.parent === other.parent &&
  one.granted === other.granted &&
  one.effective === other.effective;

const activityIn = async (reads: Reads, viewed: ChatViewer): Promise<Activity> => {
  const [newest, counts] = await Promise.all([lastMessage(reads, viewed.chat), unread(reads, viewed)]);
  const [last] = newest === undefined ? [] : await withPins(reads, [newest]);
  return { last, unread: counts };
};

/** The parts of the answer that are about one channel. */
type Entry = {
  readonly seen: Seen;
  readonly channel: Encoded<ChannelInit>;
  readonly conversation: Encoded<ConversationInit> | undefined;
  readonly message: Encoded<MessageInit> | undefined;
};

const bytesOfEntry = ({ channel, conversation, message }: Entry): number =>
  bytesOf(channel, ...(conversation === undefined ? [] : [conversation]), ...(message === undefined ? [] : [message]));

// Besides these, 500 channels with the longest names take 180 kB, and their conversations 40 kB.
const descriptionsBytesMax = answerBytesMax * 0.35;
const messagesBytesMax = answerBytesMax * 0.35;

/**
 * Descriptions and messages may be left out once they are too long together, channels may not: an Update or EditChannel
 * brings the rest when somebody looks.
 */
const encoder = (
  { community, viewer }: Asked,
  activities: ReadonlyMap<ChannelId, Activity | undefined>,
): ((seen: Seen) => Entry) => {
  const described = within(descriptionsBytesMax);
  const quoted = within(messagesBytesMax);
  return (seen) => {
    const init = channelFor(community, seen.channel, seen.parent);
    const activity = activities.get(seen.channel.id);
    const last = activity?.last;
    return {
      seen,
      channel: described(() => encodePart(Channel, init)) ?? encodePart(Channel, { ...init, description: undefined }),
      conversation: hasMessages(seen.channel)
        ? encodePart(Conversation, conversationOf(community, seen, activity))
        : undefined,
      message: last && quoted(() => encodePart(Message, messageFor(last, viewer))),
    };
  };
};

/** Makes what is asked for, until it is too much together; then nothing any more. */
const within = (bytesMax: number) => {
  let left = bytesMax;
  return <Init>(make: () => Encoded<Init>): Encoded<Init> | undefined => {
    if (left < 0) return undefined;
    const made = make();
    left -= bytesOf(made);
    return left < 0 ? undefined : made;
  };
};

const conversationOf = (
  community: CommunityId,
  { channel, granted, effective }: Seen,
  activity: Activity | undefined,
): ConversationInit => ({
  chatRef: { channel: channelRefFor(community, channel.id) },
  // Lists are sorted by it, so a chat without messages stands where it was made.
  lastMessageId: activity?.last?.id ?? (channel.id as bigint as MessageId),
  lastReadMessageId: activity?.unread.marker,
  unreadCount: activity?.unread.messages ?? 0,
  permissions: difference(granted, effective),
  notifPrefs: NotifPrefs.DEFAULT,
  unreadMentionsCount: activity?.unread.mentions ?? 0,
});
