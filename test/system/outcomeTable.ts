import { randomInt } from 'node:crypto';
import type { RpcName, Rpcs } from '../../src/gen/rpcs.js';
import { ChannelType, UserStatusStatus } from '../../src/gen/types.js';
import type { CommunityId, FileId, InteractionId, StickerPackId, UserId } from '../../src/kernel/ids.js';
import { permission, type PermissionName } from '../../src/kernel/permissions.js';
import { anotherOwner, everybody, ownerLogin, type Ground } from './grounds.js';
import { createChannel, createRole, inChannel, inviteTo, say, withUser } from './places.js';

/** The member of the result, `()` for none, or the code of the error. */
export type Outcome = string | number;

export type Row = {
  readonly rpc: RpcName;
  /** What is special about this request, where there is more than one for the RPC. */
  readonly about?: string;
  /** The permission that makes the difference between the two members. */
  readonly bit: PermissionName;
  /** It changes who is in the community, or ends it: everybody gets one of their own. */
  readonly destroys?: true;
  readonly request: (ground: Ground) => Promise<Rpcs[RpcName]['requestInit']>;
  /** In the order of `askers`. */
  readonly outcomes: readonly [Outcome, Outcome, Outcome, Outcome, Outcome];
};

type Given<Name extends RpcName> = Pick<Row, 'about' | 'destroys'> & {
  readonly bit?: PermissionName;
  readonly request: (ground: Ground) => Rpcs[Name]['requestInit'] | Promise<Rpcs[Name]['requestInit']>;
  readonly outcomes: Row['outcomes'];
};

const row = <Name extends RpcName>(rpc: Name, { bit = 'viewChannel', request, ...rest }: Given<Name>): Row => ({
  rpc,
  bit,
  request: async (ground) => request(ground),
  ...rest,
});

/** The same answer for everybody who is asked for. */
const whoever = (outcome: Outcome): Row['outcomes'] => [outcome, outcome, outcome, outcome, outcome];
const anybodyWithASession = (outcome: Outcome): Row['outcomes'] => [401, outcome, outcome, outcome, outcome];
const anyMember = (outcome: Outcome): Row['outcomes'] => [401, 404, outcome, outcome, outcome];
/** Members without the permission are told that they lack it. */
const whoMay = (outcome: Outcome): Row['outcomes'] => [401, 404, 403, outcome, outcome];
/** Members without the permission do not learn that it exists. */
const whoSees = (outcome: Outcome): Row['outcomes'] => [401, 404, 404, outcome, outcome];

const chatIn = ({ community, channel }: Ground) => inChannel(community, channel);
const place = ({ community, channel }: Ground) => ({ communityId: community, channelId: channel });
const newChannel = (ground: Ground) => createChannel(ground.people.owner, ground.community, { name: 'passing' });
const newRole = (ground: Ground) => createRole(ground.people.owner, ground.community, { name: 'passing' });
/** Attached by the owner to a message in the channel. */
const newFile = async (ground: Ground): Promise<FileId> => {
  const { owner } = ground.people;
  const id = BigInt(randomInt(1, 2 ** 40));
  await owner.do('mediaUploadFilePart', { uploadId: id, part: 0, data: Uint8Array.of(1) });
  const chatRef = chatIn(ground);
  await owner.do('messagesSendMessage', { chatRef, media: [{ uploaded: { file: { id, partCount: 1 } } }] });
  const { messages: found } = await owner.do('messagesGetHistory', { chatRef, limit: 1 });
  return found[0]?.media[0]?.file?.file?.fileId ?? (0n as FileId);
};
/** Everybody's own upload of one name, which can become an emoji of the community. */
const newSticker = async ({ community, people: { seats } }: Ground) => {
  const id = BigInt(randomInt(1, 2 ** 40));
  for (const seat of Object.values(seats)) await seat.do('mediaUploadFilePart', { uploadId: id, part: 0, data: pixel });
  const metadata = { customEmoji: { emoji: `emoji_${id.toString()}` } };
  return {
    pack: packOf(community),
    sticker: { file: { id, partCount: 1 }, mimetype: 'image/png', metadata },
  };
};
const packOf = (community: CommunityId) => ({ id: community as bigint as StickerPackId });
/** The owner's, in the pack of the community. */
const newEmoji = async (ground: Ground): Promise<FileId> => {
  const { owner } = ground.people;
  const request = await newSticker(ground);
  await owner.do('stickersAddStickerToPack', request);
  const { stickers } = await owner.do('stickersGetStickerPack', { pack: request.pack });
  return stickers.at(-1)?.fileId ?? (0n as FileId);
};
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const newMessage = (ground: Ground) => say(ground.people.owner, chatIn(ground), 'passing');

const core: readonly Row[] = [
  row('coreInitialize', { request: () => ({ clientId: 1 }), outcomes: whoever('initialized') }),
  row('authSignUp', { request: () => ({ name: 'Newcomer' }), outcomes: whoever('authorization') }),
  row('authLegacySignIn', { request: () => ownerLogin, outcomes: whoever('authorization') }),
  row('authLegacySignIn', {
    about: 'with another password',
    request: () => ({ ...ownerLogin, password: 'wrong horse' }),
    outcomes: whoever(403),
  }),
  row('authAuthorize', {
    request: ({ people: { owner } }) => ({ token: owner.token }),
    outcomes: whoever('authorization'),
  }),
  row('authAuthorize', {
    about: 'with a token that is none',
    request: () => ({ token: 'none' }),
    outcomes: whoever(403),
  }),
  row('authGetSessions', { request: () => ({}), outcomes: anybodyWithASession('sessions') }),
  row('authRevokeSessions', {
    about: 'of the owner',
    request: async ({ people }) => ({ sessionIds: [(await anotherOwner(people)).session] }),
    outcomes: anybodyWithASession('()'),
  }),
  row('authLookupInvite', {
    request: async (ground) => ({ code: await inviteTo(ground.people.owner, ground) }),
    outcomes: whoever('invitePreview'),
  }),
  row('authUseInvite', {
    destroys: true,
    request: async (ground) => ({ code: await inviteTo(ground.people.owner, ground) }),
    outcomes: anybodyWithASession('()'),
  }),
  row('settingsEditProfile', { request: () => ({ bio: 'Here.' }), outcomes: anybodyWithASession('()') }),
  row('settingsEditProfilePhoto', { request: () => ({}), outcomes: anybodyWithASession('()') }),
  row('settingsEditProfileBanner', { request: () => ({}), outcomes: anybodyWithASession('()') }),
  row('settingsChangeStatus', {
    request: () => ({ status: UserStatusStatus.IDLE }),
    outcomes: anybodyWithASession('()'),
  }),
];

const users: readonly Row[] = [
  row('usersLookupUsername', {
    request: async ({ people: { other } }) => {
      await other.do('settingsEditProfile', { username: 'other' });
      return { username: 'other' };
    },
    outcomes: anybodyWithASession('userDetails'),
  }),
  row('usersLookupUsername', {
    about: 'of nobody',
    request: () => ({ username: 'nobody' }),
    outcomes: anybodyWithASession(404),
  }),
  row('usersGetProfile', {
    request: ({ people: { other } }) => ({ ref: { userId: other.user }, includeMutuals: true }),
    outcomes: anybodyWithASession('profile'),
  }),
  row('usersGetProfile', {
    about: 'of nobody',
    request: () => ({ ref: { userId: 1n as UserId } }),
    outcomes: anybodyWithASession(404),
  }),
];

const communities: readonly Row[] = [
  row('communitiesCreateCommunity', { request: () => ({ name: 'Another' }), outcomes: anybodyWithASession('()') }),
  row('communitiesGetCommunities', { request: () => ({}), outcomes: anybodyWithASession('communities') }),
  row('communitiesLeaveCommunity', {
    destroys: true,
    request: ({ community }) => ({ communityId: community }),
    outcomes: [401, 404, '()', '()', 403],
  }),
  row('communitiesDeleteCommunity', {
    destroys: true,
    request: ({ community }) => ({ communityId: community }),
    outcomes: [401, 404, 403, 403, '()'],
  }),
  row('communitiesEditSettings', {
    bit: 'modifyCommunity',
    request: ({ community }) => ({ communityId: community, settings: { systemMessages: { joinMessages: false } } }),
    outcomes: whoMay('communitySettings'),
  }),
  row('communitiesEditSettings', {
    about: 'to read them',
    request: ({ community }) => ({ communityId: community }),
    outcomes: anyMember('communitySettings'),
  }),
  row('communitiesEditSettings', {
    about: 'with a channel that is hidden',
    bit: 'viewChannel',
    request: (ground) => ({
      communityId: ground.community,
      settings: { systemMessages: { channelId: ground.channel, joinMessages: true } },
    }),
    outcomes: [401, 404, 404, 403, 'communitySettings'],
  }),
  row('communitiesGetMembers', {
    request: ({ community }) => ({ communityId: community }),
    outcomes: anyMember('members'),
  }),
  row('communitiesEditMember', {
    about: "somebody else's nickname",
    bit: 'modifyCommunity',
    request: ({ community, people: { other } }) => ({
      communityId: community,
      memberId: other.user,
      nickname: `No. ${Math.random().toString()}`,
    }),
    outcomes: whoMay('()'),
  }),
  row('communitiesEditMember', {
    about: 'roles',
    bit: 'modifyRoles',
    request: async (ground) => ({
      communityId: ground.community,
      memberId: ground.people.other.user,
      roleIds: { roleIds: [await newRole(ground)] },
    }),
    outcomes: whoMay('()'),
  }),
];

const channels: readonly Row[] = [
  row('communitiesCreateChannel', {
    bit: 'modifyChannel',
    request: ({ community }) => ({ communityId: community, name: 'new', type: ChannelType.TEXT }),
    outcomes: whoMay('()'),
  }),
  row('communitiesGetChannels', {
    request: ({ community }) => ({ communityId: community }),
    outcomes: anyMember('channels'),
  }),
  row('communitiesEditChannel', {
    bit: 'modifyChannel',
    request: (ground) => ({ channel: place(ground), description: `No. ${Math.random().toString()}` }),
    outcomes: whoMay('()'),
  }),
  row('communitiesEditChannel', {
    about: 'that is hidden',
    request: (ground) => ({ channel: place(ground), description: 'Nice.' }),
    outcomes: [401, 404, 404, 403, '()'],
  }),
  row('communitiesDeleteChannel', {
    bit: 'modifyChannel',
    request: async (ground) => ({ channel: { ...place(ground), channelId: await newChannel(ground) } }),
    outcomes: whoMay('()'),
  }),
  row('communitiesGetChannelOverrides', { request: place, outcomes: whoSees('channelOverrides') }),
  ...(['modifyChannel', 'modifyRoles'] as const).flatMap((bit) => [
    row('communitiesCreateChannelOverride', {
      about: `with ${bit}`,
      bit,
      request: async (ground) => ({
        ...place(ground),
        roleId: await newRole(ground),
        permissions: { pos: permission.sendMedia, neg: permission.addReactions },
      }),
      outcomes: whoMay('channelOverride'),
    }),
    row('communitiesDeleteChannelOverride', {
      about: `with ${bit}`,
      bit,
      request: async (ground) => {
        const where = { ...place(ground), roleId: await newRole(ground) };
        const permissions = { pos: permission.sendMedia };
        await ground.people.owner.do('communitiesCreateChannelOverride', { ...where, permissions });
        return where;
      },
      outcomes: whoMay('()'),
    }),
  ]),
  row('communitiesCreateChannelOverride', {
    about: 'of a bit that the asker does not have',
    bit: 'modifyChannel',
    request: (ground) => ({ ...place(ground), roleId: everybody, permissions: { pos: permission.administrator } }),
    outcomes: [401, 404, 403, 403, 'channelOverride'],
  }),
];

const roles: readonly Row[] = [
  row('communitiesGetRoles', {
    request: ({ community }) => ({ communityId: community }),
    outcomes: anyMember('communityRoles'),
  }),
  row('communitiesEditPhoto', {
    bit: 'modifyCommunity',
    request: ({ community: communityId }) => ({ communityId }),
    outcomes: whoMay('()'),
  }),
  row('communitiesCreateRole', {
    bit: 'modifyRoles',
    request: ({ community }) => ({ communityId: community, name: 'new', priority: 1 }),
    outcomes: whoMay('()'),
  }),
  row('communitiesCreateRole', {
    about: 'as high as the one of the asker',
    bit: 'modifyRoles',
    request: ({ community }) => ({ communityId: community, name: 'high', priority: 10 }),
    outcomes: [401, 404, 403, 403, '()'],
  }),
  row('communitiesEditRole', {
    bit: 'modifyRoles',
    request: async (ground) => ({ communityId: ground.community, id: await newRole(ground), name: 'newer' }),
    outcomes: whoMay('()'),
  }),
  row('communitiesDeleteRole', {
    bit: 'modifyRoles',
    request: async (ground) => ({ communityId: ground.community, id: await newRole(ground) }),
    outcomes: whoMay('()'),
  }),
];

const chats: readonly Row[] = [
  row('chatsGetChats', { request: () => ({}), outcomes: anybodyWithASession('chats') }),
  row('chatsGetChat', { request: (ground) => ({ chatRef: chatIn(ground) }), outcomes: whoSees('chat') }),
  row('chatsGetChat', {
    about: 'with a user',
    request: ({ people: { other } }) => ({ chatRef: withUser(other) }),
    outcomes: anybodyWithASession('chat'),
  }),
  row('chatsCreateChatInvite', {
    request: (ground) => ({ chatRef: chatIn(ground) }),
    outcomes: whoSees('createdInvite'),
  }),
  row('chatsMarkChatRead', {
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message }),
    outcomes: whoSees('()'),
  }),
  row('chatsSetTyping', {
    bit: 'sendMessages',
    request: (ground) => ({ chatRef: chatIn(ground), typing: true }),
    outcomes: whoMay('()'),
  }),
];

const media: readonly Row[] = [
  row('mediaUploadFilePart', {
    request: () => ({ uploadId: 7n, part: 0, data: Uint8Array.of(1) }),
    outcomes: anybodyWithASession('()'),
  }),
  row('mediaDownloadFilePart', {
    request: async (ground) => ({ fileRef: { mediaFile: { fileId: await newFile(ground) } }, length: 10 }),
    outcomes: whoSees('filePart'),
  }),
  row('mediaDownloadFilePart', {
    about: 'of a file that never was',
    request: () => ({ fileRef: { mediaFile: { fileId: 5n as FileId } }, length: 10 }),
    outcomes: anybodyWithASession(404),
  }),
];

const messages: readonly Row[] = [
  row('messagesSendMessage', {
    bit: 'sendMessages',
    request: (ground) => ({ chatRef: chatIn(ground), message: 'hello' }),
    outcomes: whoMay('sentMessage'),
  }),
  row('messagesSendMessage', {
    about: 'into a hidden channel',
    request: (ground) => ({ chatRef: chatIn(ground), message: 'hello' }),
    outcomes: whoSees('sentMessage'),
  }),
  row('messagesSendMessage', {
    about: 'to a user',
    request: ({ people: { other } }) => ({ chatRef: withUser(other), message: 'hello' }),
    outcomes: anybodyWithASession('sentMessage'),
  }),
  row('messagesSendMessage', {
    about: 'with a link attached',
    bit: 'sendMedia',
    request: (ground) => ({ chatRef: chatIn(ground), media: [{ embed: { url: 'https://a.example' } }] }),
    outcomes: whoMay('sentMessage'),
  }),
  row('messagesGetHistory', { request: (ground) => ({ chatRef: chatIn(ground) }), outcomes: whoSees('messages') }),
  row('messagesSearch', {
    request: (ground) => ({ chatRef: chatIn(ground), query: 'words' }),
    outcomes: whoSees('messages'),
  }),
  row('messagesEditMessage', {
    about: "of the owner's",
    bit: 'deleteMessages',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, message: 'changed' }),
    outcomes: [401, 404, 403, 403, '()'],
  }),
  row('messagesDeleteMessage', {
    about: "of the owner's",
    bit: 'deleteMessages',
    request: async (ground) => ({ chatRef: chatIn(ground), messageIds: [await newMessage(ground)] }),
    outcomes: whoMay('()'),
  }),
  row('messagesDeleteMessage', {
    about: 'in a hidden channel',
    request: async (ground) => ({ chatRef: chatIn(ground), messageIds: [await newMessage(ground)] }),
    outcomes: [401, 404, 404, 403, '()'],
  }),
  row('messagesForwardMessage', {
    bit: 'sendMessages',
    request: (ground) => ({ chatRef: chatIn(ground), from: chatIn(ground), messageIds: [ground.message] }),
    outcomes: whoMay('()'),
  }),
  row('messagesForwardMessage', {
    about: 'from a hidden channel to oneself',
    request: (ground) => ({ chatRef: { self: {} }, from: chatIn(ground), messageIds: [ground.message] }),
    outcomes: whoSees('()'),
  }),
  row('messagesReportMessage', {
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, reason: 'rude' }),
    outcomes: whoSees('()'),
  }),
  row('messagesSubmitInteraction', {
    about: 'below a message without buttons',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, data: 'coffee' }),
    outcomes: anybodyWithASession(404),
  }),
  row('messagesSetInteractionResponse', {
    about: 'by a person',
    request: () => ({ interactionId: 5n as InteractionId }),
    outcomes: anybodyWithASession(404),
  }),
  row('messagesSetMessagePin', {
    bit: 'pinMessages',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, pin: true }),
    outcomes: whoMay('()'),
  }),
  row('messagesSetMessagePin', {
    about: 'in a hidden channel',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, pin: true }),
    outcomes: [401, 404, 404, 403, '()'],
  }),
  row('messagesGetPinnedMessages', {
    request: (ground) => ({ chatRef: chatIn(ground) }),
    outcomes: whoSees('messages'),
  }),
  row('messagesGetEmbedPreview', {
    request: () => ({ message: 'see https://a.example/' }),
    outcomes: anybodyWithASession('mediaEmbed'),
  }),
  row('messagesGetEmbedPreview', {
    about: 'without a link',
    request: () => ({ message: 'no link' }),
    outcomes: anybodyWithASession(404),
  }),
  row('messagesGetUnreadMentions', {
    request: (ground) => ({ chatRef: chatIn(ground) }),
    outcomes: whoSees('unreadMentions'),
  }),
];

const reactions: readonly Row[] = [
  row('reactionsAddReaction', {
    bit: 'addReactions',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, emoji: { unicodeEmoji: '👍' } }),
    outcomes: whoMay('()'),
  }),
  row('reactionsAddReaction', {
    about: 'in a hidden channel',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, emoji: { unicodeEmoji: '👍' } }),
    outcomes: whoSees('()'),
  }),
  row('reactionsRemoveReaction', {
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, emoji: { unicodeEmoji: '👍' } }),
    outcomes: whoSees('()'),
  }),
  row('reactionsRemoveReaction', {
    about: 'without the right to add one',
    bit: 'addReactions',
    request: (ground) => ({ chatRef: chatIn(ground), messageId: ground.message, emoji: { unicodeEmoji: '👍' } }),
    outcomes: anyMember('()'),
  }),
];

const withEmoji = (emojiId: FileId) => ({
  message: 'x',
  entities: [{ startIndex: 0, length: 1, customEmoji: { emojiId } }],
});

const stickers: readonly Row[] = [
  row('stickersGetStickerPack', {
    request: ({ community }) => ({ pack: packOf(community) }),
    outcomes: anyMember('stickerPack'),
  }),
  row('stickersGetStickerFiles', {
    request: async (ground) => ({ stickerIds: [await newEmoji(ground)] }),
    outcomes: anybodyWithASession('files'),
  }),
  row('stickersGetSavedStickers', { request: () => ({}), outcomes: anybodyWithASession('savedStickers') }),
  row('stickersAddStickerToPack', { bit: 'modifyLinkedStickers', request: newSticker, outcomes: whoMay('()') }),
  row('stickersRemoveStickerFromPack', {
    bit: 'modifyLinkedStickers',
    request: async (ground) => ({ pack: packOf(ground.community), stickerId: await newEmoji(ground) }),
    outcomes: whoMay('()'),
  }),
  row('mediaDownloadFilePart', {
    about: 'of an emoji',
    request: async (ground) => ({ fileRef: { mediaFile: { fileId: await newEmoji(ground) } }, length: 10 }),
    outcomes: anybodyWithASession('filePart'),
  }),
  row('messagesSendMessage', {
    about: 'to a user with an emoji of the community',
    request: async (ground) => ({ chatRef: withUser(ground.people.other), ...withEmoji(await newEmoji(ground)) }),
    outcomes: anyMember('sentMessage'),
  }),
  row('reactionsAddReaction', {
    about: 'with a custom emoji',
    bit: 'addReactions',
    request: async (ground) => ({
      chatRef: chatIn(ground),
      messageId: ground.message,
      emoji: { customEmoji: await newEmoji(ground) },
    }),
    outcomes: whoMay('()'),
  }),
];

/** What everybody gets for everything that is built. */
export const outcomeTable: readonly Row[] = [
  ...core,
  ...users,
  ...communities,
  ...channels,
  ...roles,
  ...chats,
  ...messages,
  ...media,
  ...reactions,
  ...stickers,
];
