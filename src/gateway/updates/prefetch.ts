import type { EventCodec } from '../../kernel/codec.js';
import type { Recorded } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Access } from '../contract/viewerPermissions.js';
import type { PrefetchedUsers, UpdateRenderer } from '../contract/updateView.js';

export type PrefetchNeeds = {
  readonly codec: Pick<EventCodec, 'read' | 'metadata' | 'factOf'>;
  readonly isRelevant: UpdateRenderer['isRelevant'];
  readonly user: Access['user'];
  readonly prefetched: PrefetchedUsers;
};

/**
 * Begins to fetch the accounts that the updates of a batch will show, so that they come by one read and not each when
 * its turn has come. Only a hint: a read that fails here is made again, and reported, where it is needed.
 */
export const prefetcher = ({
  codec,
  isRelevant: cares,
  user,
  prefetched: foreseen,
}: PrefetchNeeds): UpdateRenderer['prefetch'] => {
  // Each is found under the type of its own events.
  const usersOf = new Map(Object.entries(foreseen as Readonly<Record<string, (event: Recorded) => readonly UserId[]>>));

  const recipientsOf = (stored: StoredEvent): readonly UserId[] => {
    const fact = codec.factOf(stored);
    const users = fact === undefined ? undefined : usersOf.get(fact);
    if (fact === undefined || users === undefined || !cares(codec.metadata(stored).about, fact)) return [];
    const event = codec.read(stored);
    return event !== undefined && 'data' in event ? users(event) : [];
  };

  return (batch) => {
    for (const stored of batch) {
      try {
        for (const id of recipientsOf(stored)) Promise.resolve(user(id)).catch(ignored);
      } catch {
        // A damaged record is reported when its turn has come.
      }
    }
  };
};

const ignored = (): void => undefined;
