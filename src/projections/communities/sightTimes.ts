import { overridesIn } from '../../domain/communities/channelTree.js';
import type { RoleId } from '../../kernel/ids.js';
import { has } from '../../kernel/permissions.js';
import { spansAfter, spansKeptAmong, spansMax, withOldestMerged } from '../../kernel/span.js';
import type { ChannelRecord, CommunityDocument, RoleRecord, SightTimes } from './documents.js';
import { everybody, sightIn, type RoleSight } from './roleSight.js';

/** Of roles that are gone, so many are remembered in each channel: those whose override changed last. */
export const goneRolesMax = 100;

/**
 * Notes in each channel when a change, from `before` to `after`, turned the sight of it on or off for a role. Any
 * change that leaves sight as it was keeps the old times.
 */
export const withSightTimes = (
  before: CommunityDocument,
  after: CommunityDocument,
  moment: bigint,
): CommunityDocument => {
  if (before.channels === after.channels && before.roles === after.roles) return after;
  const change = { before, after, moment };
  const earlier = new Map(before.channels.map((channel) => [channel.id, channel]));
  const channels = after.channels.map((channel) => {
    const was = earlier.get(channel.id);
    return was === undefined || channel.kind === 'category' ? channel : channelWithTimes(change, was, channel);
  });
  return { ...after, channels, roles: rolesWithTimes(change) };
};

type Change = { readonly before: CommunityDocument; readonly after: CommunityDocument; readonly moment: bigint };

const channelWithTimes = (change: Change, was: ChannelRecord, channel: ChannelRecord): ChannelRecord => {
  const { before, after, moment } = change;
  const [former, current] = [overridesIn(before.channels, was), overridesIn(after.channels, channel)];
  if (former === current && before.roles === after.roles) return channel;
  const [sightBefore, sightAfter] = [sightIn(before, was), sightIn(after, channel)];
  const times = new Map((channel.sight ?? []).map((time) => [time.role, time]));
  for (const role of concerned(change, new Set([...former, ...current].map((override) => override.role)))) {
    const time = timesAfter(times.get(role) ?? { role }, sightBefore(role), sightAfter(role), moment);
    times.delete(role);
    if (time !== undefined) times.set(role, time);
  }
  return withTimes(channel, [...times.values()], after.roles);
};

/** Bounded: of the times, which are in the order in which their overrides changed, the oldest are forgotten. */
const withTimes = (
  channel: ChannelRecord,
  times: readonly SightTimes[],
  roles: readonly RoleRecord[],
): ChannelRecord => {
  const { sight: _, unsureUpTo, ...rest } = channel;
  const forgotten = oldestOfGoneRoles(times, roles);
  const kept = forgotten.size === 0 ? times : times.filter((time) => !forgotten.has(time));
  const spansEach = spansKeptAmong(kept.length);
  const unsure = [...forgotten].reduce((upTo, { hidden }) => latest(upTo, hidden?.at(-1)?.to), unsureUpTo);
  return {
    ...rest,
    ...(kept.length > 0 && { sight: kept.map((time) => within(time, spansEach)) }),
    ...(unsure !== undefined && { unsureUpTo: unsure }),
  };
};

const latest = (one: bigint | undefined, other: bigint | undefined): bigint | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

/** A role without an override shows what everybody sees, unless it gives the sight that everybody lacks. */
const concerned = ({ before }: Change, overridden: ReadonlySet<RoleId>): ReadonlySet<RoleId> => {
  const all = has(before.defaultPermissions, 'viewChannel') ? [] : before.roles.map(({ id }) => id);
  return new Set([everybody, ...overridden, ...all]);
};

const timesAfter = (
  { role, shown = [], forced = [], hidden = [] }: SightTimes,
  before: RoleSight,
  now: RoleSight,
  moment: bigint,
): SightTimes | undefined => {
  const after = {
    shown: spansAfter(shown, { before: before.shows, now: now.shows, moment }),
    forced: spansAfter(forced, { before: before.forces, now: now.forces, moment }),
    hidden: spansAfter(hidden, { before: before.hides, now: now.hides, moment }),
  };
  if (after.shown.length === 0 && after.forced.length === 0 && after.hidden.length === 0) return undefined;
  return { role, ...someOf(after) };
};

type SightSpans = Omit<SightTimes, 'role'>;

const someOf = ({ shown = [], forced = [], hidden = [] }: SightSpans): SightSpans => ({
  ...(shown.length > 0 && { shown }),
  ...(forced.length > 0 && { forced }),
  ...(hidden.length > 0 && { hidden }),
});

/**
 * A channel must not seem to have been seen when it was not: old times in which it was shown are forgotten, and those in
 * which it was hidden become one.
 */
const within = ({ role, shown = [], forced = [], hidden = [] }: SightTimes, spansEach: number): SightTimes => ({
  role,
  ...someOf({
    shown: shown.slice(-spansEach),
    forced: forced.slice(-spansEach),
    // One of them alone would make the whole past hidden.
    hidden: withOldestMerged(hidden, Math.max(2, spansEach)),
  }),
});

const oldestOfGoneRoles = (times: readonly SightTimes[], roles: readonly RoleRecord[]): ReadonlySet<SightTimes> => {
  const there = new Set([everybody, ...roles.map(({ id }) => id)]);
  const gone = times.filter(({ role }) => !there.has(role));
  return new Set(gone.slice(0, Math.max(0, gone.length - goneRolesMax)));
};

const rolesWithTimes = ({ before, after, moment }: Change): readonly RoleRecord[] => {
  if (before.roles === after.roles) return after.roles;
  const earlier = new Map(before.roles.map((role) => [role.id, role]));
  return after.roles.map((role) => {
    const was = earlier.get(role.id);
    if (was === undefined || was === role) return role;
    const turn = { before: has(was.permissions, 'administrator'), now: has(role.permissions, 'administrator'), moment };
    const administrator = spansAfter(was.administrator ?? [], turn).slice(-spansMax);
    return administrator.length === 0 ? role : { ...role, administrator };
  });
};
