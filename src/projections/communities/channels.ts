import type { ChannelPlace, CommunityEvent } from '../../domain/communities/events.js';
import type { EventOf } from '../../kernel/event.js';
import type { ChannelId, RoleId } from '../../kernel/ids.js';
import type { Override } from '../../kernel/permissions.js';
import type { ChannelRecord, CommunityDocument } from './documents.js';

/** The community with one of its channels changed in something that does not move it; as it is when it has no such channel. */
export const withChannel = (
  community: CommunityDocument,
  id: ChannelId,
  change: (channel: ChannelRecord) => ChannelRecord,
): CommunityDocument => {
  if (!community.channels.some((channel) => channel.id === id)) return community;
  return {
    ...community,
    channels: community.channels.map((channel) => (channel.id === id ? change(channel) : channel)),
  };
};

/** Under a category it follows its category. */
export const withMadeChannel = (
  community: CommunityDocument,
  made: EventOf<CommunityEvent, 'ChannelCreated'>['data'],
): CommunityDocument => {
  if (community.channels.some(({ id }) => id === made.channel)) return community;
  const category = made.kind === 'category' ? undefined : categoryIn(community.channels, made.parent);
  const channel: ChannelRecord = {
    id: made.channel,
    kind: made.kind,
    name: made.name,
    position: made.position,
    explicit: false,
    slowmodeSeconds: 0,
    synced: category !== undefined,
    overrides: [],
    ...under(category),
  };
  return { ...community, channels: inOrder([...community.channels, channel]) };
};

/** A place that no channel of the community has, or under what is no category, is passed over or counts as the top level. */
export const arranged = (community: CommunityDocument, places: readonly ChannelPlace[]): CommunityDocument => {
  const placeOf = new Map(places.map((place) => [place.channel, place]));
  const moved = community.channels.map((channel) => {
    const place = placeOf.get(channel.id);
    return place === undefined ? channel : movedTo(community.channels, channel, place);
  });
  return { ...community, channels: inOrder(moved) };
};

const movedTo = (
  channels: readonly ChannelRecord[],
  channel: ChannelRecord,
  { position, parent }: ChannelPlace,
): ChannelRecord => {
  const category = channel.kind === 'category' ? undefined : categoryIn(channels, parent);
  if (category === undefined) return { ...onItsOwn(channels, channel), position };
  const moved = { ...channel, position, ...under(category) };
  if (category.id === channel.parent) return moved;
  // What has overrides of its own keeps them; everything else is shown to those to whom its new category is.
  return { ...moved, synced: channel.synced || channel.overrides.length === 0 };
};

/** The channels of a category come to the top level with what it gave them, so that nothing becomes visible by accident. */
export const withoutChannel = (community: CommunityDocument, id: ChannelId): CommunityDocument => {
  const { channels } = community;
  const left = channels
    .filter((channel) => channel.id !== id)
    .map((channel) => (channel.parent === id ? onItsOwn(channels, channel) : channel));
  return { ...community, channels: inOrder(left) };
};

/** A channel that followed its category takes a copy of its overrides, then the change, and follows no longer. */
export const withOverride = (community: CommunityDocument, id: ChannelId, override: Override): CommunityDocument =>
  withChannel(community, id, (channel) => {
    const others = overridesOf(community.channels, channel).filter(({ role }) => role !== override.role);
    return { ...channel, synced: false, overrides: [...others, override] };
  });

export const withoutOverride = (community: CommunityDocument, id: ChannelId, role: RoleId): CommunityDocument =>
  withChannel(community, id, (channel) => {
    const others = overridesOf(community.channels, channel).filter((override) => override.role !== role);
    return { ...channel, synced: false, overrides: others };
  });

export const withoutRoleOverrides = (channels: readonly ChannelRecord[], role: RoleId): readonly ChannelRecord[] =>
  channels.map((channel) =>
    channel.overrides.some((override) => override.role === role)
      ? { ...channel, overrides: channel.overrides.filter((override) => override.role !== role) }
      : channel,
  );

/** The overrides that count in a channel: its category's while it follows it. */
const overridesOf = (channels: readonly ChannelRecord[], channel: ChannelRecord): readonly Override[] =>
  channel.synced ? (categoryIn(channels, channel.parent)?.overrides ?? []) : channel.overrides;

/** At the top level there is nothing to follow. */
const onItsOwn = (channels: readonly ChannelRecord[], channel: ChannelRecord): ChannelRecord => {
  const { parent: _, ...rest } = channel;
  return { ...rest, synced: false, overrides: overridesOf(channels, channel) };
};

const categoryIn = (channels: readonly ChannelRecord[], id: ChannelId | undefined): ChannelRecord | undefined =>
  id === undefined ? undefined : channels.find((channel) => channel.id === id && channel.kind === 'category');

const under = (category: ChannelRecord | undefined): { readonly parent?: ChannelId } =>
  category === undefined ? {} : { parent: category.id };

/** The top level by position, each category followed by its channels by theirs; older before newer in the same place. */
const inOrder = (channels: readonly ChannelRecord[]): readonly ChannelRecord[] => {
  const sorted = [...channels].sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
  return sorted
    .filter(({ parent }) => parent === undefined)
    .flatMap((top) => [top, ...sorted.filter(({ parent }) => parent === top.id)]);
};
