import 'reflect-metadata';

import { trace, type Tracer } from '@opentelemetry/api';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { container as root, instanceCachingFactory, type DependencyContainer, type InjectionToken } from 'tsyringe';
import { lockFolder } from './adapters/dataFolder/lock.js';
import { vaultSealer } from './adapters/sealer/vault.js';
import { argon2Hasher } from './adapters/system/argon2.js';
import { systemClock } from './adapters/system/clock.js';
import { systemIds } from './adapters/system/ids.js';
import { systemRandom } from './adapters/system/random.js';
import { systemTimers } from './adapters/system/timers.js';
import { isServer, warningsOf, type Config } from './config.js';
import { eventKinds } from './domain/registry.js';
import { isAway, openEngines, type Engines } from './engines.js';
import { accountUpdates } from './gateway/auth/updates.js';
import { memberUpdates, membersForeseen } from './gateway/communities/memberUpdates.js';
import { communityUpdates, type CommunityUpdatesNeeds } from './gateway/communities/updates.js';
import { gateway, type Gateway, type Live } from './gateway/gateway.js';
import { handlerTable } from './gateway/handlers.js';
import { health, type Health } from './gateway/health.js';
import { inviteUpdates } from './gateway/invites/updates.js';
import { limits, noLimits } from './gateway/limits.js';
import { messageUpdates } from './gateway/messages/updates.js';
import { countingAppends, metrics, type Metrics } from './gateway/metrics.js';
import { uniqueNames, type Names } from './gateway/names.js';
import { statusReader } from './gateway/presence.js';
import { readUpdates } from './gateway/reads/updates.js';
import { userFor } from './gateway/rendering.js';
import { serve, type Readiness } from './gateway/server.js';
import { rememberedStatuses, type Statuses } from './gateway/statuses.js';
import { liveTeller } from './gateway/teller.js';
import { userUpdates } from './gateway/users/updates.js';
import type { Access } from './gateway/view.js';
import { eventCodec, type EventCodec } from './kernel/codec.js';
import type { Event } from './kernel/event.js';
import { executor, type Execute } from './kernel/execute.js';
import { foldedStreams, type FoldedStreams } from './kernel/foldedStreams.js';
import type { Millis } from './kernel/ids.js';
import { nodeNumber, type NodeNumber } from './kernel/nodeNumber.js';
import type { DocumentStore } from './kernel/ports/documentStore.js';
import type { EventLog, StoredEvent } from './kernel/ports/eventLog.js';
import type { Leases } from './kernel/ports/leases.js';
import type { Presence } from './kernel/ports/presence.js';
import type { PubSub } from './kernel/ports/pubSub.js';
import type { RateLimit } from './kernel/ports/rateLimit.js';
import type { Sealer } from './kernel/ports/sealer.js';
import type { Clock, Ids, PasswordHasher, Random } from './kernel/ports/system.js';
import type { Vault } from './kernel/ports/vault.js';
import { communityDocuments } from './projections/communities/fold.js';
import { conversationDocuments } from './projections/conversations/fold.js';
import { conversationsOf } from './projections/conversations/queries.js';
import { membershipsDocuments } from './projections/members/fold.js';
import { holders } from './projections/members/queries.js';
import { messageDocuments } from './projections/messages/fold.js';
import { collections, projections } from './projections/registry.js';
import { startProjections, type Projections } from './projections/runner.js';
import { unreadReads } from './projections/unreadReads.js';
import { userDocuments } from './projections/users/fold.js';
import { user } from './projections/users/queries.js';
import { admitMembers } from './workflows/admitMembers.js';
import { startLeasedWorkflow } from './workflows/leased.js';
import type { Workflow } from './workflows/runner.js';
import { takeDownHighlights } from './workflows/takeDownHighlights.js';

/** A running server. */
export interface Osmium {
  /** Where clients connect. */
  readonly url: string;
  readonly port: number;
  readiness(): Promise<Readiness>;
  /** Answers what is under way, closes clients with 1012, stores what is to be stored. Takes at most a few seconds. */
  close(): Promise<void>;
}

/** What tests put in the place of the real thing. */
export type Overrides = {
  readonly hasher?: PasswordHasher;
  readonly logger?: Logger;
  /** How long a connection may be silent, in milliseconds. */
  readonly idleMillis?: number;
};

/** A user's presence is told to so many of those with whom they talked last. */
const peersMax = 500;

const token = <T>(name: string): InjectionToken<T> => Symbol(name);

const of = {
  config: token<Config>('config'),
  logger: token<Logger>('logger'),
  tracer: token<Tracer>('tracer'),
  metrics: token<Metrics>('metrics'),
  clock: token<Clock>('clock'),
  random: token<Random>('random'),
  ids: token<Ids>('ids'),
  hasher: token<PasswordHasher>('hasher'),
  vault: token<Vault>('vault'),
  sealer: token<Sealer>('sealer'),
  log: token<EventLog>('log'),
  engines: token<Engines>('engines'),
  leases: token<Leases>('leases'),
  nodeNumber: token<NodeNumber>('nodeNumber'),
  documents: token<DocumentStore>('documents'),
  pubSub: token<PubSub>('pubSub'),
  presence: token<Presence>('presence'),
  statuses: token<Statuses>('statuses'),
  rateLimit: token<RateLimit>('rateLimit'),
  codec: token<EventCodec>('codec'),
  streams: token<FoldedStreams>('streams'),
  execute: token<Execute>('execute'),
  names: token<Names>('names'),
  projections: token<Projections>('projections'),
  telling: token<ReturnType<typeof liveTeller>>('telling'),
  gateway: token<Gateway>('gateway'),
  health: token<Health>('health'),
};

type Get = <T>(token: InjectionToken<T>) => T;

/**
 * Starts a server on what the configuration names. Throws when something cannot be opened, after closing what was.
 * What has to be waited for is opened here, in order; the rest is made when it is first needed.
 */
export const startOsmium = async (config: Config, overrides: Overrides = {}): Promise<Osmium> => {
  const container = root.createChildContainer();
  const get: Get = (wanted) => container.resolve(wanted);
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  registerSystem(container, config, overrides);
  registerKernel(container);
  registerGateway(container, overrides);
  try {
    const lock = await lockFolder(config.dataDir);
    opened.push(() => lock.release());
    await open(container, get, opened);
    await follow(container, get, opened);
    const server = await listen(get, opened);
    get(of.logger).info({ host: config.host, port: server.port, dataDir: config.dataDir }, 'ready for clients');
    return { ...server, readiness: get(of.health).readiness, close };
  } catch (error) {
    await close();
    throw error;
  }
};

type Opened = (() => Promise<void>)[];

const open = async (container: DependencyContainer, get: Get, opened: Opened): Promise<void> => {
  const [config, clock, logger, { count, logTroubles }] = [
    get(of.config),
    get(of.clock),
    get(of.logger),
    get(of.metrics),
  ];
  for (const warning of warningsOf(config)) logger.warn(warning);
  const engines = await openEngines({
    config,
    collections,
    clock,
    timers: systemTimers,
    opened: (closeOne) => opened.push(closeOne),
    warn: (message, details = {}) => {
      logger.warn(details, message);
    },
    alarm: (message, error) => {
      alarms(get)(message)({ error });
    },
    count: logTroubles,
  });
  const { vault, log, documents, leases, ephemeral } = engines;
  container.registerInstance(of.engines, engines);
  container.registerInstance(of.vault, vault);
  container.registerInstance(of.sealer, await vaultSealer({ vault, clock, random: get(of.random) }));
  container.registerInstance(of.log, countingAppends(log, count));
  container.registerInstance(of.documents, documents);
  container.registerInstance(of.leases, leases);
  container.registerInstance(of.pubSub, ephemeral.pubSub);
  container.registerInstance(of.presence, ephemeral.presence);
  container.registerInstance(of.rateLimit, ephemeral.rateLimit);

  // The clock may have stepped back since the log was written. Ids must not: clients page by them.
  const [last] = await log.readAll({ direction: 'backwards', limit: 1 });
  const numbered = await nodeNumber({
    leases,
    timers: systemTimers,
    clock,
    after: (last === undefined ? 0 : last.at + idsAheadMillis) as Millis,
    onTrouble: (error) => {
      alarms(get)('the number for ids is in doubt')({ error });
    },
  });
  opened.push(() => numbered.close());
  container.registerInstance(of.nodeNumber, numbered);
};

/** Whatever follows the log: read models, clients, workflows. */
const follow = async (container: DependencyContainer, get: Get, opened: Opened): Promise<void> => {
  const needs = { log: get(of.log), codec: get(of.codec), sealer: get(of.sealer) };
  const alarm = alarms(get);
  const sharing = {
    leases: get(of.leases),
    timers: systemTimers,
    clock: get(of.clock),
    pubSub: get(of.pubSub),
  };
  const running = await startProjections({
    ...needs,
    store: get(of.documents),
    projections,
    clock: get(of.clock),
    ...(isServer(get(of.config).documents) ? { sharing } : {}),
    onAlarm: alarm('a projection has stopped'),
    onTrouble: alarm('the read models cannot go on for now'),
  });
  opened.push(() => running.close());
  container.registerInstance(of.projections, running);

  const working = {
    ...needs,
    ...sharing,
    documents: get(of.documents),
    execute: get(of.execute),
    pause: paused,
    alarm: alarm('a workflow stands still'),
  };
  const started = async <E extends Event>(workflow: Workflow<E>): Promise<void> => {
    const tenancy = await startLeasedWorkflow(workflow, working);
    opened.push(() => tenancy.close());
  };
  await started(admitMembers);
  await started(takeDownHighlights);

  const made = get(of.gateway);
  await made.start();
  get(of.engines).ephemeral.watch(made.presences.changedElsewhere);
  opened.push(() => made.close());
};

const listen = async (get: Get, opened: Opened): Promise<Pick<Osmium, 'url' | 'port'>> => {
  const { host, port, rateLimits } = get(of.config);
  const { sockets, hub } = get(of.gateway);
  if (!rateLimits) get(of.logger).warn('rate limits are off: anybody can ask for as much as they like');
  get(of.metrics).watch({
    connections: sockets.count,
    users: hub.users,
    bufferedBytes: sockets.bufferedBytes,
    lags: get(of.health).lags,
    ...get(of.health).gauges,
  });
  const needs = { host, port, sockets, metrics: get(of.metrics), logger: get(of.logger) };
  const server = await serve({ ...needs, readiness: get(of.health).readiness });
  opened.push(() => server.close());
  const address = host.includes(':') ? `[${host}]` : host;
  return { url: `ws://${address}:${server.port.toString()}/`, port: server.port };
};

const once = <T>(container: DependencyContainer, wanted: InjectionToken<T>, make: (get: Get) => T): void => {
  container.register(wanted, {
    useFactory: instanceCachingFactory((from) => make((inner) => from.resolve(inner))),
  });
};

const registerSystem = (container: DependencyContainer, config: Config, overrides: Overrides): void => {
  container.registerInstance(of.config, config);
  container.registerInstance(of.clock, systemClock);
  once(container, of.logger, () => overrides.logger ?? loggerFor(config));
  once(container, of.tracer, () => trace.getTracer('osmium-server'));
  once(container, of.metrics, metrics);
  once(container, of.random, systemRandom);
  once(container, of.ids, (get) => systemIds(get(of.nodeNumber).next));
  once(container, of.hasher, () => overrides.hasher ?? argon2Hasher());
};

const registerKernel = (container: DependencyContainer): void => {
  once(container, of.codec, (get) => eventCodec(eventKinds, get(of.sealer)));
  once(container, of.streams, (get) =>
    foldedStreams({ log: get(of.log), codec: get(of.codec), sealer: get(of.sealer) }),
  );
  once(container, of.execute, (get) =>
    executor({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      clock: get(of.clock),
      ids: get(of.ids),
      streams: get(of.streams),
    }),
  );
};

const registerGateway = (container: DependencyContainer, { idleMillis }: Overrides): void => {
  once(container, of.names, (get) => uniqueNames({ streams: get(of.streams), sealer: get(of.sealer) }));
  once(container, of.telling, tellingOf);
  once(container, of.health, (get) =>
    health({
      log: get(of.log),
      clock: get(of.clock),
      fanOut: get(of.gateway).fanOut,
      projections: get(of.projections),
      documents: () => get(of.documents).checkpoint('readiness'),
      nodeNumber: get(of.nodeNumber).held,
      aloneBecause: get(of.engines).ephemeral.trouble,
    }),
  );
  once(container, of.statuses, (get) => rememberedStatuses(statusReader(get(of.presence)), get(of.clock)));
  once(container, of.gateway, (get) =>
    gateway({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      execute: get(of.execute),
      ids: get(of.ids),
      clock: get(of.clock),
      pubSub: get(of.pubSub),
      presence: get(of.presence),
      statuses: get(of.statuses),
      limits: get(of.config).rateLimits ? limits(get(of.rateLimit)) : noLimits,
      ...get(of.telling),
      documents: get(of.projections),
      handlers: (live) => handlersOf(get, live),
      isAway,
      passed: newerThanMessages(get(of.nodeNumber)),
      metrics: get(of.metrics),
      logger: get(of.logger),
      tracer: get(of.tracer),
      ...(idleMillis === undefined ? {} : { idleMillis }),
    }),
  );
};

const tellingOf = (get: Get): ReturnType<typeof liveTeller> => {
  const reads = { store: get(of.documents) };
  const statusOf = statusReader(get(of.presence));
  const load: Access['load'] = (community, users) => telling.access.load(community, users);
  const telling: ReturnType<typeof liveTeller> = liveTeller({
    log: get(of.log),
    codec: get(of.codec),
    sealer: get(of.sealer),
    documents: get(of.documents),
    readModels: get(of.projections),
    types: {
      communities: communityDocuments,
      memberships: membershipsDocuments,
      users: userDocuments,
      conversations: conversationDocuments,
      messages: messageDocuments,
    },
    unread: unreadReads(reads),
    peersOf: async (id) => (await conversationsOf(reads, id, { limit: peersMax })).flatMap(({ members }) => members),
    // Of reservations nobody is told.
    updates: {
      ...accountUpdates,
      ...userUpdates(statusOf),
      ...communityUpdates({ load, holders: holdersAsOf(get) }),
      ...memberUpdates({ statusOf, load }),
      ...inviteUpdates,
      ...messageUpdates(get(of.statuses).of),
      ...readUpdates,
    },
    foreseen: membersForeseen,
  });
  return telling;
};

const holdersAsOf =
  (get: Get): CommunityUpdatesNeeds['holders'] =>
  async (role, asOf, limit) => {
    await get(of.projections).reached(asOf, ['members']);
    return (await holders({ store: get(of.documents) }, role, { limit })).map(({ user: holder }) => holder);
  };

const handlersOf = (get: Get, { presences, typing }: Live) => {
  const reads = { store: get(of.documents) };
  const statusOf = statusReader(get(of.presence));
  return handlerTable({
    ids: get(of.ids),
    random: get(of.random),
    vault: get(of.vault),
    hasher: get(of.hasher),
    names: get(of.names),
    streams: get(of.streams),
    presence: get(of.presence),
    access: get(of.telling).access,
    changeStatus: presences.changeStatus,
    userFor: async (id) => {
      const [found, [status]] = await Promise.all([user(reads, id), statusOf([id])]);
      return found && userFor(found, status);
    },
    reads,
    statusOf,
    typing,
  });
};

/** JSON lines; readable ones when somebody is looking. */
const loggerFor = ({ logLevel: level }: Config): Logger =>
  process.stdout.isTTY ? pino({ level }, pretty({ sync: true, ignore: 'pid,hostname' })) : pino({ level });

const alarms =
  (get: Get) =>
  (message: string) =>
  ({ error, position, ...details }: { readonly error: unknown; readonly position?: bigint | undefined }): void => {
    get(of.metrics).count('alarms', 1);
    get(of.logger).error({ err: error, position: position?.toString(), ...details }, message);
  };

/** How far ids may have run ahead of the log's time before the last stop. */
const idsAheadMillis = 1_000;

/** An answer comes after what it answers, whichever node made either and however far their clocks are apart. */
const newerThanMessages =
  ({ saw }: NodeNumber) =>
  ({ stream }: StoredEvent): void => {
    if (stream.startsWith(messagePrefix)) saw(BigInt(stream.slice(messagePrefix.length)));
  };
const messagePrefix = 'message-';

const paused = (millis: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
