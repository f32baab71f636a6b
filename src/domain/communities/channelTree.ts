import type { EventOf } from '../../kernel/event.js';
import type { ChannelId, MessageId, Millis, RoleId } from '../../kernel/ids.js';
import { overridesThatCount, type Override } from '../../kernel/permissions.js';
import type { Personal } from '../../kernel/personal.js';
import type { ChannelKind, ChannelPlace, CommunityEvent } from './events.js';

export type ChannelState = {
  readonly id: ChannelId;
  readonly kind: ChannelKind;
  readonly name: Personal<string>;
  readonly position: number;
  /** Always a category that is in the tree too. */
  readonly parent?: ChannelId;
  readonly description?: Personal<string>;
  readonly explicit: boolean;
  readonly slowmodeSeconds: number;
  readonly highlighted?: MessageId;
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
  /** While true, the overrides of the category count and `overrides` is empty. */
  readonly synced: boolean;
  readonly overrides: readonly Override[];
};

/** The top level by position, each category followed by its channels by theirs. */
export type ChannelTree = readonly ChannelState[];

/** The channels with one of them changed in something that does not move it; as they are when there is no such channel. */
export const withChannel = (
  channels: ChannelTree,
  id: ChannelId,
  change: (channel: ChannelState) => ChannelState,
): ChannelTree => {
  if (!channels.some((channel) => channel.id === id)) return channels;
  return channels.map((channel) => (channel.id === id ? change(channel) : channel));
};

/** Under a category it follows its category. */
export const withMadeChannel = (
  channels: ChannelTree,
  made: EventOf<CommunityEvent, 'ChannelCreated'>['data'],
): ChannelTree => {
  if (channels.some(({ id }) => id === made.channel)) return channels;
  const category = made.kind === 'category' ? undefined : categoryIn(channels, made.parent);
  const channel: ChannelState = {
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
  return inOrder([...channels, channel]);
};

/** A place of a channel that there is not is passed over; a place under a channel that is no category counts as the top level. */
export const arranged = (channels: ChannelTree, places: readonly ChannelPlace[]): ChannelTree => {
  const placeOf = new Map(places.map((place) => [place.channel, place]));
  const moved = channels.map((channel) => {
    const place = placeOf.get(channel.id);
    return place === undefined ? channel : movedTo(channels, channel, place);
  });
  return inOrder(moved);
};

const movedTo = (channels: ChannelTree, channel: ChannelState, { position, parent }: ChannelPlace): ChannelState => {
  const category = channel.kind === 'category' ? undefined : categoryIn(channels, parent);
  if (category === undefined) return { ...onItsOwn(channels, channel), position };
  const moved = { ...channel, position, ...under(category) };
  if (category.id === channel.parent) return moved;
  // A channel with overrides of its own keeps them; any other is shown to those users to whom its new category is.
  return { ...moved, synced: channel.synced || channel.overrides.length === 0 };
};

/**
 * The channels of a category come to the top level with the overrides it gave them, so that nothing becomes visible by
 * accident.
 */
export const withoutChannel = (channels: ChannelTree, id: ChannelId): ChannelTree => {
  const left = channels
    .filter((channel) => channel.id !== id)
    .map((channel) => (channel.parent === id ? onItsOwn(channels, channel) : channel));
  return inOrder(left);
};

/** A channel that followed its category takes a copy of its overrides, then the change, and follows no longer. */
export const withOverride = (channels: ChannelTree, id: ChannelId, override: Override): ChannelTree =>
  withChannel(channels, id, (channel) => {
    const others = overridesIn(channels, channel).filter(({ role }) => role !== override.role);
    return { ...channel, synced: false, overrides: [...others, override] };
  });

export const withoutOverride = (channels: ChannelTree, id: ChannelId, role: RoleId): ChannelTree =>
  withChannel(channels, id, (channel) => {
    const others = overridesIn(channels, channel).filter((override) => override.role !== role);
    return { ...channel, synced: false, overrides: others };
  });

export const withoutRoleOverrides = (channels: ChannelTree, role: RoleId): ChannelTree =>
  channels.map((channel) =>
    channel.overrides.some((override) => override.role === role)
      ? { ...channel, overrides: channel.overrides.filter((override) => override.role !== role) }
      : channel,
  );

/** The overrides that count in the channel. */
export const overridesIn = (channels: ChannelTree, channel: ChannelState): readonly Override[] =>
  overridesThatCount(channel, (id) => channelIn(channels, id));

export const channelIn = (channels: ChannelTree, id: ChannelId): ChannelState | undefined =>
  channels.find((channel) => channel.id === id);

/** At the top level there is nothing to follow. */
const onItsOwn = (channels: ChannelTree, channel: ChannelState): ChannelState => {
  if (channel.parent === undefined && !channel.synced) return channel;
  const { parent: _, ...rest } = channel;
  return { ...rest, synced: false, overrides: overridesIn(channels, channel) };
};

const categoryIn = (channels: ChannelTree, id: ChannelId | undefined): ChannelState | undefined =>
  id === undefined ? undefined : channels.find((channel) => channel.id === id && channel.kind === 'category');

const under = (category: ChannelState | undefined): { readonly parent?: ChannelId } =>
  category === undefined ? {} : { parent: category.id };

/** The top level by position, each category followed by its channels by theirs; older before newer in the same place. */
const inOrder = (channels: ChannelTree): ChannelTree => {
  const children = new Map<ChannelId | undefined, ChannelState[]>();
  for (const channel of channels) {
    const siblings = children.get(channel.parent);
    if (siblings === undefined) children.set(channel.parent, [channel]);
    else siblings.push(channel);
  }
  // Siblings are in order already but for those that moved, so sorting each row takes hardly more than looking at it.
  for (const siblings of children.values()) {
    siblings.sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
  }
  return (children.get(undefined) ?? []).flatMap((top) => [top, ...(children.get(top.id) ?? [])]);
};
