import { defined } from '../../kernel/defined.js';
import type { EventCodec } from '../../kernel/codec.js';
import type { DocumentType } from '../../kernel/document.js';
import type { Event, Position, Recorded } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import type { ConversationDocument } from '../../projections/conversations/documents.js';
import { liveDocuments, type LiveDocuments, type LiveDocumentsNeeds } from '../../projections/reading/liveDocuments.js';
import type { MembershipsDocument } from '../../projections/members/documents.js';
import type { UnreadReads } from '../../projections/unread/unreadReads.js';
import type { ProjectionName } from '../../projections/registry.js';
import type { UserDocument } from '../../projections/users/documents.js';
import { liveAccess, type AccessNeeds, type LiveAccess } from '../access/liveAccess.js';
import type { ReadModels } from '../contract/readModels.js';
import { prefetcher } from './prefetch.js';
import { relevance } from './relevance.js';
import { communitiesAtHand } from './communitiesAtHand.js';
import { documentAsOf, documentsUpTo, type DocumentAsOfNeeds } from './documentAsOf.js';
import { silent, type Delivery } from '../contract/updates.js';
import { unreadCounts, type LiveUnreadCounts, type SentMessage } from './unread/unread.js';
import type { Access, AccessChanges } from '../contract/viewerPermissions.js';
import type { PrefetchedUsers, Renderer, UpdateRenderer, UpdateView } from '../contract/updateView.js';

export type UpdateRendererNeeds = {
  readonly log: Pick<EventLog, 'end' | 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  /** Of events in streams of which documents are folded for an update. */
  readonly isRefused?: NonNullable<DocumentAsOfNeeds['isRefused']>;
  readonly documents: Pick<DocumentStore, 'getMany'>;
  /** The stored read models. */
  readonly readModels: Pick<ReadModels, 'reached'>;
  readonly types: {
    readonly communities: DocumentType<CommunityDocument, never>;
    readonly memberships: DocumentType<MembershipsDocument, never>;
    readonly users: DocumentType<UserDocument, never>;
    readonly conversations: DocumentType<ConversationDocument, never>;
  };
  readonly unread: UnreadReads;
  readonly peersOf: AccessNeeds['peersOf'];
  readonly hasWrittenTo: AccessNeeds['hasWrittenTo'];
  readonly unfolded?: NonNullable<AccessNeeds['unfolded']>;
  /** All events up to here were rendered or passed over. Absent: communities may be ahead of the updates when they are loaded. */
  readonly passedUpTo?: () => Position | undefined;
  /** For tests. Default: `wantedBytesMax` of `LiveDocuments`. */
  readonly communityBytesMax?: number;
  /** By type of event. */
  readonly updates: Readonly<Record<string, Renderer>>;
  /** By type of event. */
  readonly prefetched: PrefetchedUsers;
};

/** How many are held besides those that connected users need. */
export const idleCommunitiesMax = 2_000;
export const idleMembershipsMax = 20_000;
export const idleUsersMax = 50_000;
export const idleConversationsMax = 20_000;

/** Renders the updates of events, and holds the memory that this takes: permissions, sight and unread counts. */
export const liveUpdateRenderer = (
  needs: UpdateRendererNeeds,
): { readonly renderer: UpdateRenderer; readonly access: Access & AccessChanges } => {
  const turn: Rendering = { position: undefined, folded: undefined };
  const memory = memoryOf(needs, turn);
  const { access, unread } = memory;
  const renderers = renderersOf(needs.updates);
  const foldedAsOf = documentAsOf(needs);

  const folded = (event: Recorded): readonly Delivery[] | Promise<readonly Delivery[]> => {
    turn.folded = event.position;
    const { before, ready } = access.apply(event);
    memory.conversations.apply(event);
    const authorsUnread = unread.apply(event);
    const render = renderers.get(event.type) ?? silent;
    const view: UpdateView = {
      before,
      after: access.now,
      user: (user) => access.user(user),
      documentAsOf: (type, key) => {
        const documents = liveOf(memory, type);
        return documents === undefined ? foldedAsOf(type, key, event) : documents.get(key);
      },
      seeing: (user) => access.seeing(user),
      statusAudience: (user) => access.statusAudience(user),
      shareCommunity: (one, other) => access.shareCommunity(one, other),
      hadUnread: (sent) => hadUnread(memory, sent, authorsUnread),
      unreadCounts: unread.countsOfAll,
      unread: unread.counts,
    };
    return ready === undefined ? render(event, view) : ready.then(() => render(event, view));
  };

  const withCommunities = communitiesAtHand(memory);
  const cares = relevance({ ...memory, rendered: (type) => renderers.has(type) });
  const renderer: UpdateRenderer = {
    isRelevant: cares,
    prefetch: prefetcher({ ...needs, isRelevant: cares, user: (user) => access.user(user) }),
    render: (event) => whileRendering(turn, event.position, () => withCommunities(event, () => folded(event))),
    connect: (user) => {
      unread.forget(user);
      return access.connect(user);
    },
    disconnect: (user) => {
      access.disconnect(user);
      unread.forget(user);
    },
  };
  return { renderer, access };
};

const hadUnread = (
  { access, unread }: Pick<Memory, 'access' | 'unread'>,
  sent: SentMessage,
  inMemory: number | undefined,
): boolean | Promise<boolean> => {
  if (inMemory !== undefined) return inMemory > 0;
  return access.isConnected(sent.author) && unread.countBefore(sent).then((count) => count !== 0);
};

/** The event that is being rendered, and the last one that was folded. */
type Rendering = { position: Position | undefined; folded: Position | undefined };

const whileRendering = <T>(turn: Rendering, position: Position, work: () => T | Promise<T>): T | Promise<T> => {
  const over = (): void => {
    turn.position = undefined;
  };
  turn.position = position;
  let worked: T | Promise<T> | undefined;
  try {
    worked = work();
    return worked instanceof Promise ? worked.finally(over) : worked;
  } finally {
    if (!(worked instanceof Promise)) over();
  }
};

type Memory = Pick<AccessNeeds, 'communities' | 'memberships' | 'users'> & {
  readonly conversations: LiveDocuments<ConversationDocument>;
  /** All of these, by the names of their types. */
  readonly live: ReadonlyMap<string, LiveDocuments<unknown>>;
  readonly access: LiveAccess;
  readonly unread: LiveUnreadCounts;
};

const memoryOf = (needs: UpdateRendererNeeds, turn: Rendering): Memory => {
  const { log, documents, readModels, types } = needs;
  // While an event is rendered, it is the last one that was offered here. At other times later ones may have been
  // passed over, and nobody said which; but none of them is after the end of the log.
  // Only those that are read are waited for: another one that has stopped must not take everybody's rights away.
  const caughtUp = async (...names: readonly ProjectionName[]): Promise<Position> => {
    const position = turn.position ?? (await log.end());
    await readModels.reached(position, names);
    return position;
  };
  const from = (name: ProjectionName, idleMax: number) => ({ documents, caughtUp: () => caughtUp(name), idleMax });
  const cached = {
    communities: liveDocuments(types.communities, {
      ...from('communities', idleCommunitiesMax),
      ...historyOf(needs, turn),
    }),
    memberships: liveDocuments(types.memberships, from('members', idleMembershipsMax)),
    users: liveDocuments(types.users, from('users', idleUsersMax)),
    conversations: liveDocuments(types.conversations, from('conversations', idleConversationsMax)),
  };
  const peersOf: AccessNeeds['peersOf'] = async (user, which) => {
    await caughtUp('conversations');
    return needs.peersOf(user, which);
  };
  const access = liveAccess({
    ...cached,
    peersOf,
    hasWrittenTo: needs.hasWrittenTo,
    ...defined({ unfolded: needs.unfolded }),
  });
  return {
    ...cached,
    live: new Map<string, LiveDocuments<unknown>>([
      [types.communities.name, cached.communities],
      [types.memberships.name, cached.memberships],
      [types.users.name, cached.users],
      [types.conversations.name, cached.conversations],
    ]),
    access,
    unread: unreadCounts({
      reads: needs.unread,
      floorIn: (chat) => access.now.unreadFloorIn(chat),
      caughtUp: () => caughtUp('messages', 'reads'),
    }),
  };
};

const historyOf = (
  needs: UpdateRendererNeeds,
  turn: Rendering,
): Pick<LiveDocumentsNeeds, 'history' | 'wantedBytesMax'> => {
  const { passedUpTo, communityBytesMax: wantedBytesMax, types } = needs;
  if (passedUpTo === undefined) return defined({ wantedBytesMax });
  const documentUpTo = documentsUpTo(needs, types.communities);
  // The event that is being rendered is passed only once all are told, and folded before that.
  const appliedUpTo = (): Position | undefined => {
    const passed = passedUpTo();
    return passed !== undefined && turn.folded !== undefined && turn.folded > passed ? turn.folded : passed;
  };
  return { history: { appliedUpTo, documentUpTo }, ...defined({ wantedBytesMax }) };
};

type AnyRenderer = (event: Recorded, view: UpdateView) => readonly Delivery[] | Promise<readonly Delivery[]>;

/** Only of events of which somebody hears. */
const renderersOf = (updates: UpdateRendererNeeds['updates']): ReadonlyMap<string, AnyRenderer> =>
  // Each is found under the type of its own events.
  new Map(Object.entries(updates as Readonly<Record<string, AnyRenderer>>).filter(([, render]) => render !== silent));

const liveOf = <Doc, E extends Event>(
  { live }: Memory,
  { name }: DocumentType<Doc, E>,
): LiveDocuments<Doc> | undefined =>
  // The documents under the name of a type were folded by that type.
  live.get(name) as LiveDocuments<Doc> | undefined;
