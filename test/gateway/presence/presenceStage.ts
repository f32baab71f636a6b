import type { TestContext } from 'node:test';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { localPresence } from '../../../src/adapters/presence/local.js';
import type { SavedPresence } from '../../../src/adapters/presence/presenceFile.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { systemIds } from '../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../src/domain/registry.js';
import type { Caller } from '../../../src/gateway/contract/call.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import { presences, statusReader, type Presences } from '../../../src/gateway/presence/presence.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import { executor } from '../../../src/kernel/execute.js';
import { foldedStreams } from '../../../src/kernel/foldedStreams.js';
import { snowflakes, type Millis, type SessionId, type UserId } from '../../../src/kernel/ids.js';
import type { Presence } from '../../../src/kernel/ports/presence.js';
import { plainSealer } from '../../support/plainSealer.js';
import { passingTime } from './passingTime.js';

const failed = (error: unknown): void => {
  throw error;
};

export const on = (user: bigint, session: bigint): Caller => ({
  user: user as UserId,
  session: session as SessionId,
});

/** The log, Redis and the time, which nodes share. */
export const deployment = (options: { readonly saved?: SavedPresence | undefined } = {}) => {
  const time = passingTime();
  const clock = { aheadMillis: 0, now: () => (1_767_225_600_000 + clock.aheadMillis + time.now()) as Millis };
  const log = memoryEventLog(clock);
  const saved: SavedPresence[] = [];
  const presence = localPresence({
    timers: time,
    clock,
    saved: options.saved,
    save: (left) => Promise.resolve(void saved.push(left)),
    onError: failed,
  });
  const pubSub = localPubSub({ onListenerError: failed });
  /** The choices of sessions that are in the log. */
  const choices = async (): Promise<readonly string[]> =>
    (await log.readAll({ from: 0n, limit: 1_000 })).map(({ stream, type }) => `${stream} ${type.split('.')[1] ?? ''}`);
  return { time, clock, log, presence, pubSub, saved, choices };
};
export type Deployment = ReturnType<typeof deployment>;

export type Staging = {
  /** Who may know the presence of a user. Default: the user and user 2. */
  readonly audience?: (user: UserId) => Iterable<UserId>;
  readonly presence?: Partial<Presence>;
  readonly failed?: (error: unknown) => void;
};

/** Everything under way in memory is done by then. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
};

export const nodeOf = async (t: TestContext, shared: Deployment, staging: Staging = {}) => {
  const { time, clock, log, pubSub } = shared;
  const audience = staging.audience ?? ((user: UserId): Iterable<UserId> => [user, 2n as UserId]);
  const presence: Presence = { ...shared.presence, ...staging.presence };
  const sealer = plainSealer();
  const kernel = { log, codec: eventCodec(eventKinds, sealer), sealer, clock };
  const ids = systemIds(snowflakes(1, () => clock.now()));
  const streams = foldedStreams(kernel);
  const told: Delivery[] = [];
  const changed: UserId[] = [];
  const made: Presences = presences({
    presence,
    pubSub,
    clock,
    streams,
    ids,
    execute: executor({ ...kernel, ids, streams }),
    schedule: time.later,
    access: { statusAudience: (user) => Promise.resolve(new Set(audience(user))) },
    statuses: { changed: (user) => void changed.push(user) },
    deliver: (items) => {
      told.push(...items);
      return told.length;
    },
    failed: staging.failed ?? failed,
  });
  await made.start(() => []);
  t.after(() => made.close());
  const statusOf = statusReader(presence);
  /** What was told since the last time, once everything under way is done: the status, and to how many. */
  const heard = async (): Promise<readonly (readonly [status: unknown, recipients: number])[]> => {
    await settled();
    return told
      .splice(0)
      .map(({ update, audience: recipients }) => [
        'userStatus' in update ? (update.userStatus.status?.status ?? 'offline') : 'something else',
        [...recipients].length,
      ]);
  };
  const statuses = async (): Promise<readonly unknown[]> => (await heard()).map(([status]) => status);
  return { made, told, changed, statusOf, heard, statuses };
};
export type PresenceNode = Awaited<ReturnType<typeof nodeOf>>;
