import type { ChannelId, CommunityId, FileId, MessageId, Millis, RoleId, UserId } from '../../kernel/ids.js';
import type { Command } from '../../kernel/decider.js';
import type { PhotoContent } from '../files/events.js';
import type { ChannelKind, Listing, Notifications } from './events.js';

export type CommunityCommand =
  | CreateCommunity
  | DeleteCommunity
  | EditPhoto
  | EditSettings
  | CreateChannel
  | EditChannel
  | DeleteChannel
  | TakeDownHighlight
  | CreateRole
  | EditRole
  | DeleteRole
  | CreateChannelOverride
  | DeleteChannelOverride;

/**
 * The user who asks. `permissions` are those in the channel where the command is about one, else those in the
 * community; `rank` is the priority of their highest role, -1 without any, above every priority for the owner.
 */
export type CommunityAsker = { readonly user: UserId; readonly permissions: bigint; readonly rank: number };

/** `general` is the channel that every community begins with. */
export type CreateCommunity = Command<
  'CreateCommunity',
  { readonly community: CommunityId; readonly general: ChannelId; readonly name: string; readonly by: UserId }
>;

export type DeleteCommunity = Command<'DeleteCommunity', { readonly community: CommunityId; readonly by: UserId }>;

/** The file is kept for long enough: see `UseFile`. */
export type EditPhoto = Command<
  'EditPhoto',
  {
    readonly community: CommunityId;
    readonly by: CommunityAsker;
    readonly at: Millis;
    readonly to: { readonly file: FileId; readonly content: PhotoContent } | 'removed';
  }
>;

/** A field that is left out stays as it is; one that is there takes the place of all of its kind. */
export type EditSettings = Command<
  'EditSettings',
  {
    readonly community: CommunityId;
    readonly by: CommunityAsker;
    readonly at: Millis;
    /** `unseen` is hidden from the asker: without `channel` it stays, if it still is the channel that is set. */
    readonly systemMessages?: { readonly channel?: ChannelId; readonly unseen?: ChannelId; readonly wanted: boolean };
    readonly discovery?: { readonly listed: boolean; readonly listing: Listing };
    readonly notifications?: Notifications;
  }
>;

type OnChannel = { readonly community: CommunityId; readonly channel: ChannelId; readonly by: CommunityAsker };

export type CreateChannel = Command<
  'CreateChannel',
  OnChannel & { readonly kind: ChannelKind; readonly name: string; readonly parent?: ChannelId }
>;

/** Fields that are left out stay as they are. */
export type EditChannel = Command<
  'EditChannel',
  OnChannel & {
    readonly at: Millis;
    readonly name?: string;
    readonly description?: string;
    readonly explicit?: boolean;
    readonly slowmodeSeconds?: number;
    readonly highlighted?: MessageId | 'none';
    readonly position?: number;
    readonly parent?: ChannelId | 'none';
  }
>;

export type DeleteChannel = Command<'DeleteChannel', OnChannel>;

/** The message was deleted by `by`, and is highlighted no more: not by a permission of theirs, but because it is gone. */
export type TakeDownHighlight = Command<
  'TakeDownHighlight',
  {
    readonly community: CommunityId;
    readonly channel: ChannelId;
    readonly message: MessageId;
    readonly by: UserId;
  }
>;

type OnRole = { readonly community: CommunityId; readonly role: RoleId; readonly by: CommunityAsker };
type RoleContent = {
  readonly name: string;
  readonly permissions: bigint;
  readonly priority: number;
  readonly color: number;
  readonly separated: boolean;
  readonly public: boolean;
};

export type CreateRole = Command<'CreateRole', OnRole & RoleContent>;
/** Replaces the whole role. */
export type EditRole = Command<'EditRole', OnRole & RoleContent>;
/** `inChannels`: the permissions of the asker in channels with an override for the role; none in those that it lacks. */
export type DeleteRole = Command<'DeleteRole', OnRole & { readonly inChannels: ReadonlyMap<ChannelId, bigint> }>;

/** `role` 0 is everybody. */
export type CreateChannelOverride = Command<
  'CreateChannelOverride',
  OnChannel & { readonly role: RoleId; readonly pos: bigint; readonly neg: bigint }
>;
export type DeleteChannelOverride = Command<'DeleteChannelOverride', OnChannel & { readonly role: RoleId }>;
