import { memberStreams, type MemberEvent } from '../../domain/members/events.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { EventOf, Recorded } from '../../kernel/event.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import { momentOf } from '../../kernel/moment.js';
import { spansAfter, spansKeptAmong, withOldestMerged } from '../../kernel/span.js';
import { none, removed, unchanged, whenThere } from '../runner/foldHelpers.js';
import type { MemberDocument, Membership, MembershipsDocument, RemovalDocument, RoleTime } from './documents.js';

export const memberKey = (community: CommunityId, user: UserId): string => `${community.toString()}.${user.toString()}`;
export const membershipsKey = (user: UserId): string => user.toString();

type OfMember = { readonly data: { readonly community: CommunityId; readonly user: UserId } };
const keysBy = (key: (event: OfMember) => string): DocumentKeys<MemberEvent> => {
  const keys = (event: OfMember): readonly string[] => [key(event)];
  return {
    MemberJoined: keys,
    MemberLeft: keys,
    MemberRemoved: keys,
    NicknameSet: keys,
    NicknameCleared: keys,
    RolesSet: keys,
  };
};

/** The fields that may change in a member and in a membership alike. */
type RolesAndNickname = Pick<Membership, 'roles' | 'nickname'>;
const named = <S extends RolesAndNickname>(
  standing: S,
  { nickname }: EventOf<MemberEvent, 'NicknameSet'>['data'],
): S => ({
  ...standing,
  nickname,
});
const unnamed = <S extends RolesAndNickname>({ nickname: _, ...standing }: S): Omit<S, 'nickname'> => standing;
const ranked = <S extends RolesAndNickname>(standing: S, { roles }: EventOf<MemberEvent, 'RolesSet'>['data']): S => ({
  ...standing,
  roles,
});

export const memberDocuments: DocumentType<MemberDocument, MemberEvent> = {
  name: 'members',
  version: 3,
  keys: keysBy(({ data }) => memberKey(data.community, data.user)),
  streams: (key) => [memberStreams.named(key)],
  indexes: {
    byCommunity: ({ community, user }) => [[community, user]],
    byRole: ({ community, user, roles }) => roles.map((role) => [community, role, user]),
  },
  evolve: {
    MemberJoined: (_, { data, at }) => ({
      community: data.community,
      user: data.user,
      joinedAt: at,
      roles: [],
    }),
    MemberLeft: removed,
    MemberRemoved: removed,
    NicknameSet: whenThere((member, { data }) => named(member, data)),
    NicknameCleared: whenThere((member) => unnamed(member)),
    RolesSet: whenThere((member, { data }) => ranked(member, data)),
  },
};

export const removalDocuments: DocumentType<RemovalDocument, MemberEvent> = {
  name: 'removals',
  version: 1,
  keys: {
    MemberJoined: none,
    MemberLeft: none,
    MemberRemoved: ({ data }) => [memberKey(data.community, data.user)],
    NicknameSet: none,
    NicknameCleared: none,
    RolesSet: none,
  },
  streams: (key) => [memberStreams.named(key)],
  indexes: {},
  evolve: {
    MemberJoined: unchanged,
    MemberLeft: unchanged,
    MemberRemoved: (_, { position }) => ({ position }),
    NicknameSet: unchanged,
    NicknameCleared: unchanged,
    RolesSet: unchanged,
  },
};

const gone = whenThere<MembershipsDocument, MemberEvent>((document, { data }) => {
  const memberships = without(document.memberships, data.community);
  return memberships.length === 0 ? undefined : { ...document, memberships };
});

export const membershipsDocuments: DocumentType<MembershipsDocument, MemberEvent> = {
  name: 'memberships',
  version: 4,
  keys: keysBy(({ data }) => membershipsKey(data.user)),
  // One for each community that the user was ever in.
  streams: 'log',
  indexes: {},
  evolve: {
    MemberJoined: (document, event) => ({
      user: event.data.user,
      memberships: [...without(document?.memberships ?? [], event.data.community), joined(event)],
    }),
    MemberLeft: gone,
    MemberRemoved: gone,
    NicknameSet: whenThere((document, { data }) =>
      withMembership(document, data.community, (membership) => named(membership, data)),
    ),
    NicknameCleared: whenThere((document, { data }) =>
      withMembership(document, data.community, (membership) => unnamed(membership)),
    ),
    RolesSet: whenThere((document, event) =>
      withMembership(document, event.data.community, (membership) => ({
        ...ranked(membership, event.data),
        ...roleTimesAfter(membership, event),
      })),
    ),
  },
};

const joined = (event: Recorded<EventOf<MemberEvent, 'MemberJoined'>>): Membership => ({
  community: event.data.community,
  roles: [],
  joined: momentOf(event),
});

/** Of roles that a member has no longer, so many are remembered: those that were taken last. */
export const formerRolesMax = 100;

const roleTimesAfter = (
  { roleTimes = [], roles: before, unsureUpTo }: Membership,
  event: Recorded<EventOf<MemberEvent, 'RolesSet'>>,
): Pick<Membership, 'roleTimes' | 'unsureUpTo'> => {
  const { roles } = event.data;
  const moment = momentOf(event);
  const timeAfter = (time: RoleTime): RoleTime => {
    const turn = { before: before.includes(time.role), now: roles.includes(time.role), moment };
    return { ...time, had: spansAfter(time.had, turn) };
  };
  const known = new Map(roleTimes.map((time) => [time.role, time]));
  const current = roles.map((role) => timeAfter(known.get(role) ?? { role, had: [] }));
  const former = roleTimes.filter(({ role }) => !roles.includes(role)).map(timeAfter);
  // Roles taken just now come first, then those taken before.
  const latestFirst = [
    ...former.filter((time) => takenAt(time) === moment),
    ...former.filter((time) => takenAt(time) !== moment),
  ];
  const kept = [...current, ...latestFirst.slice(0, formerRolesMax)];
  const spansEach = spansKeptAmong(kept.length);
  const unsure = [unsureUpTo, ...latestFirst.slice(formerRolesMax).map(takenAt)].filter((to) => to !== undefined);
  return {
    ...(kept.length > 0 && { roleTimes: kept.map((time) => within(time, spansEach)) }),
    ...(unsure.length > 0 && { unsureUpTo: unsure.reduce((one, other) => (other > one ? other : one)) }),
  };
};

const takenAt = ({ had }: RoleTime): bigint | undefined => had.at(-1)?.to;

/** A role may show a channel or hide it, so of old times both are kept: that they were, and that they had breaks. */
const within = (time: RoleTime, spansEach: number): RoleTime => {
  const { role, had, earlier } = time;
  const old = had.slice(0, -spansEach);
  const [merged] = withOldestMerged(earlier === undefined ? old : [earlier, ...old], 1);
  return old.length === 0 || merged === undefined ? time : { role, had: had.slice(-spansEach), earlier: merged };
};

const without = (memberships: readonly Membership[], community: CommunityId): readonly Membership[] =>
  memberships.filter((membership) => membership.community !== community);

const withMembership = (
  document: MembershipsDocument,
  community: CommunityId,
  change: (membership: Membership) => Membership,
): MembershipsDocument => {
  if (!document.memberships.some((membership) => membership.community === community)) return document;
  return {
    ...document,
    memberships: document.memberships.map((membership) =>
      membership.community === community ? change(membership) : membership,
    ),
  };
};
