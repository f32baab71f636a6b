import { reject, type Rejection } from '../kernel/decider.js';
import { authRpcs, type AuthNeeds } from './packages/auth/rpcs.js';
import { chatRpcs, type ChatNeeds } from './packages/chats/rpcs.js';
import { communityRpcs } from './packages/communities/rpcs.js';
import { coreRpcs } from './packages/core/rpcs.js';
import { inviteRpcs, type InviteNeeds } from './packages/invites/rpcs.js';
import { messageRpcs, type MessageNeeds } from './packages/messages/rpcs.js';
import type { HandlerTable } from './contract/handlers.js';
import { settingsRpcs, type SettingsNeeds } from './packages/settings/rpcs.js';

export type HandlerNeeds = AuthNeeds &
  ChatNeeds &
  Parameters<typeof communityRpcs>[0] &
  InviteNeeds &
  MessageNeeds &
  SettingsNeeds;

/** What every other RPC is answered until it is built. */
const notImplemented = (): Promise<Rejection> => Promise.resolve(reject('NOT_IMPLEMENTED'));

/** The RPCs that are still to be built. */
const notBuilt = {
  authCompleteSignIn: notImplemented,
  authCreateEmailVerificationChallenge: notImplemented,
  authResendEmailVerification: notImplemented,
  authResetPassword: notImplemented,
  authSignIn: notImplemented,
  authVerifyEmail: notImplemented,
  billingCancelSubscription: notImplemented,
  billingClaimGift: notImplemented,
  billingCreateGiftLink: notImplemented,
  billingGetInventory: notImplemented,
  billingGetProducts: notImplemented,
  billingGetSubscription: notImplemented,
  billingPurchaseCredit: notImplemented,
  billingRedeemInventoryItem: notImplemented,
  billingRequestPaymentLink: notImplemented,
  billingRevokeGiftLink: notImplemented,
  chatsAddChatMember: notImplemented,
  chatsCreateChat: notImplemented,
  chatsDeleteChatInvite: notImplemented,
  chatsEditChat: notImplemented,
  chatsEditChatMember: notImplemented,
  chatsGetChatMembers: notImplemented,
  chatsListChatInvites: notImplemented,
  chatsRemoveChatMember: notImplemented,
  communitiesAddMember: notImplemented,
  communitiesEditCommunity: notImplemented,
  communitiesEditDefaultPermissions: notImplemented,
  communitiesEditPhoto: notImplemented,
  communitiesEditSettings: notImplemented,
  communitiesGetChannelMembers: notImplemented,
  communitiesGetRemovedMembers: notImplemented,
  communitiesGetRoomStates: notImplemented,
  communitiesRemoveMembers: notImplemented,
  communitiesSyncChannelOverrides: notImplemented,
  communitiesUnbanMembers: notImplemented,
  discoveryGetDiscoverableCommunities: notImplemented,
  friendsChangeRelationship: notImplemented,
  friendsGetRelationships: notImplemented,
  friendsSyncFriends: notImplemented,
  mediaDownloadFilePart: notImplemented,
  mediaUploadFilePart: notImplemented,
  messagesForwardMessage: notImplemented,
  messagesGetEmbedPreview: notImplemented,
  messagesGetPinnedMessages: notImplemented,
  messagesGetUnreadMentions: notImplemented,
  messagesReportMessage: notImplemented,
  messagesSearch: notImplemented,
  messagesSetInteractionResponse: notImplemented,
  messagesSetMessagePin: notImplemented,
  messagesSubmitInteraction: notImplemented,
  oauthAuthorize: notImplemented,
  oauthGetApp: notImplemented,
  reactionsAddReaction: notImplemented,
  reactionsRemoveReaction: notImplemented,
  settingsBeginMfaStepUp: notImplemented,
  settingsChangeEmail: notImplemented,
  settingsChangeNotificationPreferences: notImplemented,
  settingsChangePassword: notImplemented,
  settingsCompleteMfaStepUp: notImplemented,
  settingsDeleteAccount: notImplemented,
  settingsEditProfileBanner: notImplemented,
  settingsEditProfilePhoto: notImplemented,
  settingsEditUserSettings: notImplemented,
  settingsGetAccount: notImplemented,
  settingsGetMfaMethods: notImplemented,
  settingsGetRecoveryCodes: notImplemented,
  settingsRegenerateRecoveryCodes: notImplemented,
  settingsRegisterPushSubscription: notImplemented,
  settingsRequestTakeout: notImplemented,
  settingsSetupTotp: notImplemented,
  settingsSetupWebauthn: notImplemented,
  settingsUnregisterPushSubscription: notImplemented,
  stickersAddStickerToPack: notImplemented,
  stickersGetSavedStickers: notImplemented,
  stickersGetStickerFiles: notImplemented,
  stickersGetStickerPack: notImplemented,
  stickersRemoveStickerFromPack: notImplemented,
  usersGetProfile: notImplemented,
  usersLookupUsername: notImplemented,
  voiceDisconnectUser: notImplemented,
  voiceGetRoomStates: notImplemented,
  voiceRequestRoom: notImplemented,
} as const;

/** The one table from RPC to handler. An RPC that is neither built nor named above does not compile. */
export const handlerTable = (needs: HandlerNeeds): HandlerTable => ({
  ...notBuilt,
  ...coreRpcs(),
  ...authRpcs(needs),
  ...communityRpcs(needs),
  ...inviteRpcs(needs),
  ...chatRpcs(needs),
  ...messageRpcs(needs),
  ...settingsRpcs(needs),
});
