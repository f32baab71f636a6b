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
 * Of each of these the last span is remembered, so only that counts: a break from before the last span is forgotten,
 * and sight from before a span is not joined to it.
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
  const start = startOfSight(memberSpans(sight, membership));
  return start === always ? membership.joined : start;
};

/** When everybody with one role saw the channel by it, or did not. */
type RoleSpans = {
  readonly shown: readonly Span[];
  readonly forced: readonly Span[];
  readonly hidden: readonly Span[];
};
type ChannelSight = (role: RoleTime['role']) => RoleSpans;

/** Above every id. */
const always = 2n ** 64n;

const channelSight = (community: CommunityDocument, channel: ChannelRecord): ChannelSight => {
  const sight = sightIn(community, channel);
  const times = new Map((channel.sight ?? []).map((time) => [time.role, time]));
  const roles = new Map(community.roles.map((role) => [role.id, role]));
  return (id) => {
    const { shows, forces, hides } = sight(id);
    const { shown, forced, hidden } = times.get(id) ?? {};
    const role = roles.get(id);
    const isAdministrator = has(role?.permissions ?? community.defaultPermissions, 'administrator');
    return {
      shown: lastSpan({ noted: shown, now: shows }),
      forced: [
        ...lastSpan({ noted: forced, now: forces }),
        ...lastSpan({ noted: role?.administrator, now: isAdministrator }),
      ],
      hidden: lastSpan({ noted: hidden, now: hides }),
    };
  };
};

/** Where no change was noted, it has always been as it is now. */
const lastSpan = ({ noted, now }: { readonly noted: Span | undefined; readonly now: boolean }): readonly Span[] => {
  if (noted !== undefined) return [noted];
  return now ? [{ from: 0n }] : [];
};

const memberSpans = (sight: ChannelSight, { joined, roleTimes = [] }: Membership): RoleSpans => {
  const roles: readonly RoleTime[] = [{ role: everybody, had: { from: joined } }, ...roleTimes];
  const spans = roles.map(({ role, had }) => {
    const { shown, forced, hidden } = sight(role);
    return { shown: within(had, shown), forced: within(had, forced), hidden: within(had, hidden) };
  });
  return {
    shown: spans.flatMap(({ shown }) => shown),
    forced: spans.flatMap(({ forced }) => forced),
    hidden: spans.flatMap(({ hidden }) => hidden),
  };
};

const within = (had: Span, spans: readonly Span[]): readonly Span[] =>
  spans
    .map((span) => ({ from: latest(had.from, span.from), to: earliest(endOf(had), endOf(span)) }))
    .filter(({ from, to }) => from < to);

/** Goes back in time for as long as something shows the channel; `always` when nothing does now. */
const startOfSight = (spans: RoleSpans): bigint => {
  let start = always;
  for (;;) {
    const before = sightUpTo(spans, start);
    if (before === start) return start;
    start = before;
  }
};

/** From which id on, at the latest, the channel was seen up to this one; the id itself when it was not. */
const sightUpTo = ({ shown, forced, hidden }: RoleSpans, id: bigint): bigint => {
  const covers = (span: Span): boolean => span.from < id && id <= endOf(span);
  const starts = forced.filter(covers).map(({ from }) => from);
  if (!hidden.some(covers)) {
    const lastHidden = hidden.map(endOf).filter((to) => to < id);
    starts.push(...shown.filter(covers).map(({ from }) => lastHidden.reduce(latest, from)));
  }
  return starts.reduce(earliest, id);
};

const endOf = ({ to = always }: Span): bigint => to;
const latest = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const earliest = (one: bigint, other: bigint): bigint => (one < other ? one : other);
