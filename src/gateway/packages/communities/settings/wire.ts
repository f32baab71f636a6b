import type { EditSettings } from '../../../../domain/communities/commands.js';
import type { Notifications } from '../../../../domain/communities/events.js';
import type { CommunitySettings } from '../../../../domain/communities/structure.js';
import type { CommunitySettings as WireSettings, CommunitySettingsInit } from '../../../../gen/communities.js';
import { NotifPrefs } from '../../../../gen/types.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import { defined } from '../../../../kernel/defined.js';
import type { ChannelId } from '../../../../kernel/ids.js';
import { unless } from '../../../../kernel/opened.js';

export type Wishes = Pick<EditSettings['data'], 'systemMessages' | 'discovery' | 'notifications'>;

/** A message that is there takes the place of all that was set of its kind; one that is absent keeps it. */
export const wishesOf = (settings: WireSettings): Wishes | Rejection => {
  const { systemMessages, discoveryListing, defaultNotifPrefs } = settings;
  const notifications = defaultNotifPrefs === undefined ? undefined : notificationsOf(defaultNotifPrefs);
  if (isRejection(notifications)) return notifications;
  return defined({
    systemMessages: systemMessages && {
      wanted: systemMessages.joinMessages ?? false,
      // An id that is not set may come as 0.
      ...(systemMessages.channelId !== undefined &&
        systemMessages.channelId !== 0n && { channel: systemMessages.channelId }),
    },
    discovery: discoveryListing && {
      listed: discoveryListing.listed,
      listing: {
        shortDescription: discoveryListing.listing?.shortDescription ?? '',
        longDescription: discoveryListing.listing?.longDescription ?? '',
        categories: discoveryListing.listing?.categories ?? [],
      },
    },
    notifications,
  });
};

const wireNotifications: Readonly<Record<Notifications, NotifPrefs>> = {
  all: NotifPrefs.ALL,
  mentions: NotifPrefs.MENTIONS,
  none: NotifPrefs.NONE,
};

const names: ReadonlyMap<number, Notifications> = new Map<number, Notifications>([
  [NotifPrefs.ALL, 'all'],
  [NotifPrefs.MENTIONS, 'mentions'],
  [NotifPrefs.NONE, 'none'],
]);

/** The default cannot be to go by the default. */
const notificationsOf = (prefs: number): Notifications | Rejection =>
  names.get(prefs) ?? reject('INVALID_ARGUMENT', 'the default of notifications is none that there is');

export const settingsFor = (
  { systemMessages, discovery, notifications = 'all' }: CommunitySettings,
  isShown: (channel: ChannelId) => boolean,
): CommunitySettingsInit => {
  const { channel, wanted = false } = systemMessages ?? {};
  const listing = discovery && unless(discovery.listing, undefined);
  return {
    systemMessages: {
      joinMessages: wanted,
      ...(channel !== undefined && isShown(channel) && { channelId: channel }),
    },
    discoveryListing: { listed: discovery?.listed ?? false, listing: listing ?? {} },
    defaultNotifPrefs: wireNotifications[notifications],
  };
};
