import 'reflect-metadata';

import { container as root, type DependencyContainer } from 'tsyringe';
import { lockFolder } from './adapters/dataFolder/lock.js';
import { vaultSealer } from './adapters/sealer/vault.js';
import { systemTimers } from './adapters/system/timers.js';
import { variables, warningsOf, type Config } from './config.js';
import { registerGateway, type GatewayOverrides } from './container/gateway.js';
import { alarms } from './container/logging.js';
import { openNodeNumber } from './container/nodeIds.js';
import { registerKernel, registerSystem, type SystemOverrides } from './container/system.js';
import { ownProjectionsOf } from './container/own/own.js';
import { searchOf } from './container/search.js';
import { startSessionDays } from './container/sessionDays.js';
import { startFileSweep } from './container/files.js';
import { checkScanner } from './container/fileScanner.js';
import { of, once, type Get } from './container/tokens.js';
import { openDeployment } from './container/deployment/open.js';
import { watchDisks } from './container/disks.js';
import { openDoor } from './container/door/open.js';
import { setOf } from './container/generations/set.js';
import { followChosenGeneration } from './container/generations/told.js';
import { startReadModels } from './container/readModels.js';
import { openParts, type OpenedParts } from './container/openParts.js';
import { placedWorkflows } from './container/workflows.js';
import { enginePartsOf, openEngines, type EngineNeeds, type Engines } from './engines.js';
import { countingAppends } from './gateway/operations/metrics.js';
import { serve } from './gateway/sockets/server.js';
import type { Readiness, Report } from './gateway/operations/health.js';
import { serveAdmin } from './gateway/sockets/adminServer.js';
import type { Tenancy } from './kernel/tenure.js';
import { atMost } from './kernel/timing.js';
import { switchableDocuments } from './projections/runner/switchable.js';
import { atPlace, folderPlace, unusable } from './startFailure.js';
import type { AnyWorkflow } from './workflows/registry.js';

/** A running server. */
export interface Osmium {
  /** Where clients connect. */
  readonly url: string;
  readonly port: number;
  /** Of the operator's port, when there is one. */
  readonly adminPort: number | undefined;
  readiness(): Promise<Readiness & Report>;
  /** The Prometheus text format. */
  metrics(): Promise<string>;
  /** Answers what is under way, closes clients with 1012, stores what is to be stored. Takes at most a few seconds. */
  close(): Promise<void>;
  /** Says in the log which part keeps the server from closing. */
  tellLate(this: void): void;
}

/** Parts that tests put in the place of the real ones. */
export type ContainerOverrides = SystemOverrides & GatewayOverrides & EngineOverrides;

type EngineOverrides = {
  /** Puts something between the server and its engines. */
  readonly engines?: (opened: Engines) => Engines;
};

/**
 * Starts a server on the engines that the configuration names. Throws when a part cannot be opened, after closing those
 * that were. Parts that have to be waited for are opened here, in order; the rest is made when it is first needed.
 */
export const startOsmium = async (config: Config, overrides: ContainerOverrides = {}): Promise<Osmium> => {
  const container = root.createChildContainer();
  const get: Get = (wanted) => container.resolve(wanted);
  const opened = openParts({
    timers: systemTimers,
    slow: (closed) => {
      get(of.logger).info(closed, 'a part took long to close');
    },
  });
  const tellLate = (): void => {
    get(of.logger).error(opened.closing() ?? {}, 'the server has not closed in time, and ends without what is left');
  };
  registerSystem(container, config, overrides);
  registerKernel(container);
  registerGateway(container, overrides);
  once(container, of.search, searchOf);
  once(container, of.own, ownProjectionsOf);
  try {
    checkScanner(config);
    const lock = await atPlace(folderPlace(config, config.dataDir), () => lockFolder(config.dataDir));
    opened.add('the lock of the data folder', () => lock.release());
    const door = await openDoor(get);
    opened.add("the operator's door", door.close);
    for (const close of await watchDisks(container, get)) opened.add('the watch of the disks', close);
    await open(container, opened, overrides);
    await follow(container, get, opened);
    opened.add('the search', () => get(of.search).close());
    opened.add("the operator's own projections", () => get(of.own).close());
    const server = await listen(get, opened);
    door.begin();
    opened.add("writes through the operator's door", door.end);
    get(of.search).begin();
    get(of.own).begin();
    const { port, adminPort } = server;
    get(of.logger).info({ host: config.host, port, adminPort, dataDir: config.dataDir }, 'ready for clients');
    return {
      ...server,
      readiness: get(of.health).readiness,
      metrics: () => get(of.metrics).text(),
      close: opened.close,
      tellLate,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

const open = async (
  container: DependencyContainer,
  opened: OpenedParts,
  overrides: ContainerOverrides,
): Promise<void> => {
  const get: Get = (wanted) => container.resolve(wanted);
  const [config, clock, logger, { count, logTroubles }] = [
    get(of.config),
    get(of.clock),
    get(of.logger),
    get(of.metrics),
  ];
  for (const warning of warningsOf(config)) logger.warn(warning);
  const alarm = alarms(get);
  const needs: EngineNeeds = {
    config,
    collections: get(of.readModels).collections,
    set: setOf(get(of.readModels)),
    clock,
    timers: systemTimers,
    opened: takenBy(opened),
    warn: (message, details = {}) => {
      logger.warn(details, message);
    },
    alarm: (message, error) => {
      alarm(message)({ error });
    },
    servers: 'awaited',
    outages: get(of.outages),
    count: logTroubles,
  };
  opened.add('the reports of outages', () => {
    get(of.outages).close();
    return Promise.resolve();
  });
  const parts = enginePartsOf(needs);
  const deployed = await openDeployment({ ...needs, parts });
  const real = await openEngines(needs, deployed);
  const engines = overrides.engines?.(real) ?? real;
  const { vault, log, documents, leases, ephemeral, blobs } = engines;
  container.registerInstance(of.parts, parts);
  container.registerInstance(of.deployed, deployed);
  container.registerInstance(of.engines, engines);
  container.registerInstance(of.vault, vault);
  const { givenUpTo } = deployed;
  const sealer = await vaultSealer({ vault, timers: systemTimers, random: get(of.random), givenUpTo });
  container.registerInstance(of.sealer, overrides.sealer?.(sealer) ?? sealer);
  container.registerInstance(of.log, get(of.unfolded).noting(countingAppends(log, count)));
  const switchable = switchableDocuments(documents);
  container.registerInstance(of.switchable, switchable);
  container.registerInstance(of.documents, switchable.documents);
  container.registerInstance(of.leases, leases);
  container.registerInstance(of.pubSub, ephemeral.pubSub);
  container.registerInstance(of.presence, ephemeral.presence);
  container.registerInstance(of.rateLimit, ephemeral.rateLimit);
  container.registerInstance(of.blobs, blobs);

  const numbered = await openNodeNumber(get);
  opened.add('the number of this node', () => numbered.close());
  container.registerInstance(of.nodeNumber, numbered);
};

const takenBy =
  ({ add }: OpenedParts): EngineNeeds['opened'] =>
  (close, part = 'an engine') => {
    add(part, close);
  };

/** The parts that follow the log: read models, clients, workflows. */
const follow = async (container: DependencyContainer, get: Get, opened: OpenedParts): Promise<void> => {
  const { served, generations, startWorkflows } = await startReadModels(get);
  opened.add('the read models', generations.close);
  container.registerInstance(of.projections, served);
  container.registerInstance(of.generations, generations);
  const catchUp = async (): Promise<void> => {
    const end = await get(of.log).end();
    for (const { projections } of generations.all()) await projections.reached(end);
  };
  await atMost(catchUpMillisMax, catchUp(), systemTimers);
  // The last count is written while the read models still follow, so that they hold the whole log after a stop.
  opened.add('the last count of keys', () =>
    atMost(catchUpMillisMax, get(of.deployed).countNow().then(catchUp), systemTimers),
  );

  const made = get(of.gateway);
  // Previews that are stored at a stop need both for their pictures.
  opened.add('the reader of pictures', () => get(of.pictures).close());
  opened.add('the scanner of files', async () => get(of.fileScanner)?.close());
  const workflows = await placedWorkflows(get);
  const startAll = async (some: readonly AnyWorkflow[]): Promise<void> => {
    const started: Tenancy[] = [];
    // Each gives a lease back, which are two questions to a server or more, and none waits for another.
    opened.add('the workflows', async () => {
      await Promise.all(started.map((tenancy) => tenancy.close()));
    });
    for (const workflow of some) started.push(await workflows.start(workflow));
  };
  await startAll(workflows.ofAnyLog);
  await startWorkflows();
  opened.add('the fetching of previews', workflows.stopFetching);
  opened.add('the report of sign-ins', () => {
    get(of.signInReport).close();
    return Promise.resolve();
  });
  await made.start();
  await startAll(workflows.ofSharedLog);
  get(of.engines).ephemeral.watch(made.presences.changedElsewhere);
  opened.add('the gateway', () => made.close());
  const sessionDays = await startSessionDays(get);
  opened.add('the days of sessions', sessionDays.close);
  const fileSweep = await startFileSweep(get);
  opened.add('the sweep of files', () => fileSweep.close());
  opened.add(
    'the choice of a generation',
    await followChosenGeneration(get, {
      set: get(of.deployed).generation.set,
      live: generations,
      generations: get(of.parts).documents.generations,
    }),
  );
};

/**
 * Starting and stopping wait no longer than this for the read models: a server that has little to catch up with is ready once it
 * says so, and without the last count a vault that is a little older is not noticed.
 */
const catchUpMillisMax = 1_000;

const listen = async (get: Get, opened: OpenedParts): Promise<Pick<Osmium, 'url' | 'port' | 'adminPort'>> => {
  const { host, port, origins, trustedProxies, rateLimits, signedOutPerAddress } = get(of.config);
  const { sockets, hub } = get(of.gateway);
  if (!rateLimits) get(of.logger).warn('rate limits are off: anybody can ask for as much as they like');
  get(of.metrics).watch({
    connections: sockets.count,
    signedOut: sockets.signedOut,
    users: hub.users,
    bufferedBytes: sockets.bufferedBytes,
    receivedBytes: sockets.receivedBytes,
    lags: get(of.health).lags,
    freeDiskBytes: get(of.freeDisk).freeBytes,
    mayBuild: get(of.freeDisk).mayBuild,
    ...get(of.health).gauges,
  });
  const adminPort = await listenForOperator(get, opened);
  const needs = { host, port, origins, trustedProxies, sockets, logger: get(of.logger), web: get(of.web) };
  const bounds = { httpPerAddressMax: rateLimits ? signedOutPerAddress : Infinity, reached: get(of.metrics).reached };
  const server = await serve({ ...needs, ...bounds, readiness: get(of.health).readiness });
  opened.add('the connections of clients', () => server.close());
  const address = host.includes(':') ? `[${host}]` : host;
  return { url: `ws://${address}:${server.port.toString()}/`, port: server.port, adminPort };
};

/** `undefined` when the configuration wants no such port. An address that cannot be listened on names its variable. */
const listenForOperator = async (get: Get, opened: OpenedParts): Promise<number | undefined> => {
  const { adminHost: host, adminPort: port } = get(of.config);
  if (port === undefined) return undefined;
  try {
    const server = await serveAdmin({ host, port, metrics: get(of.metrics), readiness: get(of.health).readiness });
    opened.add("the operator's port", () => server.close());
    return server.port;
  } catch (error) {
    const isPort =
      error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
    const [{ name: variable }, value] = isPort ? [variables.adminPort, port.toString()] : [variables.adminHost, host];
    throw unusable({ variable, value, where: value }, error);
  }
};
