import { accountStreams } from '../../domain/accounts/events.js';
import { communityStreams } from '../../domain/communities/events.js';
import { memberStreams } from '../../domain/members/events.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { Appended, EventLog } from '../../kernel/ports/eventLog.js';
import { withDeadline } from '../../kernel/timing.js';
import { watchedAppends } from '../../kernel/watchedAppends.js';
import type { ChangesUnderWay } from '../contract/enforcement.js';
import { Unavailable } from '../contract/errors.js';
import type { Acknowledged, Follower } from '../contract/readModels.js';

/**
 * The appends of this node from which rights follow, from the tick in which they are handed to the log until the fan-out
 * has folded them. A right that is looked at in between would be one that an append before has taken away.
 */
export interface UnfoldedAppends extends ChangesUnderWay {
  readonly acknowledged: Acknowledged;
  /** The same log, whose appends are noted here. */
  noting(log: EventLog): EventLog;
}

/** A change that is not folded after so long makes those who wait for it `Unavailable`. */
export const foldMillisMax = 10_000;

/** `upTo`: where the last append that is durable ends. */
type Unfolded = { readonly underWay: Set<Promise<unknown>>; upTo: Position };

/** `fanOut` is asked only once the node runs: it is made after the log. */
export const unfoldedAppends = (fanOut: () => Follower): UnfoldedAppends => {
  // Few, because an entry goes once it is folded and writes stop when the fan-out is far behind.
  const byStream = new Map<string, Unfolded>();

  const isFolded = ({ underWay, upTo }: Unfolded): boolean => underWay.size === 0 && upTo <= fanOut().position();
  const forgetFolded = (): void => {
    for (const [stream, appends] of byStream) {
      if (!isFolded(appends)) return;
      byStream.delete(stream);
    }
  };
  const latest = { events: beforeAll, rights: beforeAll };
  const acknowledge = (of: keyof typeof latest, { position }: Appended): void => {
    if (position > latest[of]) latest[of] = position;
  };

  const note = (stream: string, appending: Promise<Appended>): void => {
    const ofRights = givesRights(stream);
    // Before the appender goes on, so that no answer is ahead of this. Of a failure the appender hears.
    appending.then(
      (appended) => {
        acknowledge('events', appended);
        if (ofRights) acknowledge('rights', appended);
      },
      () => undefined,
    );
    if (ofRights) noteRights(stream, appending);
  };
  const noteRights = (stream: string, appending: Promise<Appended>): void => {
    const appends = byStream.get(stream) ?? { underWay: new Set(), upTo: beforeAll };
    byStream.set(stream, appends);
    const ended = appending
      .then(({ position }) => {
        if (position > appends.upTo) appends.upTo = position;
      })
      // The caller hears of the failure from the append itself.
      .catch(() => undefined)
      .finally(() => {
        appends.underWay.delete(ended);
        forgetFolded();
      });
    appends.underWay.add(ended);
  };
  const foldedUpTo = async (appends: Unfolded): Promise<void> => {
    await Promise.all(appends.underWay);
    await fanOut().reached(appends.upTo);
  };

  return {
    noting: (log) =>
      watchedAppends(log, ({ stream }, appending) => {
        note(stream, appending);
      }),
    acknowledged: { events: () => latest.events, rights: () => latest.rights },
    folded: (streams) => {
      const unfolded = streams.flatMap((stream) => byStream.get(stream) ?? []).filter((one) => !isFolded(one));
      if (unfolded.length === 0) return undefined;
      const late = (): Error => new Unavailable('rights are still being changed');
      return withDeadline(Promise.all(unfolded.map(foldedUpTo)), foldMillisMax, late).then(() => undefined);
    },
  };
};

const families = [communityStreams, memberStreams, accountStreams] as const;
const givesRights = (stream: string): boolean => families.some((family) => family.keyOf(stream) !== undefined);
