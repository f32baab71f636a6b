import type { ChannelId, UserId } from '../../kernel/ids.js';
import { has } from '../../kernel/permissions.js';
import type { Span } from '../../kernel/span.js';
import type { ChannelRecord, CommunityDocument } from '../communities/documents.js';
import { everybody, sightIn } from '../communities/roleSight.js';
import type { Membership, RoleTime } from '../members/documents.js';

/**
 * Up to which id nothing in a channel counts as unread for a member who sees the channel: since then they have seen it
 * without a break. Computed when it is asked for, because nothing is stored per member and channel: the channel has the
 * spans in which each role showed it or hid it, and the membership has those in which the member had each role.
 *
 * Of each of these the last spans are remembered, so that sight from before them is not joined to it, and a floor may be
 * later than the moment since when the member sees the channel. It is never earlier, and never goes back.
 */
export type UnreadFloors = (channel: ChannelId, membership: Membership, user: UserId) => bigint;

/** Of one version of a community. */
export const unreadFloorsOf = (community: CommunityDocument): UnreadFloors => {
  const channels = new Map(community.channels.map((channel) => [channel.id, channel]));
  const known = new Map<ChannelId, ChannelSight>();
  // Asked for all viewers of a channel whenever one of them comes or goes.
  const floors = new Map<ChannelId, WeakMap<Membership, bigint>>();
  const sightOf = (channel: ChannelRecord): ChannelSight => {
    const sight = known.get(channel.id) ?? channelSight(community, channel);
    known.set(channel.id, sight);
    return sight;
  };
  return (id, membership, user) => {
    const channel = channels.get(id);
    if (channel === undefined || user === community.owner) return membership.joined;
    // Most channels were always shown to everybody, and most members have no roles.
    if (channel.sight === undefined && membership.roleTimes === undefined) return membership.joined;
    const inChannel = floors.get(id) ?? new WeakMap<Membership, bigint>();
    floors.set(id, inChannel);
    const floor = inChannel.get(membership) ?? floorFor(sightOf(channel), membership);
    inChannel.set(membership, floor);
    return floor;
  };
};

const floorFor = (sight: ChannelSight, membership: Membership): bigint => {
  const { shown, forced, hidden } = memberSpans(sight.of, membership);
  const [seen, unsure] = [union([...without(union(shown), union(hidden)), ...forced]), sight.unsureUpTo];
  const last = seen.at(-1);
  const start = last === undefined || endOf(last) !== always ? membership.joined : last.from;
  return [unsure, membership.unsureUpTo ?? 0n].reduce(latest, start);
};

/** When everybody with one role saw the channel by it, or did not. */
type RoleSpans = {
  readonly shown: readonly Span[];
  readonly forced: readonly Span[];
  readonly hidden: readonly Span[];
};
type SightOf = (role: RoleTime['role']) => RoleSpans;
type ChannelSight = { readonly of: SightOf; readonly unsureUpTo: bigint };

/** Above every id. */
const always = 2n ** 64n;

const channelSight = (community: CommunityDocument, channel: ChannelRecord): ChannelSight => {
  const sight = sightIn(community, channel);
  const times = new Map((channel.sight ?? []).map((time) => [time.role, time]));
  const roles = new Map(community.roles.map((role) => [role.id, role]));
  const of: SightOf = (id) => {
    const { shows, forces, hides } = sight(id);
    const { shown, forced, hidden } = times.get(id) ?? {};
    const role = roles.get(id);
    const isAdministrator = has(role?.permissions ?? community.defaultPermissions, 'administrator');
    return {
      shown: spansOf({ noted: shown, now: shows }),
      forced: union([
        ...spansOf({ noted: forced, now: forces }),
        ...spansOf({ noted: role?.administrator, now: isAdministrator }),
      ]),
      hidden: spansOf({ noted: hidden, now: hides }),
    };
  };
  return { of, unsureUpTo: channel.unsureUpTo ?? 0n };
};

/** Where no change was noted, it has always been as it is now. */
const spansOf = ({ noted, now }: { readonly noted: readonly Span[] | undefined; readonly now: boolean }) =>
  noted ?? (now ? [{ from: 0n }] : []);

const memberSpans = (sightOf: SightOf, { joined, roleTimes = [] }: Membership): RoleSpans => {
  const roles: readonly RoleTime[] = [{ role: everybody, had: [{ from: joined }] }, ...roleTimes];
  const spans = roles.map(({ role, had, earlier }) => {
    const { shown, forced, hidden } = sightOf(role);
    const perhaps = earlier === undefined ? had : [earlier, ...had];
    return { shown: both(had, shown), forced: both(had, forced), hidden: both(perhaps, hidden) };
  });
  return {
    shown: spans.flatMap(({ shown }) => shown),
    forced: spans.flatMap(({ forced }) => forced),
    hidden: spans.flatMap(({ hidden }) => hidden),
  };
};

/** The spans that lie in one of each. Both are in order, and the spans of each apart. */
const both = (ones: readonly Span[], others: readonly Span[]): readonly Span[] => {
  const shared: Span[] = [];
  const [left, right] = [ones.values(), others.values()];
  let [one, other] = [left.next(), right.next()];
  while (one.done !== true && other.done !== true) {
    const [until, otherUntil] = [endOf(one.value), endOf(other.value)];
    const span = { from: latest(one.value.from, other.value.from), to: earliest(until, otherUntil) };
    if (span.from < span.to) shared.push(span);
    if (until < otherUntil) one = left.next();
    else other = right.next();
  }
  return shared;
};

/** In order, and with time between each and the next. */
const union = (spans: readonly Span[]): readonly Span[] => {
  const joined: Span[] = [];
  for (const span of spans.toSorted((one, other) => (one.from < other.from ? -1 : 1))) {
    const last = joined.at(-1);
    if (last === undefined || endOf(last) < span.from) joined.push(span);
    else joined[joined.length - 1] = { from: last.from, to: latest(endOf(last), endOf(span)) };
  }
  return joined;
};

/** Both are unions. */
const without = (spans: readonly Span[], gone: readonly Span[]): readonly Span[] => {
  const between = gone.map((span, place) => ({
    from: place === 0 ? 0n : endOf(gone[place - 1] ?? span),
    to: span.from,
  }));
  const last = gone.at(-1);
  return both(spans, [...between, { from: last === undefined ? 0n : endOf(last), to: always }]);
};

const endOf = ({ to = always }: Span): bigint => to;
const latest = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const earliest = (one: bigint, other: bigint): bigint => (one < other ? one : other);
