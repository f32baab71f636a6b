import type { ChatRef } from '../../src/gen/refs.js';
import type { UpdateName, Updates } from '../../src/gen/rpcs.js';
import type { MessageReactionField } from '../../src/gen/reactions.js';
import type { User, UserStatus } from '../../src/gen/types.js';
import type { Update } from '../../src/gen/updates.js';

/** What things are called. Channels and communities are learnt from the updates that bring them. */
export type Names = Map<bigint, string>;

/** An update as one line of text, with names in the place of ids. */
export const described = (update: Update, names: Names): string => {
  const [entry] = Object.entries(update);
  if (entry === undefined) return 'nothing';
  const [name, value] = entry;
  const line = lines[name as UpdateName] as ((value: unknown, say: Say) => string) | undefined;
  return line === undefined ? name : line(value, sayer(names));
};

type Say = {
  /** The name of what has this id. */
  readonly id: (id: bigint | undefined) => string;
  readonly chat: (ref: ChatRef | undefined) => string;
  readonly learn: (id: bigint, name: string) => string;
};

const sayer = (names: Names): Say => {
  const id = (wanted: bigint | undefined): string =>
    wanted === undefined ? 'none' : (names.get(wanted) ?? `unnamed ${wanted.toString()}`);
  return {
    id,
    chat: (ref) => {
      if (ref?.user !== undefined) return `@${id(ref.user.userId)}`;
      if (ref?.channel !== undefined) return `#${id(ref.channel.channelId)} of ${id(ref.channel.communityId)}`;
      return ref?.self === undefined ? 'nowhere' : 'self';
    },
    learn: (key, name) => {
      names.set(key, name);
      return name;
    },
  };
};

type Lines = { readonly [Name in UpdateName]?: (value: Updates[Name]['value'], say: Say) => string };

const lines: Lines = {
  messageCreated: ({ message, author, channelUnreadCount, clientId }, { id, chat }) =>
    `${id(message?.authorId)} (${author?.name ?? 'unknown'}) says "${message?.message ?? ''}" in ${chat(message?.chatRef)}` +
    `, unread ${channelUnreadCount.toString()}${clientId === undefined ? '' : `, nonce ${clientId.toString()}`}`,
  message: ({ message }, { id, chat }) =>
    `${id(message?.authorId)} now says "${message?.message ?? ''}" in ${chat(message?.chatRef)}`,
  messageDeleted: ({ chatRef, messageIds }, { chat }) => `${messageIds.length.toString()} deleted in ${chat(chatRef)}`,
  messageReactions: ({ chatRef, reactions }, { chat }) =>
    `reactions in ${chat(chatRef)}: ${reactions?.reactionFields.map(reactionLine).join(', ') ?? ''}`,
  conversationLastRead: ({ chatRef, unreadCount = 0, unreadMentionsCount = 0 }, { chat }) =>
    `read ${chat(chatRef)}, unread ${unreadCount.toString()}, mentions ${unreadMentionsCount.toString()}`,
  chatTyping: ({ chatRef, userId, typing }, { id, chat }) =>
    `${id(userId)} ${typing ? 'types' : 'types no more'} in ${chat(chatRef)}`,
  chat: ({ chat: told }, { chat }) =>
    `chat ${chat(told?.chat?.chatRef)} of ${told?.users.map(withStatus).sort().join(' and ') ?? ''}, unread ${String(told?.chat?.unreadCount)}`,
  user: ({ userId, user }, { id }) =>
    `${id(userId)} is now ${user?.username ?? 'nameless'}, ${user === undefined ? 'unknown' : withStatus(user)}`,
  userStatus: ({ userId, status }, { id }) => `${id(userId)} is ${statusName(status)}`,
  community: ({ communityId, community }, { learn }) =>
    `community ${learn(communityId, community?.name ?? '')}, ${community?.owner === true ? 'owner' : 'member'} with ` +
    String(community?.permissions),
  communityDeleted: ({ communityId }, { id }) => `community ${id(communityId)} is gone`,
  communityMember: ({ communityId, memberId, member }, { id }) =>
    `member ${id(memberId)} of ${id(communityId)} is "${member?.nickname ?? ''}" with [${(member?.roleIds ?? []).map(id).join()}]`,
  communityMemberCreated: ({ communityId, memberId, member, user }, { id }) =>
    `${id(memberId)} (${user?.name ?? ''}) joins ${id(communityId)}${member === undefined ? ' as nothing' : ''}`,
  communityMemberDeleted: ({ communityId, memberId }, { id }) => `${id(memberId)} leaves ${id(communityId)}`,
  channel: ({ channel }, { id, learn }) =>
    `channel ${channel === undefined ? '' : learn(channel.id, channel.name)} of ${id(channel?.communityId)}, position ${String(channel?.position)}`,
  channelDeleted: ({ channel }, { id }) => `channel ${id(channel?.channelId)} of ${id(channel?.communityId)} is gone`,
  conversationPermissions: ({ chatRef, permissions }, { chat }) =>
    `permissions in ${chat(chatRef)}: +${String(permissions?.pos)} -${String(permissions?.neg)}`,
  sessionDeleted: ({ sessionId }, { id }) => `session ${id(sessionId)} is gone`,
};

const statusNames: Readonly<Record<number, string>> = { 0: 'online', 1: 'idle', 5: 'invisible' };

const statusName = (status: UserStatus | undefined): string =>
  status?.status === undefined ? 'offline' : (statusNames[status.status] ?? 'strange');

const withStatus = ({ name, status }: User): string => `${name} (${statusName(status)})`;

const reactionLine = ({ emoji, count, me }: MessageReactionField): string =>
  `${emoji?.unicodeEmoji ?? ''} ${count.toString()}${me ? ' with mine' : ''}`;
