import { apartType, storedType } from '../../kernel/codec.js';

const typeOf = (name: string, fact: string): string => storedType({ package: name, type: fact });

/**
 * Texts that stand in nearly every sealed value, by the numbers under which stored documents have them: the types of
 * events, and the names of their personal fields. A number is for ever, so words are added at the end alone. A text
 * that is not here is spelled out.
 */
export const words: readonly string[] = [
  typeOf('messages', 'MessageSent'),
  typeOf('messages', 'MessageEdited'),
  'text',
  'entities',
  'quote',
  'requestHash',
  typeOf('users', 'UserRegistered'),
  typeOf('users', 'NameChanged'),
  typeOf('users', 'UsernameChanged'),
  typeOf('users', 'BioChanged'),
  'name',
  'username',
  'bio',
  typeOf('members', 'NicknameSet'),
  'nickname',
  typeOf('communities', 'CommunityCreated'),
  typeOf('communities', 'ChannelCreated'),
  typeOf('communities', 'ChannelRenamed'),
  typeOf('communities', 'ChannelDescribed'),
  typeOf('communities', 'RoleCreated'),
  typeOf('communities', 'RoleEdited'),
  'description',
  typeOf('accounts', 'SessionOpened'),
  typeOf('accounts', 'SessionDeviceChanged'),
  'deviceType',
  'deviceVersion',
  'appVersion',
  'network',
  typeOf('invites', 'ChatInviteCreated'),
  'code',
  typeOf('messages', 'MessageForwarded'),
  'media',
  typeOf('previews', 'PreviewFound'),
  'preview',
  'botInfo',
  typeOf('stickers', 'EmojiAdded'),
  'key',
  'mimetype',
  apartType(typeOf('messages', 'MessageSent')),
  apartType(typeOf('messages', 'MessageEdited')),
  typeOf('users', 'UserPhotoChanged'),
  typeOf('users', 'BannerChanged'),
  typeOf('communities', 'CommunityPhotoChanged'),
  'content',
  typeOf('communities', 'DiscoveryListingSet'),
  'listing',
];
