import type { RpcName } from '../../gen/rpcs.js';

/** The treatment of requests of one RPC. The server, our client and docs/protocol.md go by it. */
export type RpcPolicy = {
  /** Whether the connection must have a session. An open RPC is answered with or without one. */
  readonly session: 'open' | 'required';
  readonly order: RequestOrdering;
  readonly limit: LimitName;
  readonly repeat: Repeat;
  /**
   * The price of the request itself, in units: the work of the cheapest request, some 50 µs. Reads, events, deliveries and
   * the answer are added once they are known; `costs` of contract/meter.ts has those figures.
   */
  readonly units: number;
  /** Of the `long` ones a user has one under way at a time, because each may read thousands of documents. */
  readonly work: 'short' | 'long';
};

/**
 * Requests of one connection are carried out as if one after the other. Requests of one kind go side by side, except
 * those that go `alone`.
 */
export type RequestOrdering = 'read' | 'send' | 'alone';

/**
 * The limit by number that holds beside the budgets of units. Those that all nodes share are for what is rare and dear;
 * `limitTable` of requests/rateLimits has their figures, `budgetTable` of requests/budgets those of the others.
 */
export type LimitName = SharedLimitName | GuardedLimitName | 'messages' | 'typing' | 'none';
export type SharedLimitName = 'recovery' | 'handshake' | 'inviteLookup' | 'creation';

/** Counted by the handler, through `SignInGuard`; `signInLimits` of requests/signInGuard has the figures. */
export type GuardedLimitName = 'signIn' | 'signUp';

export const isGuarded = (limit: LimitName): limit is GuardedLimitName => limit === 'signIn' || limit === 'signUp';

/**
 * Whether a client may ask again when it does not know whether a request was carried out. `nonce`: a request with the
 * same `client_id` is carried out once.
 */
export type Repeat = 'safe' | 'nonce' | 'never';

const ofMembers = { session: 'required', limit: 'none', work: 'short', units: 2 } as const;
const read = { ...ofMembers, order: 'read', repeat: 'safe' } as const;
/** Answers with a list that its caller does not bound, or not by much. */
const listing = { ...read, work: 'long', units: 4 } as const;
const change = { ...ofMembers, order: 'alone', repeat: 'never' } as const;
/** Checks or makes a secret, which takes a slow hash, though on another thread. */
const secret = { ...change, limit: 'signIn', units: 30 } as const;

/**
 * Every RPC; a missing one does not compile. RPCs that check a password or a second factor are limited like a sign-in,
 * because secrets could be guessed by each of them.
 */
export const rpcPolicy = {
  authAuthorize: { ...change, session: 'open', limit: 'handshake', units: 10 },
  authCompleteSignIn: { ...secret, session: 'open' },
  authCreateEmailVerificationChallenge: { ...change, session: 'open', limit: 'recovery' },
  authGetSessions: read,
  authLegacySignIn: { ...secret, session: 'open' },
  authLookupInvite: { ...read, session: 'open', limit: 'inviteLookup', units: 4 },
  authResendEmailVerification: { ...change, session: 'open', limit: 'recovery' },
  authResetPassword: { ...secret, session: 'open', limit: 'recovery' },
  authRevokeSessions: change,
  authSignIn: { ...secret, session: 'open' },
  authSignUp: { ...secret, session: 'open', limit: 'signUp' },
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
  chatsGetChatMembers: listing,
  chatsGetChats: listing,
  chatsListChatInvites: listing,
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
  communitiesGetChannelMembers: listing,
  communitiesGetChannelOverrides: read,
  communitiesGetChannels: listing,
  communitiesGetCommunities: listing,
  communitiesGetMembers: listing,
  communitiesGetRemovedMembers: listing,
  communitiesGetRoles: read,
  communitiesGetRoomStates: read,
  communitiesLeaveCommunity: change,
  communitiesRemoveMembers: change,
  communitiesSyncChannelOverrides: change,
  communitiesUnbanMembers: change,

  coreInitialize: { ...change, session: 'open', limit: 'handshake', units: 1 },

  discoveryGetDiscoverableCommunities: listing,

  friendsChangeRelationship: change,
  friendsGetRelationships: listing,
  friendsSyncFriends: change,

  mediaDownloadFilePart: read,
  mediaUploadFilePart: { ...change, order: 'send' },

  messagesDeleteMessage: change,
  messagesEditMessage: change,
  messagesForwardMessage: { ...change, limit: 'messages' },
  messagesGetEmbedPreview: read,
  messagesGetHistory: listing,
  messagesGetPinnedMessages: listing,
  messagesGetUnreadMentions: listing,
  messagesReportMessage: change,
  messagesSearch: listing,
  messagesSendMessage: { ...change, order: 'send', limit: 'messages', repeat: 'nonce' },
  messagesSetInteractionResponse: change,
  messagesSetMessagePin: change,
  messagesSubmitInteraction: { ...change, order: 'send', limit: 'messages' },

  oauthAuthorize: change,
  oauthGetApp: read,

  reactionsAddReaction: change,
  reactionsRemoveReaction: change,

  settingsBeginMfaStepUp: secret,
  settingsChangeEmail: change,
  settingsChangeNotificationPreferences: change,
  settingsChangePassword: secret,
  settingsChangeStatus: change,
  settingsCompleteMfaStepUp: secret,
  settingsDeleteAccount: change,
  settingsEditProfile: change,
  settingsEditProfileBanner: change,
  settingsEditProfilePhoto: change,
  settingsEditUserSettings: change,
  settingsGetAccount: read,
  settingsGetMfaMethods: read,
  settingsGetRecoveryCodes: { ...secret, order: 'read', repeat: 'safe' },
  settingsRegenerateRecoveryCodes: change,
  settingsRegisterPushSubscription: change,
  settingsRequestTakeout: change,
  settingsSetupTotp: change,
  settingsSetupWebauthn: change,
  settingsUnregisterPushSubscription: change,

  stickersAddStickerToPack: change,
  stickersGetSavedStickers: listing,
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
