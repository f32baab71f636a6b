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
  /** The kind of events that the RPC leaves behind. It is refused for `events` alone when the disk is nearly full. */
  readonly stores: Stores;
};

/**
 * `nothing`: it reads, or what it does is over with the connection, or is as little as the note of a device that comes
 * back. `less`: it deletes, leaves or revokes, which is an event as well, but one that lets others go.
 */
export type Stores = 'nothing' | 'less' | 'events';

/**
 * Requests of one connection are carried out as if one after the other. Requests of one kind go side by side, except
 * those that go `alone`. One that goes `aside` waits for those before it, and nothing waits for it.
 */
export type RequestOrdering = 'read' | 'send' | 'alone' | 'aside';

/**
 * The limit by number that holds beside the budgets of units. Those that all nodes share are for what is rare and dear;
 * `limitTable` of requests/rateLimits has their figures, `budgetTable` of requests/budgets those of the others.
 */
export type LimitName = SharedLimitName | GuardedLimitName | 'messages' | 'typing' | 'lookups' | 'none';
export type SharedLimitName = 'recovery' | 'handshake' | 'inviteLookup' | 'creation' | 'reports';

/** Counted by the handler, through `SignInGuard`; `signInLimits` of requests/signInGuard has the figures. */
export type GuardedLimitName = 'signIn' | 'signUp';

export const isGuarded = (limit: LimitName): limit is GuardedLimitName => limit === 'signIn' || limit === 'signUp';

/**
 * Whether a client may ask again when it does not know whether a request was carried out. `nonce`: a request with the
 * same `client_id` is carried out once.
 */
export type Repeat = 'safe' | 'nonce' | 'never';

const ofMembers = { session: 'required', limit: 'none', work: 'short', units: 2 } as const;
const read = { ...ofMembers, order: 'read', repeat: 'safe', stores: 'nothing' } as const;
/** Answers with a list that its caller does not bound, or not by much. */
const listing = { ...read, work: 'long', units: 4 } as const;
const change = { ...ofMembers, order: 'alone', repeat: 'never' } as const;
const write = { ...change, stores: 'events' } as const;
/** Lets go of something: deletes, leaves, revokes. */
const free = { ...change, stores: 'less' } as const;
const passing = { ...change, stores: 'nothing' } as const;
/** Checks or makes a secret, which takes a slow hash, though on another thread. */
const secret = { ...write, limit: 'signIn', units: 30 } as const;

/**
 * Every RPC; a missing one does not compile. RPCs that check a password or a second factor are limited like a sign-in,
 * because secrets could be guessed by each of them.
 */
export const rpcPolicy = {
  authAuthorize: { ...passing, session: 'open', limit: 'handshake', units: 10 },
  authCompleteSignIn: { ...secret, session: 'open' },
  authCreateEmailVerificationChallenge: { ...write, session: 'open', limit: 'recovery' },
  authGetSessions: read,
  authLegacySignIn: { ...secret, session: 'open' },
  authLookupInvite: { ...read, session: 'open', limit: 'inviteLookup', units: 4 },
  authResendEmailVerification: { ...write, session: 'open', limit: 'recovery' },
  authResetPassword: { ...secret, session: 'open', limit: 'recovery' },
  authRevokeSessions: free,
  authSignIn: { ...secret, session: 'open' },
  authSignUp: { ...secret, session: 'open', limit: 'signUp' },
  authUseInvite: write,
  authVerifyEmail: { ...write, session: 'open', limit: 'recovery' },

  billingCancelSubscription: write,
  billingClaimGift: write,
  billingCreateGiftLink: write,
  billingGetInventory: read,
  billingGetProducts: read,
  billingGetSubscription: read,
  billingPurchaseCredit: write,
  billingRedeemInventoryItem: write,
  billingRequestPaymentLink: write,
  billingRevokeGiftLink: free,

  chatsAddChatMember: write,
  chatsCreateChat: { ...write, limit: 'creation' },
  chatsCreateChatInvite: write,
  chatsDeleteChatInvite: free,
  chatsEditChat: write,
  chatsEditChatMember: write,
  chatsGetChat: read,
  chatsGetChatMembers: listing,
  chatsGetChats: listing,
  chatsListChatInvites: listing,
  chatsMarkChatRead: write,
  chatsRemoveChatMember: free,
  chatsSetTyping: { ...passing, limit: 'typing' },

  communitiesAddMember: write,
  communitiesCreateChannel: write,
  communitiesCreateChannelOverride: write,
  communitiesCreateCommunity: { ...write, limit: 'creation' },
  communitiesCreateRole: write,
  communitiesDeleteChannel: free,
  communitiesDeleteChannelOverride: free,
  communitiesDeleteCommunity: free,
  communitiesDeleteRole: free,
  communitiesEditChannel: write,
  communitiesEditCommunity: write,
  communitiesEditDefaultPermissions: write,
  communitiesEditMember: write,
  communitiesEditPhoto: write,
  communitiesEditRole: write,
  communitiesEditSettings: write,
  communitiesGetChannelMembers: listing,
  communitiesGetChannelOverrides: read,
  communitiesGetChannels: listing,
  communitiesGetCommunities: listing,
  communitiesGetMembers: listing,
  communitiesGetRemovedMembers: listing,
  communitiesGetRoles: read,
  communitiesGetRoomStates: read,
  communitiesLeaveCommunity: free,
  communitiesRemoveMembers: free,
  communitiesSyncChannelOverrides: write,
  communitiesUnbanMembers: write,

  coreInitialize: { ...passing, session: 'open', limit: 'handshake', units: 1 },

  discoveryGetDiscoverableCommunities: listing,

  friendsChangeRelationship: write,
  friendsGetRelationships: listing,
  friendsSyncFriends: write,

  mediaDownloadFilePart: read,
  mediaUploadFilePart: { ...write, order: 'send' },

  messagesDeleteMessage: free,
  messagesEditMessage: write,
  messagesForwardMessage: { ...write, limit: 'messages' },
  // The fetch takes up to 15 s, the wait for its turn included. Parsing a page is the work.
  messagesGetEmbedPreview: { ...read, order: 'aside', units: 20 },
  messagesGetHistory: listing,
  messagesGetPinnedMessages: listing,
  messagesGetUnreadMentions: listing,
  messagesReportMessage: { ...write, limit: 'reports', units: 6 },
  messagesSearch: listing,
  messagesSendMessage: { ...write, order: 'send', limit: 'messages', repeat: 'nonce' },
  messagesSetInteractionResponse: { ...passing, order: 'aside' },
  messagesSetMessagePin: write,
  messagesSubmitInteraction: { ...passing, order: 'aside', limit: 'messages', units: 4 },

  oauthAuthorize: write,
  oauthGetApp: read,

  reactionsAddReaction: write,
  reactionsRemoveReaction: free,

  settingsBeginMfaStepUp: secret,
  settingsChangeEmail: write,
  settingsChangeNotificationPreferences: write,
  settingsChangePassword: secret,
  settingsChangeStatus: passing,
  settingsCompleteMfaStepUp: secret,
  settingsDeleteAccount: free,
  settingsEditProfile: write,
  settingsEditProfileBanner: write,
  settingsEditProfilePhoto: write,
  settingsEditUserSettings: write,
  settingsGetAccount: read,
  settingsGetMfaMethods: read,
  settingsGetRecoveryCodes: { ...secret, order: 'read', repeat: 'safe', stores: 'nothing' },
  settingsRegenerateRecoveryCodes: write,
  settingsRegisterPushSubscription: write,
  settingsRequestTakeout: write,
  settingsSetupTotp: write,
  settingsSetupWebauthn: write,
  settingsUnregisterPushSubscription: free,

  stickersAddStickerToPack: write,
  stickersGetSavedStickers: listing,
  stickersGetStickerFiles: read,
  stickersGetStickerPack: read,
  stickersRemoveStickerFromPack: free,

  usersGetProfile: read,
  usersLookupUsername: { ...read, limit: 'lookups' },

  voiceDisconnectUser: passing,
  voiceGetRoomStates: read,
  voiceRequestRoom: passing,
} as const satisfies Readonly<Record<RpcName, RpcPolicy>>;

type Policies = typeof rpcPolicy;

/** RPCs that are answered before authorization. */
export type OpenRpc = {
  [Name in RpcName]: Policies[Name]['session'] extends 'open' ? Name : never;
}[RpcName];
