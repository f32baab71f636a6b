import { communityOf, isChatKey } from '../../kernel/chat.js';
import type { Recorded } from '../../kernel/event.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import { DamagedRecord } from '../../kernel/ports/eventLog.js';
import { SealBroken } from '../../kernel/ports/sealer.js';
import { Misshapen } from '../../kernel/schema.js';
import { ProjectionStopped, ProjectionsClosed } from '../../projections/progress/waiters.js';
import type { LiveDocuments } from '../../projections/reading/liveDocuments.js';
import type { LiveAccess } from '../access/liveAccess.js';
import { TooManyEvents } from './documentAsOf.js';
import { UnreadableNow } from './unreadableNow.js';

export type CommunitiesAtHandNeeds = {
  readonly communities: Pick<LiveDocuments<unknown>, 'get' | 'pin' | 'unpin'>;
  readonly access: Pick<LiveAccess, 'hasMembersOf' | 'isConnected' | 'forgetSights'>;
};

/** Work on an event, before which the communities are in memory that it is about and of which members are connected. */
export type WithCommunities = <T>(event: Recorded, work: () => T | Promise<T>) => T | Promise<T>;

/**
 * They stay there until the work is done. Rejects with `UnreadableNow`, without any work, where one cannot be loaded but
 * may be later. One that never can be is passed over: then nobody sees any of its channels.
 */
export const communitiesAtHand = ({ communities, access }: CommunitiesAtHandNeeds): WithCommunities => {
  return (event, work) => {
    const about = communitiesOf(event);
    const ids = about.filter(access.hasMembersOf);
    // The event may bring its user into the community, which is loaded then, and must stay as well.
    const keys = (namesConnected(access, event) ? about : ids).map(String);
    if (keys.length === 0) return work();
    const over = (): void => {
      for (const key of keys) communities.unpin(key);
    };
    for (const key of keys) communities.pin(key);
    const passedOver = (id: CommunityId, error: unknown): void => {
      if (!isFinal(error)) throw new UnreadableNow(event.position, error);
      access.forgetSights(id);
    };
    const loads = ids.flatMap((id) => {
      const load = communities.get(id.toString());
      return load instanceof Promise ? [load.catch((error: unknown) => passedOver(id, error))] : [];
    });
    let worked: ReturnType<typeof work> | undefined;
    try {
      worked = loads.length === 0 ? work() : Promise.all(loads).then(work);
      return worked instanceof Promise ? worked.finally(over) : worked;
    } finally {
      if (!(worked instanceof Promise)) over();
    }
  };
};

/** Where events are damaged, reading them again helps no more than with the event that is told. */
const final = [ProjectionStopped, ProjectionsClosed, TooManyEvents, DamagedRecord, SealBroken, Misshapen] as const;

const isFinal = (error: unknown): boolean => final.some((kind) => error instanceof kind);

/** That of its topic, and that of the chat which is named in it. */
const communitiesOf = ({ metadata: { about }, data }: Recorded): readonly CommunityId[] => {
  // Every event that names a chat does so under this name.
  const { chat } = data as { readonly chat?: string };
  const ofTopic = communityIn(about);
  const ofChat = chat === undefined || chat === about ? undefined : communityIn(chat);
  return [ofTopic, ofChat].filter((community) => community !== undefined);
};

/** Every event of a membership names the member so. */
const namesConnected = ({ isConnected }: Pick<LiveAccess, 'isConnected'>, { data }: Recorded): boolean => {
  const { user } = data as { readonly user?: UserId };
  return user !== undefined && isConnected(user);
};

const topicPrefix = 'community.';

const communityIn = (topic: string): CommunityId | undefined => {
  if (topic.startsWith(topicPrefix)) return BigInt(topic.slice(topicPrefix.length)) as CommunityId;
  return isChatKey(topic) ? communityOf(topic) : undefined;
};
