import type { MessagesInit } from '../../../gen/messages.js';
import { CommunityMember, Message, User, type CommunityMemberInit } from '../../../gen/types.js';
import type { UserId } from '../../../kernel/ids.js';
import type { CommunityDocument } from '../../../projections/communities/documents.js';
import { membersById } from '../../../projections/members/queries.js';
import type { MessageDocument } from '../../../projections/messages/documents.js';
import type { HistoryPage } from '../../../projections/messages/queries.js';
import { bytesOfReactions, reactionsOnPage } from '../../rendering/reactions.js';
import { answerBytesMax, bytesOf, fitting } from '../../rendering/answerSize.js';
import { messageFor } from '../../rendering/message.js';
import { usersFor, type StatusOf } from '../../rendering/user.js';
import { memberFor } from '../../rendering/community.js';
import { statusesFor, type MutualsNeeds } from '../../access/mutuals.js';
import type { Call } from '../../contract/call.js';

type Needs = MutualsNeeds & { readonly statusOf: StatusOf };

type Page = {
  /** The newest first. */
  readonly found: readonly MessageDocument[];
  readonly page: HistoryPage;
  /** Of a channel. */
  readonly community: CommunityDocument | undefined;
  readonly call: Call;
};

/** The read models that the answer is made from. */
export const historyReads = ['members', 'messages', 'reactions', 'users'] as const;

const messagesBytesMax = 0.5 * answerBytesMax;
const usersBytesMax = 0.16 * answerBytesMax;
const membersBytesMax = 0.16 * answerBytesMax;
/** A hundred messages with twenty emoji each fit. */
const reactionsBytesMax = 0.18 * answerBytesMax;

/**
 * Messages, the newest first, the users who appear in them, and their reactions. Of a page too large for one answer,
 * the messages nearest to the anchor.
 */
export const historyAnswer = async (needs: Needs, of: Page): Promise<MessagesInit> => {
  const rendered = of.found.map((document) => ({ document, message: messageFor(document, of.call.caller.user) }));
  const nearest = nearestFirst(rendered, of.page);
  const kept = new Set(fitting(nearest, messagesBytesMax, ({ message }) => bytesOf(Message, message)));
  const shown = rendered.filter((one) => kept.has(one));
  const ids = appearingIn(shown.map(({ document }) => document));
  const members = await membersFor(needs, of.community, ids);
  const fellows = new Set(members.flatMap(({ id }) => id ?? []));
  const [users, reactions] = await Promise.all([
    usersFor({ reads: needs.reads, statusOf: statusesFor(needs, of.call, fellows) }, ids),
    reactionsOnPage(
      needs.reads,
      shown.map(({ document }) => document.id),
      of.call.caller.user,
    ),
  ]);
  return {
    messages: shown.map(({ message }) => message),
    users: fitting(users, usersBytesMax, (user) => bytesOf(User, user)),
    members: fitting(members, membersBytesMax, (member) => bytesOf(CommunityMember, member)),
    reactions: fitting(reactions, reactionsBytesMax, bytesOfReactions),
  };
};

const membersFor = async (
  { reads }: Needs,
  community: CommunityDocument | undefined,
  users: readonly UserId[],
): Promise<readonly CommunityMemberInit[]> => {
  if (community === undefined) return [];
  const members = await membersById(reads, community.id, users);
  return members.map((member) => memberFor(community, member.user, member));
};

type Rendered = { readonly document: MessageDocument };

const nearestFirst = <T extends Rendered>(messages: readonly T[], { since, before, around }: HistoryPage) => {
  const anchor = since ?? before ?? around;
  if (anchor === undefined) return messages;
  const distance = ({ document }: Rendered): bigint =>
    document.id < anchor ? anchor - document.id : document.id - anchor;
  return messages.toSorted((one, other) => (distance(one) < distance(other) ? -1 : 1));
};

/** The authors first: a client can do without the others sooner. */
const appearingIn = (messages: readonly MessageDocument[]): readonly UserId[] => [
  ...new Set([...messages.map(({ author }) => author), ...messages.flatMap(({ mentions }) => mentions)]),
];
