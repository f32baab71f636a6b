import { chatPrefix, membersNamedBy, type ByChatKind, type ChatKey, type ChatKind } from '../../kernel/chat.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { LiveDocuments } from '../../projections/reading/liveDocuments.js';
import type { LiveAccess } from '../access/liveAccess.js';
import type { LiveUnreadCounts } from './unread/unread.js';
import type { UpdateRenderer } from '../contract/updateView.js';

type Followed = Pick<LiveDocuments<unknown>, 'folds' | 'follows' | 'followsAny'>;

export type RelevanceNeeds = {
  readonly access: Pick<LiveAccess, 'isConnected' | 'connectedUsers' | 'hasMembersOf'>;
  readonly unread: Pick<LiveUnreadCounts, 'folds' | 'holds'>;
  readonly communities: Followed;
  readonly memberships: Followed;
  readonly users: Followed;
  readonly conversations: Followed;
  /** Somebody may hear of such an event. */
  readonly rendered: (type: string) => boolean;
};

/** Whether an event must be sent or folded here, from its topic and type alone. Asked for every event in the log. */
export const relevance = (needs: RelevanceNeeds): UpdateRenderer['isRelevant'] => {
  const kinds = kindsOf(needs);
  return (topic, type) => {
    const dot = topic.indexOf('.');
    const kind = kinds.get(topic.slice(0, dot));
    return kind?.(topic, topic.slice(dot + 1), type) === true;
  };
};

/** `rest` is the part behind the kind in the topic. */
type Kind = (topic: string, rest: string, type: string) => boolean;

const kindsOf = (needs: RelevanceNeeds): ReadonlyMap<string, Kind> => {
  const { access, unread, communities, memberships, users, conversations, rendered } = needs;
  const membersOf = (community: string): boolean => access.hasMembersOf(BigInt(community) as CommunityId);
  // The table of kinds says that such a topic is a chat key.
  const counted = (topic: string, type: string): boolean => unread.folds(type) && unread.holds(topic as ChatKey);
  const people: Kind = (topic, _, type) =>
    (rendered(type) && membersNamedBy(topic as ChatKey).some(access.isConnected)) ||
    (conversations.folds(type) && conversations.follows(topic)) ||
    counted(topic, type);

  const chats: ByChatKind<Kind> = {
    channel: (topic, rest, type) => (rendered(type) && membersOf(firstOf(rest))) || counted(topic, type),
    direct: people,
    self: people,
    // Nobody is known to be in a group, so nobody is sent its updates and nothing of one is counted.
    group: () => false,
  };

  return new Map<string, Kind>([
    // Object.entries forgets which keys its object has.
    ...(Object.entries(chats) as [ChatKind, Kind][]).map(([of, kind]): [string, Kind] => [chatPrefix[of], kind]),
    [
      'community',
      (_, rest, type) =>
        // Also folded for members whose community is not in memory: it is loaded as of then.
        ((rendered(type) || communities.folds(type)) && membersOf(rest)) ||
        (communities.folds(type) && communities.follows(rest)) ||
        // The topic does not say whose membership it is.
        (memberships.folds(type) && memberships.followsAny()),
    ],
    [
      'user',
      (_, rest, type) =>
        ((rendered(type) || unread.folds(type)) && access.isConnected(BigInt(rest) as UserId)) ||
        // Anyone may see this user: to know takes their memberships, which are not looked up here.
        (users.folds(type) && ((rendered(type) && access.connectedUsers() > 0) || users.follows(rest))),
    ],
  ]);
};

const firstOf = (rest: string): string => rest.slice(0, rest.indexOf('.'));
