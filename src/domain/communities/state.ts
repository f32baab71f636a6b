import type { Fold } from '../../kernel/event.js';
import type { ChannelId, MessageId, RoleId, UserId } from '../../kernel/ids.js';
import { type Personal, personal } from '../../kernel/personal.js';
import type { ChannelKind, ChannelPlace, CommunityEvent } from './events.js';

export type CommunityState = { readonly status: 'none' } | { readonly status: 'deleted' } | LivingCommunity;

export type LivingCommunity = {
  readonly status: 'living';
  readonly owner: UserId;
  readonly channels: ReadonlyMap<ChannelId, ChannelState>;
  readonly roles: ReadonlyMap<RoleId, RoleState>;
};

export type ChannelState = {
  readonly kind: ChannelKind;
  readonly name: Personal<string>;
  readonly description: Personal<string>;
  readonly position: number;
  readonly parent: ChannelId | undefined;
  readonly explicit: boolean;
  readonly slowmodeSeconds: number;
  readonly highlighted: MessageId | undefined;
  /** While true, the overrides of the category count and `overrides` is empty. */
  readonly synced: boolean;
  readonly overrides: Overrides;
};

export type Overrides = ReadonlyMap<RoleId, { readonly pos: bigint; readonly neg: bigint }>;

export type RoleState = {
  readonly name: Personal<string>;
  readonly permissions: bigint;
  readonly priority: number;
  readonly color: number;
  readonly separated: boolean;
  readonly public: boolean;
};

export const evolve: Fold<CommunityState, CommunityEvent> = {
  CommunityCreated: (_, { data }) => ({
    status: 'living',
    owner: data.owner,
    channels: new Map(),
    roles: new Map(),
  }),
  CommunityDeleted: () => ({ status: 'deleted' }),
  ChannelCreated: (state, { data }) => withChannel(state, data.channel, () => newChannel(data)),
  ChannelRenamed: (state, { data }) => edited(state, data.channel, { name: data.name }),
  ChannelDescribed: (state, { data }) => edited(state, data.channel, { description: data.description }),
  ChannelsArranged: (state, { data }) => arranged(state, data.places),
  ChannelExplicitnessChanged: (state, { data }) => edited(state, data.channel, { explicit: data.explicit }),
  SlowmodeChanged: (state, { data }) => edited(state, data.channel, { slowmodeSeconds: data.seconds }),
  MessageHighlighted: (state, { data }) => edited(state, data.channel, { highlighted: data.message }),
  HighlightCleared: (state, { data }) => edited(state, data.channel, { highlighted: undefined }),
  ChannelDeleted: (state, { data }) => withChannel(state, data.channel, () => undefined),
  RoleCreated: (state, { data }) => withRole(state, data.role, data),
  RoleEdited: (state, { data }) => withRole(state, data.role, data),
  RoleDeleted: (state, { data }) => withoutRole(state, data.role),
  OverrideSet: (state, { data }) =>
    overriding(state, data.channel, (overrides) => overrides.set(data.role, { pos: data.pos, neg: data.neg })),
  OverrideRemoved: (state, { data }) => overriding(state, data.channel, (overrides) => overrides.delete(data.role)),
};

/** The overrides that count in a channel: its category's while it follows it. */
export const overridesIn = ({ channels }: LivingCommunity, channel: ChannelState): Overrides => {
  const category = channel.parent === undefined ? undefined : channels.get(channel.parent);
  return channel.synced && category !== undefined ? category.overrides : channel.overrides;
};

const newChannel = (data: {
  readonly kind: ChannelKind;
  readonly name: Personal<string>;
  readonly position: number;
  readonly parent?: ChannelId;
}): ChannelState => ({
  kind: data.kind,
  name: data.name,
  description: personal(''),
  position: data.position,
  parent: data.parent,
  explicit: false,
  slowmodeSeconds: 0,
  highlighted: undefined,
  synced: data.parent !== undefined,
  overrides: new Map(),
});

const arranged = (state: CommunityState, places: readonly ChannelPlace[]): CommunityState => {
  if (state.status !== 'living') return state;
  const channels = new Map(state.channels);
  for (const place of places) {
    const channel = state.channels.get(place.channel);
    if (channel !== undefined) channels.set(place.channel, movedTo(place, channel, state));
  }
  return { ...state, channels };
};

// What leaves a private category for the top level must not become public by it: it keeps a copy of the overrides that
// counted. Under another category it follows that one, unless it has overrides of its own.
const movedTo = ({ position, parent }: ChannelPlace, channel: ChannelState, living: LivingCommunity): ChannelState => {
  if (channel.parent === parent) return { ...channel, position };
  const moved = { ...channel, position, parent };
  if (parent === undefined) return { ...moved, synced: false, overrides: overridesIn(living, channel) };
  return { ...moved, synced: channel.synced || channel.overrides.size === 0 };
};

const edited = (state: CommunityState, id: ChannelId, change: Partial<ChannelState>): CommunityState =>
  withChannel(state, id, (channel) => channel && { ...channel, ...change });

const overriding = (
  state: CommunityState,
  id: ChannelId,
  change: (overrides: Map<RoleId, { readonly pos: bigint; readonly neg: bigint }>) => void,
): CommunityState =>
  withChannel(state, id, (channel, living) => {
    if (channel === undefined) return undefined;
    const overrides = new Map(overridesIn(living, channel));
    change(overrides);
    return { ...channel, synced: false, overrides };
  });

/** `undefined` out: there is no such channel any more. */
const withChannel = (
  state: CommunityState,
  id: ChannelId,
  change: (channel: ChannelState | undefined, living: LivingCommunity) => ChannelState | undefined,
): CommunityState => {
  if (state.status !== 'living') return state;
  const channels = new Map(state.channels);
  const changed = change(channels.get(id), state);
  if (changed === undefined) channels.delete(id);
  else channels.set(id, changed);
  return { ...state, channels };
};

const withRole = (state: CommunityState, id: RoleId, content: RoleState): CommunityState => {
  if (state.status !== 'living') return state;
  const { name, permissions, priority, color, separated, public: open } = content;
  const role = { name, permissions, priority, color, separated, public: open };
  return { ...state, roles: new Map(state.roles).set(id, role) };
};

const withoutRole = (state: CommunityState, id: RoleId): CommunityState => {
  if (state.status !== 'living') return state;
  const roles = new Map(state.roles);
  roles.delete(id);
  const channels = new Map<ChannelId, ChannelState>();
  for (const [key, channel] of state.channels) channels.set(key, withoutOverride(channel, id));
  return { ...state, roles, channels };
};

const withoutOverride = (channel: ChannelState, role: RoleId): ChannelState => {
  if (!channel.overrides.has(role)) return channel;
  const overrides = new Map(channel.overrides);
  overrides.delete(role);
  return { ...channel, overrides };
};
