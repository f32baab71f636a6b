import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { memoryPresence } from '../../support/presence.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import { systemIds } from '../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../src/domain/registry.js';
import { gateway, type Gateway, type GatewayNeeds, type Live } from '../../../src/gateway/gateway.js';
import { noAdmission } from '../../../src/gateway/requests/admission.js';
import { metrics as makeMetrics, type Metrics } from '../../../src/gateway/operations/metrics.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import type { HandlerTable } from '../../../src/gateway/contract/handlers.js';
import { serve, type Server } from '../../../src/gateway/sockets/server.js';
import type { ViewerPermissions } from '../../../src/gateway/contract/viewerPermissions.js';
import type { UpdateRenderer } from '../../../src/gateway/contract/updateView.js';
import { rpcTable, type RpcName } from '../../../src/gen/rpcs.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import { reject } from '../../../src/kernel/decider.js';
import type { Recorded } from '../../../src/kernel/event.js';
import { executor } from '../../../src/kernel/execute.js';
import { foldedStreams } from '../../../src/kernel/foldedStreams.js';
import { snowflakes, type Millis, type SessionId, type UserId } from '../../../src/kernel/ids.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import type { Clock } from '../../../src/kernel/ports/system.js';
import { plainSealer } from '../../support/plainSealer.js';
import { initialize, rawClient, type RawClient } from './rawClient.js';

/** A whole gateway over real sockets, on a log in memory, with handlers and renderer as the test wants them. */
export interface Stage extends Gateway {
  readonly url: string;
  readonly server: Server;
  readonly log: EventLog;
  readonly metrics: Metrics;
  /** Lines that the server logged, as objects. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  client(this: void, path?: string): Promise<RawClient>;
  /** A client whose connection belongs to this user and session. */
  signedIn(this: void, user: bigint, session: bigint, options?: { readonly noSubscribe?: boolean }): Promise<RawClient>;
  stop(this: void): Promise<void>;
}

export type Staging = Partial<Omit<GatewayNeeds, 'handlers' | 'renderer' | 'logger' | 'metrics'>> & {
  readonly handlers?: (live: Live, needs: Pick<GatewayNeeds, 'ids'>) => Partial<HandlerTable>;
  readonly renderer?: Partial<UpdateRenderer>;
};

const nowhere = { position: () => 0n, reached: () => undefined };
const noReadModels = { ...nowhere, folded: nowhere };

export const stage = async ({ handlers, renderer, ...given }: Staging = {}): Promise<Stage> => {
  const clock: Clock = { now: () => Date.now() as Millis };
  const log = given.log ?? memoryEventLog(clock);
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  const ids = systemIds(snowflakes(1, () => clock.now()));
  const metrics = makeMetrics();
  const logged: Readonly<Record<string, unknown>>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => logged.push(JSON.parse(line) as (typeof logged)[0]) });
  const streams = foldedStreams({ log, codec, sealer });
  const made = gateway({
    log,
    codec,
    sealer,
    execute: executor({ log, codec, sealer, clock, ids, streams }),
    streams,
    ids,
    clock,
    timers: systemTimers,
    pubSub: localPubSub({ onListenerError: (err) => logger.error({ err }, 'a listener failed') }),
    presence: memoryPresence(),
    statuses: { changed: () => undefined },
    admission: noAdmission(),
    access: accessOfNobody,
    documents: noReadModels,
    tracer: trace.getTracer('test'),
    ...given,
    renderer: { ...silentRenderer, ...renderer },
    handlers: (live) => ({ ...standIns, ...handlers?.(live, { ids }) }),
    logger,
    troubled: ({ doing, error }) => logger.error({ err: error }, doing),
    metrics,
  });
  await made.start();
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    origins: [],
    trustedProxies: [],
    sockets: made.sockets,
    readiness: () => Promise.resolve({ ready: true }),
    logger,
  });
  const url = `ws://127.0.0.1:${server.port.toString()}`;
  return {
    ...made,
    url,
    server,
    log,
    metrics,
    logged,
    client: (path = '') => rawClient(url + path),
    signedIn: (user, session, options) => signedIn(url, { user, session, noSubscribe: options?.noSubscribe === true }),
    stop: async () => {
      await server.close();
      await made.close();
      await log.close();
    },
  };
};

type SignIn = { readonly user: bigint; readonly session: bigint; readonly noSubscribe: boolean };

const signedIn = async (url: string, { user, session, noSubscribe }: SignIn): Promise<RawClient> => {
  const client = await rawClient(url);
  client.ask(1, 'coreInitialize', { ...initialize, noSubscribe });
  client.ask(2, 'authAuthorize', { token: `${user.toString()} ${session.toString()}` });
  const { authorization } = await client.result(2);
  if (authorization === undefined) throw new Error('the stage refused its own token');
  return client;
};

// Only what every test needs is answered; the rest is refused.
const standIns = {
  ...(Object.fromEntries(
    Object.keys(rpcTable).map((name) => [name, () => Promise.resolve(reject('NOT_IMPLEMENTED'))]),
  ) as unknown as HandlerTable),
  coreInitialize: async (request, call) => {
    await call.initialize(request);
    return { initialized: {} };
  },
  authAuthorize: async ({ token }, call) => {
    const [user = '', session] = token.split(' ');
    if (session === undefined) {
      call.closeSoon(1008);
      return reject('INVALID_TOKEN');
    }
    const caller = { user: BigInt(user) as UserId, session: BigInt(session) as SessionId };
    await call.authorize(caller);
    return { authorization: { token, user: { id: caller.user }, sessionId: caller.session } };
  },
} satisfies Pick<HandlerTable, 'coreInitialize' | 'authAuthorize'> & Record<RpcName, unknown>;

export const silentRenderer: UpdateRenderer = {
  isRelevant: () => true,
  prefetch: () => undefined,
  render: (): readonly Delivery[] => [],
  connect: () => Promise.resolve(),
  disconnect: () => undefined,
};

/** Tells these users that a user has another name, for every event. */
export const tellsNames = (audience: Iterable<bigint>): Pick<UpdateRenderer, 'render'> => ({
  render: (event: Recorded) => [
    {
      audience: audience as Iterable<UserId>,
      update: { user: { userId: event.revision as UserId, user: { name: event.id } } },
    },
  ],
});

const nothingSeen: readonly UserId[] = [];
export const nobodySees: ViewerPermissions = {
  community: () => undefined,
  member: () => undefined,
  inChannel: () => 0n,
  overrides: () => [],
  unreadFloorIn: () => () => 0n,
  maySee: () => false,
  mayWrite: () => false,
  connectedMembers: () => nothingSeen,
  viewersOf: () => nothingSeen,
};

const accessOfNobody = {
  ...{ now: nobodySees, load: () => undefined, onChange: () => undefined },
  statusAudience: (user: UserId) => Promise.resolve(new Set([user])),
};
