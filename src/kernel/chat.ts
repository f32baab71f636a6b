import type { ChannelId, CommunityId, GroupId, UserId } from './ids.js';

declare const kind: unique symbol;

/**
 * One conversation, the same for everyone in it: `channel.<community>.<channel>`, `group.<id>`, `dm.<lower>.<higher>`,
 * `self.<user>`. A channel's key names its community, so that who may see a message follows from the key alone.
 * This file makes keys and takes them apart; `byKind` and `chatKindOf` are for everybody else.
 */
export type ChatKey = string & { readonly [kind]: 'chat' };

export type Chat =
  | { readonly kind: 'channel'; readonly community: CommunityId; readonly channel: ChannelId }
  | { readonly kind: 'group'; readonly group: GroupId }
  | { readonly kind: 'direct'; readonly lower: UserId; readonly higher: UserId }
  | { readonly kind: 'self'; readonly user: UserId };
export type ChatKind = Chat['kind'];
export type ChatOf<Kind extends ChatKind> = Extract<Chat, { readonly kind: Kind }>;

/** A value for each kind of chat. A new kind of chat does not compile until each such table has its line. */
export type ByChatKind<T> = Readonly<Record<ChatKind, T>>;

/** The first part of a key, which is also the first part of the topic of what happens in the chat. */
export const chatPrefix: ByChatKind<string> = { channel: 'channel', group: 'group', direct: 'dm', self: 'self' };

const idsInKey: ByChatKind<1 | 2> = { channel: 2, group: 1, direct: 2, self: 1 };

// Object.keys forgets which keys its object has.
const chatKinds = Object.keys(chatPrefix) as readonly ChatKind[];
const kindByPrefix: ReadonlyMap<string, ChatKind> = new Map(chatKinds.map((each) => [chatPrefix[each], each]));

const keyOf = (of: ChatKind, ...ids: readonly bigint[]): ChatKey => [chatPrefix[of], ...ids].join('.') as ChatKey;

export const channelChat = (community: CommunityId, channel: ChannelId): ChatKey =>
  keyOf('channel', community, channel);
export const groupChat = (group: GroupId): ChatKey => keyOf('group', group);
export const directChat = (one: UserId, other: UserId): ChatKey =>
  one < other ? keyOf('direct', one, other) : keyOf('direct', other, one);
export const selfChat = (user: UserId): ChatKey => keyOf('self', user);

/** The beginning of the keys of all channels of a community, and of no other chat. */
export const channelsOf = (community: CommunityId): string => `${chatPrefix.channel}.${community.toString()}.`;

const patterns = chatKinds.map((each) => `${chatPrefix[each]}${String.raw`\.\d+`.repeat(idsInKey[each])}`);
const pattern = new RegExp(`^(?:${patterns.join('|')})$`);
export const isChatKey = (value: string): value is ChatKey => pattern.test(value);

/** The kind of a chat, without taking the rest of its key apart. Throws for a string that is no chat key. */
export const chatKindOf = (key: ChatKey): ChatKind => {
  const found = kindByPrefix.get(key.slice(0, key.indexOf('.')));
  if (found === undefined) throw new Error(`no chat has the key ${key}`);
  return found;
};

const parsers: { readonly [Kind in ChatKind]: (first: bigint, second: bigint) => ChatOf<Kind> } = {
  channel: (community, channel) => ({
    kind: 'channel',
    community: community as CommunityId,
    channel: channel as ChannelId,
  }),
  group: (group) => ({ kind: 'group', group: group as GroupId }),
  direct: (lower, higher) => ({ kind: 'direct', lower: lower as UserId, higher: higher as UserId }),
  self: (user) => ({ kind: 'self', user: user as UserId }),
};

export const parseChatKey = (key: ChatKey): Chat => {
  const known = parsedLately.get(key);
  if (known !== undefined) return known;
  const [, first = '', second = ''] = key.split('.');
  const chat = parsers[chatKindOf(key)](BigInt(first), BigInt(second));
  if (parsedLately.size >= parsedChatsMax) parsedLately.clear();
  parsedLately.set(key, chat);
  return chat;
};

/** The key of a chat is taken apart a dozen times for each message, and nothing but the chat follows from it. */
const parsedLately = new Map<ChatKey, Chat>();
/** About 1 MiB. */
const parsedChatsMax = 4_096;

/** Decides by the kind of a chat: each kind has its own line, so a new kind does not compile until all lines are there. */
export const byKind = <T>(chat: Chat, lines: { readonly [Kind in ChatKind]: (chat: ChatOf<Kind>) => T }): T => {
  switch (chat.kind) {
    case 'channel':
      return lines.channel(chat);
    case 'group':
      return lines.group(chat);
    case 'direct':
      return lines.direct(chat);
    case 'self':
      return lines.self(chat);
  }
};

/** The users whose ids are in the key of the chat. The members of a channel or of a group are kept elsewhere. */
export const membersNamedBy = (key: ChatKey): readonly UserId[] =>
  byKind(parseChatKey(key), {
    channel: () => noMembers,
    group: () => noMembers,
    direct: ({ lower, higher }) => [lower, higher],
    self: ({ user }) => [user],
  });
const noMembers: readonly UserId[] = [];

/** The community that a channel is in; undefined for a chat outside communities. */
export const communityOf = (key: ChatKey): CommunityId | undefined =>
  byKind<CommunityId | undefined>(parseChatKey(key), {
    channel: ({ community }) => community,
    group: () => undefined,
    direct: () => undefined,
    self: () => undefined,
  });

/** The other side of a direct chat, as `viewer` sees it. */
export const peerOf = (chat: ChatOf<'direct'>, viewer: UserId): UserId =>
  chat.lower === viewer ? chat.higher : chat.lower;
