import type { RpcName } from '../../gen/rpcs.js';

/** The treatment of requests of one RPC. The server, our client and docs/protocol.md go by it. */
export type RpcPolicy = {
  /** Whether the connection must have a session. An open RPC is answered with or without one. */
  readonly session: 'open' | 'required';
  readonly order: RequestOrdering;
  readonly limit: LimitName;
  readonly repeat: Repeat;
};

/**
 * Requests of one connection are carried out as if one after the other. Requests of one kind go side by side, except
 * those that go `alone`.
 */
export type RequestOrdering = 'read' | 'send' | 'alone';

/** The allowance that a request is counted against; `limitTable` of requests/rateLimits has the figures. */
export type LimitName =
  'signIn' | 'signUp' | 'recovery' | 'handshake' | 'inviteLookup' | 'messages' | 'typing' | 'creation' | 'requests';

/**
 * Whether a client may ask again when it does not know whether a request was carried out. `nonce`: a request with the
 * same `client_id` is carried out once.
 */
export type Repeat = 'safe' | 'nonce' | 'never';

const read = { session: 'required', order: 'read', limit: 'requests', repeat: 'safe' } as const;
const change = { session: 'required', order: 'alone', limit: 'requests', repeat: 'never' } as const;

/**
 * Every RPC; a missing one does not compile. RPCs that check a password or a second factor are limited like a sign-in,
 * because secrets could be guessed by each of them.
 */
export const rpcPolicy = {
  authAuthorize: { ...change, session: 'open', limit: 'handshake' },
  authCompleteSignIn: { ...change, session: 'open', limit: 'signIn' },
  authCreateEmailVerificationChallenge: { ...change, session: 'open', limit: 'recovery' },
  authGetSessions: read,
  authLegacySignIn: { ...change, session: 'open', limit: 'signIn' },
  authLookupInvite: { ...read, session: 'open', limit: 'inviteLookup' },
  authResendEmailVerification: { ...change, session: 'open', limit: 'recovery' },
  authResetPassword: { ...change, session: 'open', limit: 'recovery' },
  authRevokeSessions: change,
  authSignIn: { ...change, session: 'open', limit: 'signIn' },
  authSignUp: { ...change, session: 'open', limit: 'signUp' },
  authUseInvite: change,
  authVerifyEmail: { ...change, session: 'open', limit: 'recovery' },

  billingCancelSubscription: change,
  billingClaimGift: change,
  billingCreateGiftLink: change,
  billingGetInventory: read,
  billingGetProducts: read,
  billingGetSubscription: read,
  billingPurchaseCredit: change,
  billingRedeemInventoryItem: change,
  billingRequestPaymentLink: change,
  billingRevokeGiftLink: change,

  chatsAddChatMember: change,
  chatsCreateChat: { ...change, limit: 'creation' },
  chatsCreateChatInvite: change,
  chatsDeleteChatInvite: change,
  chatsEditChat: change,
  chatsEditChatMember: change,
  chatsGetChat: read,
  chatsGetChatMembers: read,
  chatsGetChats: read,
  chatsListChatInvites: read,
  chatsMarkChatRead: change,
  chatsRemoveChatMember: change,
  chatsSetTyping: { ...change, limit: 'typing' },

  communitiesAddMember: change,
  communitiesCreateChannel: change,
  communitiesCreateChannelOverride: change,
  communitiesCreateCommunity: { ...change, limit: 'creation' },
  communitiesCreateRole: change,
  communitiesDeleteChannel: change,
  communitiesDeleteChannelOverride: change,
  communitiesDeleteCommunity: change,
  communitiesDeleteRole: change,
  communitiesEditChannel: change,
  communitiesEditCommunity: change,
  communitiesEditDefaultPermissions: change,
  communitiesEditMember: change,
  communitiesEditPhoto: change,
  communitiesEditRole: change,
  communitiesEditSettings: change,
  communitiesGetChannelMembers: read,
  communitiesGetChannelOverrides: read,
  communitiesGetChannels: read,
  communitiesGetCommunities: read,
  communitiesGetMembers: read,
  communitiesGetRemovedMembers: read,
  communitiesGetRoles: read,
  communitiesGetRoomStates: read,
  communitiesLeaveCommunity: change,
  communitiesRemoveMembers: change,
  communitiesSyncChannelOverrides: change,
  communitiesUnbanMembers: change,

  coreInitialize: { ...change, session: 'open', limit: 'handshake' },

  discoveryGetDiscoverableCommunities: read,

  friendsChangeRelationship: change,
  friendsGetRelationships: read,
  friendsSyncFriends: change,

  mediaDownloadFilePart: read,
  mediaUploadFilePart: { ...change, order: 'send' },

  messagesDeleteMessage: change,
  messagesEditMessage: change,
  messagesForwardMessage: { ...change, limit: 'messages' },
  messagesGetEmbedPreview: read,
  messagesGetHistory: read,
  messagesGetPinnedMessages: read,
  messagesGetUnreadMentions: read,
  messagesReportMessage: change,
  messagesSearch: read,
  messagesSendMessage: { ...change, order: 'send', limit: 'messages', repeat: 'nonce' },
  messagesSetInteractionResponse: change,
  messagesSetMessagePin: change,
  messagesSubmitInteraction: { ...change, order: 'send', limit: 'messages' },

  oauthAuthorize: change,
  oauthGetApp: read,

  reactionsAddReaction: change,
  reactionsRemoveReaction: change,

  settingsBeginMfaStepUp: { ...change, limit: 'signIn' },
  settingsChangeEmail: change,
  settingsChangeNotificationPreferences: change,
  settingsChangePassword: { ...change, limit: 'signIn' },
  settingsChangeStatus: change,
  settingsCompleteMfaStepUp: { ...change, limit: 'signIn' },
  settingsDeleteAccount: change,
  settingsEditProfile: change,
  settingsEditProfileBanner: change,
  settingsEditProfilePhoto: change,
  settingsEditUserSettings: change,
  settingsGetAccount: read,
  settingsGetMfaMethods: read,
  settingsGetRecoveryCodes: { ...read, limit: 'signIn' },
  settingsRegenerateRecoveryCodes: change,
  settingsRegisterPushSubscription: change,
  settingsRequestTakeout: change,
  settingsSetupTotp: change,
  settingsSetupWebauthn: change,
  settingsUnregisterPushSubscription: change,

  stickersAddStickerToPack: change,
  stickersGetSavedStickers: read,
  stickersGetStickerFiles: read,
  stickersGetStickerPack: read,
  stickersRemoveStickerFromPack: change,

  usersGetProfile: read,
  usersLookupUsername: read,

  voiceDisconnectUser: change,
  voiceGetRoomStates: read,
  voiceRequestRoom: change,
} as const satisfies Readonly<Record<RpcName, RpcPolicy>>;

type Policies = typeof rpcPolicy;

/** RPCs that are answered before authorization. */
export type OpenRpc = {
  [Name in RpcName]: Policies[Name]['session'] extends 'open' ? Name : never;
}[RpcName];
