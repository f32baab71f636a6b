import type { MessagesInit } from '../../../gen/messages.js';
import { CommunityMember, Message, User, type CommunityMemberInit } from '../../../gen/types.js';
import type { UserId } from '../../../kernel/ids.js';
import type { CommunityDocument } from '../../../projections/communities/documents.js';
import { membersById } from '../../../projections/members/queries.js';
import type { MessageDocument } from '../../../projections/messages/documents.js';
import type { HistoryPage } from '../../../projections/messages/queries.js';
import type { ProjectionName } from '../../../projections/registry.js';
import { answerBytesMax, encodedFitting } from '../../rendering/answerSize.js';
import { messageFor, withPins } from '../../rendering/message.js';
import { usersFor, type StatusOf } from '../../rendering/user.js';
import { memberFor } from '../../rendering/community.js';
import { statusesFor, type MutualsNeeds } from '../../access/mutuals.js';
import type { Call } from '../../contract/call.js';
import type { HistoryPart, PartOfHistory } from '../../contract/historyPart.js';

export type HistoryNeeds = MutualsNeeds & {
  readonly statusOf: StatusOf;
  /** Of all packages that bring one. */
  readonly historyParts: readonly HistoryPart[];
};

type Page = {
  /** The newest first. */
  readonly found: readonly MessageDocument[];
  readonly page: HistoryPage;
  /** Of a channel. */
  readonly community: CommunityDocument | undefined;
  readonly call: Call;
};

type HistoryReads = readonly [ProjectionName, ...ProjectionName[]];

/** The read models that the answer is made from. */
export const historyReads = ({ historyParts }: Pick<HistoryNeeds, 'historyParts'>): HistoryReads => [
  'members',
  'messages',
  'users',
  ...historyParts.flatMap(({ reads }) => reads),
];

/** Of the bytes of an answer. The parts of other packages share the rest. */
export const ownShares = { messages: 0.5, users: 0.16, members: 0.16 };

const messagesBytesMax = ownShares.messages * answerBytesMax;
/** Messages take about as much room where they are stored; more of them than this would not fit into an answer. */
export const historyBytesMax = 1.5 * messagesBytesMax;
const usersBytesMax = ownShares.users * answerBytesMax;
const membersBytesMax = ownShares.members * answerBytesMax;

/**
 * Messages, the newest first, the users who appear in them, and the parts of other packages. Of a page too large for
 * one answer, the messages nearest to the anchor.
 */
export const historyAnswer = async (needs: HistoryNeeds, of: Page): Promise<MessagesInit> => {
  const { call } = of;
  const found = await withPins(needs.reads, of.found);
  const nearest = nearestFirst(found, of.page);
  const encoded = await encodedFitting(
    nearest,
    { codec: Message, made: (document) => messageFor(document, call.caller.user), bytesMax: messagesBytesMax },
    call.meter,
  );
  const kept = new Map(encoded.map((message, at) => [nearest[at], message]));
  const shown = found.filter((document) => kept.has(document));
  const ids = appearingIn(shown);
  const members = await membersFor(needs, of.community, ids);
  const fellows = new Set(members.flatMap(({ id }) => id ?? []));
  const [users, parts] = await Promise.all([
    usersFor({ reads: needs.reads, statusOf: statusesFor(needs, call, fellows) }, ids),
    partsFor(needs, shown, call),
  ]);
  const asIs = <Init>(init: Init): Init => init;
  return {
    messages: shown.flatMap((document) => kept.get(document) ?? []),
    users: await encodedFitting(users, { codec: User, made: asIs, bytesMax: usersBytesMax }, call.meter),
    members: await encodedFitting(
      members,
      { codec: CommunityMember, made: asIs, bytesMax: membersBytesMax },
      call.meter,
    ),
    ...parts,
  };
};

const partsFor = async (
  { reads, historyParts }: HistoryNeeds,
  shown: readonly MessageDocument[],
  { caller: { user: viewer }, meter }: Call,
): Promise<PartOfHistory> => {
  const messages = shown.map(({ id }) => id);
  const parts = await Promise.all(
    historyParts.map(({ share, partOf }) =>
      partOf({ reads, messages, viewer, bytesMax: share * answerBytesMax, meter }),
    ),
  );
  return parts.reduce((all, part) => ({ ...all, ...part }), {});
};

const membersFor = async (
  { reads }: HistoryNeeds,
  community: CommunityDocument | undefined,
  users: readonly UserId[],
): Promise<readonly CommunityMemberInit[]> => {
  if (community === undefined) return [];
  const members = await membersById(reads, community.id, users);
  return members.map((member) => memberFor(community, member.user, member));
};

const nearestFirst = <T extends MessageDocument>(
  messages: readonly T[],
  { since, before, around }: HistoryPage,
): readonly T[] => {
  const anchor = since ?? before ?? around;
  if (anchor === undefined) return messages;
  const distance = ({ id }: MessageDocument): bigint => (id < anchor ? anchor - id : id - anchor);
  return messages.toSorted((one, other) => (distance(one) < distance(other) ? -1 : 1));
};

/** The authors first: a client can do without the others sooner. */
const appearingIn = (messages: readonly MessageDocument[]): readonly UserId[] => [
  ...new Set([...messages.map(({ author }) => author), ...messages.flatMap(({ mentions }) => mentions)]),
];
