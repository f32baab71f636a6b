import type { ChannelId, CommunityId, GroupId, UserId } from './ids.js';

declare const kind: unique symbol;

/**
 * One conversation, the same for everyone in it: `channel.<community>.<channel>`, `group.<id>`, `dm.<lower>.<higher>`,
 * `self.<user>`. A channel's key names its community, so that who may see a message follows from the key alone.
 */
export type ChatKey = string & { readonly [kind]: 'chat' };

export type Chat =
  | { readonly kind: 'channel'; readonly community: CommunityId; readonly channel: ChannelId }
  | { readonly kind: 'group'; readonly group: GroupId }
  | { readonly kind: 'direct'; readonly lower: UserId; readonly higher: UserId }
  | { readonly kind: 'self'; readonly user: UserId };

export const channelChat = (community: CommunityId, channel: ChannelId): ChatKey =>
  `channel.${community.toString()}.${channel.toString()}` as ChatKey;
export const groupChat = (group: GroupId): ChatKey => `group.${group.toString()}` as ChatKey;
export const directChat = (one: UserId, other: UserId): ChatKey =>
  (one < other ? `dm.${one.toString()}.${other.toString()}` : `dm.${other.toString()}.${one.toString()}`) as ChatKey;
export const selfChat = (user: UserId): ChatKey => `self.${user.toString()}` as ChatKey;

const pattern = /^(?:channel\.\d+\.\d+|group\.\d+|dm\.\d+\.\d+|self\.\d+)$/;
export const isChatKey = (value: string): value is ChatKey => pattern.test(value);

export const parseChatKey = (key: ChatKey): Chat => {
  const [type, first = '', second = ''] = key.split('.');
  switch (type) {
    case 'channel':
      return { kind: 'channel', community: BigInt(first) as CommunityId, channel: BigInt(second) as ChannelId };
    case 'group':
      return { kind: 'group', group: BigInt(first) as GroupId };
    case 'dm':
      return { kind: 'direct', lower: BigInt(first) as UserId, higher: BigInt(second) as UserId };
    default:
      return { kind: 'self', user: BigInt(first) as UserId };
  }
};

/** The other side of a direct chat, as `viewer` sees it. */
export const peerOf = (chat: Extract<Chat, { kind: 'direct' }>, viewer: UserId): UserId =>
  chat.lower === viewer ? chat.higher : chat.lower;
