import type { RpcName } from '../gen/rpcs.js';
import { reject, type Rejection } from '../kernel/decider.js';
import type { HandlerTable, Handlers } from './contract/handlers.js';
import type { HistoryPart } from './contract/historyPart.js';
import type { PackageManifest } from './contract/manifest.js';
import type { PrefetchedUsers, Renderer } from './contract/updateView.js';
import { authPackage } from './packages/auth/manifest.js';
import { chatsPackage } from './packages/chats/manifest.js';
import { communitiesPackage } from './packages/communities/manifest.js';
import { corePackage } from './packages/core/manifest.js';
import { interactionsPackage } from './packages/interactions/manifest.js';
import { invitesPackage } from './packages/invites/manifest.js';
import { mediaPackage } from './packages/media/manifest.js';
import { messagesPackage } from './packages/messages/manifest.js';
import { reactionsPackage } from './packages/reactions/manifest.js';
import { readsPackage } from './packages/reads/manifest.js';
import { settingsPackage } from './packages/settings/manifest.js';
import { stickersPackage } from './packages/stickers/manifest.js';
import { usersPackage } from './packages/users/manifest.js';

/** Every package of the gateway. Its handlers, updates and prefetching follow from its line here. */
const packages = [
  corePackage,
  authPackage,
  usersPackage,
  communitiesPackage,
  invitesPackage,
  chatsPackage,
  mediaPackage,
  messagesPackage,
  interactionsPackage,
  reactionsPackage,
  readsPackage,
  settingsPackage,
  stickersPackage,
] as const;

type Package = (typeof packages)[number];

/** The RPCs that are still to be built. One that has a handler by now does not compile here. */
export const notBuilt = [
  'authCompleteSignIn',
  'authCreateEmailVerificationChallenge',
  'authResendEmailVerification',
  'authResetPassword',
  'authSignIn',
  'authVerifyEmail',
  'billingCancelSubscription',
  'billingClaimGift',
  'billingCreateGiftLink',
  'billingGetInventory',
  'billingGetProducts',
  'billingGetSubscription',
  'billingPurchaseCredit',
  'billingRedeemInventoryItem',
  'billingRequestPaymentLink',
  'billingRevokeGiftLink',
  'chatsAddChatMember',
  'chatsCreateChat',
  'chatsDeleteChatInvite',
  'chatsEditChat',
  'chatsEditChatMember',
  'chatsGetChatMembers',
  'chatsListChatInvites',
  'chatsRemoveChatMember',
  'communitiesAddMember',
  'communitiesEditCommunity',
  'communitiesEditDefaultPermissions',
  'communitiesGetChannelMembers',
  'communitiesGetRemovedMembers',
  'communitiesGetRoomStates',
  'communitiesRemoveMembers',
  'communitiesSyncChannelOverrides',
  'communitiesUnbanMembers',
  'discoveryGetDiscoverableCommunities',
  'friendsChangeRelationship',
  'friendsGetRelationships',
  'friendsSyncFriends',
  'oauthAuthorize',
  'oauthGetApp',
  'settingsBeginMfaStepUp',
  'settingsChangeEmail',
  'settingsChangeNotificationPreferences',
  'settingsChangePassword',
  'settingsCompleteMfaStepUp',
  'settingsDeleteAccount',
  'settingsEditUserSettings',
  'settingsGetAccount',
  'settingsGetMfaMethods',
  'settingsGetRecoveryCodes',
  'settingsRegenerateRecoveryCodes',
  'settingsRegisterPushSubscription',
  'settingsRequestTakeout',
  'settingsSetupTotp',
  'settingsSetupWebauthn',
  'settingsUnregisterPushSubscription',
  'voiceDisconnectUser',
  'voiceGetRoomStates',
  'voiceRequestRoom',
] as const satisfies readonly Exclude<RpcName, BuiltRpc>[];

type NotBuiltRpc = (typeof notBuilt)[number];

type PartOf<P, Part extends keyof PackageManifest> = P extends Readonly<Record<Part, infer Value>> ? Value : never;
/** The needs of all functions of the union together. */
type NeedsOf<Factory> = [Factory] extends [(needs: infer Needs) => unknown] ? Needs : never;
type MadeBy<Factory> = Factory extends (needs: never) => infer Made ? Made : never;
type KeysOf<Table> = Table extends Table ? keyof Table : never;

export type BuiltRpc = KeysOf<MadeBy<PartOf<Package, 'rpcs'>>>;
type AllHandlerNeeds = NeedsOf<PartOf<Package, 'rpcs'>>;
/** The parts of history come from the packages themselves. */
export type HandlerNeeds = Omit<AllHandlerNeeds, 'historyParts'>;
export type UpdateNeeds = NeedsOf<PartOf<Package, 'updates'>>;

/** The one table from RPC to handler. An RPC that is in no package and not in `notBuilt` does not compile. */
export const handlerTable = (needs: HandlerNeeds): HandlerTable => ({
  ...unbuiltHandlers,
  ...builtHandlers(needs),
});

// The names are taken from the handlers of the packages, so each name has one.
const builtHandlers = (given: HandlerNeeds): Handlers<BuiltRpc> => {
  const needs: AllHandlerNeeds = { ...given, historyParts };
  return merged(packages.map((one) => ('rpcs' in one ? one.rpcs(needs) : {}))) as Handlers<BuiltRpc>;
};

/** The parts that packages show beside the messages of a page of history. */
export const historyParts: readonly HistoryPart[] = packages.flatMap((one) =>
  'inHistory' in one ? [one.inHistory] : [],
);

const notImplemented = (): Promise<Rejection> => Promise.resolve(reject('NOT_IMPLEMENTED'));

const unbuiltHandlers = Object.fromEntries(
  notBuilt.map((name) => [name, notImplemented]),
  // One entry for each name of the list; the keys of `fromEntries` are any strings to the compiler.
) as unknown as Handlers<NotBuiltRpc>;

/** The updates of each event, by its type. */
export const updateTable = (needs: UpdateNeeds): Readonly<Record<string, Renderer>> =>
  merged(packages.map((one) => ('updates' in one ? one.updates(needs) : {})));

/** Throws when two packages bring the same name: one of the entries would have no effect. */
const merged = <Entry>(tables: readonly Readonly<Record<string, Entry>>[]): Readonly<Record<string, Entry>> => {
  const all = new Map<string, Entry>();
  for (const [name, entry] of tables.flatMap((table) => Object.entries(table))) {
    if (all.has(name)) throw new Error(`two packages bring ${name}`);
    all.set(name, entry);
  }
  return Object.fromEntries(all);
};

/** The users whose accounts the updates of an event show, by its type. */
export const prefetchedUsers: PrefetchedUsers = merged(
  packages.map((one) => ('prefetched' in one ? one.prefetched : {})),
);
