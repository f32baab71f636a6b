import { isRejection, reject, type Decision, type Rejection } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import { paced } from '../../kernel/editPace.js';
import type { ChannelId } from '../../kernel/ids.js';
import { isShredded, opened } from '../../kernel/opened.js';
import { has } from '../../kernel/permissions.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import { composed } from '../../kernel/text.js';
import type { EditSettings } from './commands.js';
import type { CommunityEvent, Listing } from './events.js';
import { categoryUnitsMax, longDescriptionUnitsMax, shortDescriptionUnitsMax } from './limits.js';
import { channelOf, type LivingCommunity } from './state.js';
import type { CommunitySettings } from './structure.js';

export const editSettings = (edit: EditSettings['data'], state: LivingCommunity): Decision<CommunityEvent> => {
  if (!has(edit.by.permissions, 'modifyCommunity')) return reject('MISSING_PERMISSION');
  const wrong = edit.systemMessages?.channel && refusedChannel(edit.systemMessages.channel, state);
  if (wrong !== undefined) return wrong;
  const listing = edit.discovery && listed(edit.discovery.listing);
  if (isRejection(listing)) return listing;
  const settings = state.settings ?? {};
  const events = [
    ...systemMessagesSet(edit, settings),
    ...listingSet(edit, listing, settings),
    ...notificationsSet(edit, settings),
  ];
  return paced(events, settings.editsPaidUntil, edit.at);
};

const refusedChannel = (id: ChannelId, state: LivingCommunity): Rejection | undefined => {
  const channel = channelOf(state, id);
  if (channel === undefined) return reject('CHANNEL_NOT_FOUND');
  return channel.kind === 'category' ? reject('NOT_A_TEXT_CHAT') : undefined;
};

type SettingsEvent = Extract<
  WrittenEvent<CommunityEvent>,
  { readonly type: 'SystemMessagesSet' | 'DiscoveryListingSet' | 'DefaultNotificationsSet' }
>;

const systemMessagesSet = (
  { community, by, at, systemMessages: wish }: EditSettings['data'],
  { systemMessages: before }: CommunitySettings,
): readonly SettingsEvent[] => {
  if (wish === undefined) return [];
  const { wanted, unseen } = wish;
  const channel = wish.channel ?? (unseen === before?.channel ? unseen : undefined);
  if (channel === before?.channel && wanted === (before?.wanted ?? false)) return [];
  return [{ type: 'SystemMessagesSet', data: { community, wanted, ...defined({ channel }), at, by: by.user } }];
};

const nothingSaid: Listing = { shortDescription: '', longDescription: '', categories: [] };

const listingSet = (
  { community, by, discovery }: EditSettings['data'],
  listing: Listing | undefined,
  { discovery: before }: CommunitySettings,
): readonly SettingsEvent[] => {
  if (discovery === undefined || listing === undefined) return [];
  const { listed } = discovery;
  const known = before === undefined ? nothingSaid : opened(before.listing);
  const isKnown = !isShredded(known) && JSON.stringify(inOrder(known)) === JSON.stringify(inOrder(listing));
  if (isKnown && listed === (before?.listed ?? false)) return [];
  return [{ type: 'DiscoveryListingSet', data: { community, listed, by: by.user, listing } }];
};

const inOrder = ({ shortDescription, longDescription, categories }: Listing) => [
  shortDescription,
  longDescription,
  ...categories,
];

const notificationsSet = (
  { community, by, notifications }: EditSettings['data'],
  { notifications: before = 'all' }: CommunitySettings,
): readonly SettingsEvent[] =>
  notifications === undefined || notifications === before
    ? []
    : [{ type: 'DefaultNotificationsSet', data: { community, notifications, by: by.user } }];

const listed = ({ shortDescription, longDescription, categories }: Listing): Listing | Rejection => {
  const listing = {
    shortDescription: composed(shortDescription, shortDescriptionUnitsMax),
    longDescription: composed(longDescription, longDescriptionUnitsMax),
    categories: [...new Set(categories.map((one) => composed(one, categoryUnitsMax)))],
  };
  const isTooLong =
    listing.shortDescription.length > shortDescriptionUnitsMax ||
    listing.longDescription.length > longDescriptionUnitsMax ||
    listing.categories.some((one) => one.length > categoryUnitsMax);
  return isTooLong ? reject('INVALID_ARGUMENT', 'a text of the listing is too long') : listing;
};
