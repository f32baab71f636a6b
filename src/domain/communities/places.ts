import type { ChannelId } from '../../kernel/ids.js';
import type { ChannelPlace } from './events.js';
import type { ChannelState } from './channelTree.js';
import { channelOf, type LivingCommunity } from './state.js';

type Move = {
  readonly channel: ChannelId;
  readonly position?: number;
  readonly parent?: ChannelId | 'none';
};

/** The position behind everything under this parent, or behind the whole top level. */
export const endOf = (state: LivingCommunity, parent: ChannelId | undefined): number =>
  under(state, parent).reduce((end, { position }) => Math.max(end, position + 1), 0);

/**
 * The new places of all channels that a move changes; of none when everything is where it should be. The channels of
 * the parent that is moved into are counted 0, 1, 2 … again; the one that is left keeps its gap.
 */
export const movedPlaces = (
  state: LivingCommunity,
  { channel: id, position, parent }: Move,
): readonly ChannelPlace[] => {
  const channel = channelOf(state, id);
  if (channel === undefined) return [];
  const target = parent === undefined ? channel.parent : parent === 'none' ? undefined : parent;
  const elsewhere = target !== channel.parent;
  if (!elsewhere && (position === undefined || position === channel.position)) return [];

  const others = under(state, target).filter((other) => other.id !== id);
  const index = insertion(others, elsewhere ? undefined : channel.position, position);
  const order = [...others.slice(0, index), channel, ...others.slice(index)];
  return order.flatMap(({ id: key, position: before }, at) =>
    at === before && !(key === id && elsewhere) ? [] : [placeOf(key, at, target)],
  );
};

/** Where the channels of a category go when it is deleted: behind the top level, in their order. */
export const releasedPlaces = (state: LivingCommunity, category: ChannelId): readonly ChannelPlace[] => {
  const end = endOf(state, undefined);
  return under(state, category).map(({ id }, index) => placeOf(id, end + index, undefined));
};

// Positions may have gaps where something was deleted. A channel that moves down ends up behind the one that has the
// position now; a channel that moves up or comes from elsewhere, before it. `from`: the position that is left, under
// the same parent.
const insertion = (others: readonly ChannelState[], from: number | undefined, to: number | undefined): number => {
  if (to === undefined) return others.length;
  const down = from !== undefined && to > from;
  return others.filter(({ position }) => (down ? position <= to : position < to)).length;
};

const under = ({ channels }: LivingCommunity, parent: ChannelId | undefined): readonly ChannelState[] =>
  channels.filter((channel) => channel.parent === parent).sort(byPosition);

const byPosition = (one: ChannelState, other: ChannelState): number =>
  one.position - other.position || (one.id < other.id ? -1 : 1);

const placeOf = (channel: ChannelId, position: number, parent: ChannelId | undefined): ChannelPlace =>
  parent === undefined ? { channel, position } : { channel, position, parent };
