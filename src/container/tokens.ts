import 'reflect-metadata';

import type { Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { instanceCachingFactory, type DependencyContainer, type InjectionToken } from 'tsyringe';
import type { Config } from '../config.js';
import type { Deployed } from './deployment/open.js';
import type { EngineKind, EngineParts, Engines } from '../engines.js';
import type { Gateway } from '../gateway/gateway.js';
import type { FileStore } from '../gateway/files/fileStore.js';
import type { FreeDisk } from '../gateway/operations/freeDisk.js';
import type { Health } from '../gateway/operations/health.js';
import type { Metrics } from '../gateway/operations/metrics.js';
import type { DayCount } from '../gateway/access/dayCount.js';
import type { SessionUses } from '../gateway/access/sessionUses.js';
import type { UniqueNames } from '../gateway/access/uniqueNames.js';
import type { SignInGuard } from '../gateway/contract/signInGuard.js';
import type { SignInReport } from '../gateway/requests/signInReport.js';
import type { Admission } from '../gateway/requests/admission.js';
import type { WebRoutes } from '../gateway/sockets/server.js';
import type { Statuses } from '../gateway/presence/statuses.js';
import type { liveUpdateRenderer } from '../gateway/updates/updateRenderer.js';
import type { CheckedClock } from '../kernel/checkedClock.js';
import type { EventCodec } from '../kernel/codec.js';
import type { Execute } from '../kernel/execute.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import type { NodeNumber } from '../kernel/nodeNumber.js';
import type { Outages } from '../kernel/outages.js';
import type { FileRemovals } from '../gateway/files/removals.js';
import type { Blobs } from '../kernel/ports/blobs.js';
import type { DocumentStore } from '../kernel/ports/documentStore.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import type { FileScanner } from '../kernel/ports/fileScanner.js';
import type { LinkPreviews } from '../kernel/ports/linkPreviews.js';
import type { Leases, Timers } from '../kernel/ports/leases.js';
import type { Pictures } from '../kernel/ports/pictures.js';
import type { Presence } from '../kernel/ports/presence.js';
import type { PubSub } from '../kernel/ports/pubSub.js';
import type { RateLimit } from '../kernel/ports/rateLimit.js';
import type { Sealer } from '../kernel/ports/sealer.js';
import type { CommonPasswords, Disk, Ids, PasswordHasher, Random } from '../kernel/ports/system.js';
import type { Vault } from '../kernel/ports/vault.js';
import type { FollowingJudge } from '../gateway/updates/judge.js';
import type { UnfoldedAppends } from '../gateway/access/unfoldedAppends.js';
import type { OpenDocuments } from '../projections/reading/openDocuments.js';
import type { openedDocuments, ReadableDocuments } from '../projections/reading/openedDocuments.js';
import type { DeclaredReadModels } from '../projections/registry.js';
import type { Search } from './servedSearch.js';
import type { OwnProjections } from './own/servedOwn.js';
import type { SwitchableDocuments } from '../projections/runner/switchable.js';
import type { LiveGenerations } from './generations/live.js';
import type { ServedReadModels } from './servedReadModels.js';

const token = <T>(name: string): InjectionToken<T> => Symbol(name);

/** All that can be asked for. */
export const of = {
  config: token<Config>('config'),
  logger: token<Logger>('logger'),
  tracer: token<Tracer>('tracer'),
  metrics: token<Metrics>('metrics'),
  outages: token<Outages<EngineKind>>('outages'),
  /** Wall-clock time, put right by the store of leases where there is one. */
  clock: token<CheckedClock>('clock'),
  uptime: token<Pick<Timers, 'now'>>('uptime'),
  random: token<Random>('random'),
  ids: token<Ids>('ids'),
  hasher: token<PasswordHasher>('hasher'),
  commonPasswords: token<CommonPasswords>('commonPasswords'),
  disk: token<Disk>('disk'),
  /** Of the data folder. */
  freeDisk: token<FreeDisk>('freeDisk'),
  /** Of the folder of files, which may be a volume of its own. */
  fileDisk: token<FreeDisk>('fileDisk'),
  admission: token<Admission>('admission'),
  vault: token<Vault>('vault'),
  sealer: token<Sealer>('sealer'),
  log: token<EventLog>('log'),
  unfolded: token<UnfoldedAppends>('unfolded'),
  /** Undefined where no other node shares the log. */
  judge: token<FollowingJudge | undefined>('judge'),
  deployed: token<Deployed>('deployed'),
  parts: token<EngineParts>('parts'),
  engines: token<Engines>('engines'),
  leases: token<Leases>('leases'),
  nodeNumber: token<NodeNumber>('nodeNumber'),
  /** As they are stored, with sealed fields. */
  documents: token<DocumentStore>('documents'),
  switchable: token<SwitchableDocuments>('switchable'),
  /** As they are read. */
  opened: token<ReturnType<typeof openedDocuments>>('opened'),
  /** Kept open in memory. */
  openDocuments: token<OpenDocuments>('openDocuments'),
  reads: token<ReadableDocuments>('reads'),
  pubSub: token<PubSub>('pubSub'),
  presence: token<Presence>('presence'),
  statuses: token<Statuses>('statuses'),
  rateLimit: token<RateLimit>('rateLimit'),
  blobs: token<Blobs>('blobs'),
  pictures: token<Pictures>('pictures'),
  /** Absent where everything passes. */
  fileScanner: token<FileScanner | undefined>('fileScanner'),
  fileRemovals: token<FileRemovals>('fileRemovals'),
  linkPreviews: token<LinkPreviews>('linkPreviews'),
  files: token<FileStore>('files'),
  guard: token<SignInGuard>('guard'),
  web: token<WebRoutes>('web'),
  codec: token<EventCodec>('codec'),
  streams: token<FoldedStreams>('streams'),
  execute: token<Execute>('execute'),
  names: token<UniqueNames>('names'),
  days: token<DayCount>('days'),
  sessionUses: token<SessionUses>('sessionUses'),
  signInReport: token<SignInReport>('signInReport'),
  readModels: token<DeclaredReadModels>('readModels'),
  projections: token<ServedReadModels>('projections'),
  search: token<Search>('search'),
  own: token<OwnProjections>('own'),
  generations: token<LiveGenerations>('generations'),
  liveRenderer: token<ReturnType<typeof liveUpdateRenderer>>('liveRenderer'),
  gateway: token<Gateway>('gateway'),
  health: token<Health>('health'),
};

export type Get = <T>(token: InjectionToken<T>) => T;

/** For what is made after those who need it, and asked for with every request: found once. */
export const foundOnce = <T>(find: () => T): (() => T) => {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: find() }).value;
};

/** Made when it is first asked for. */
export const once = <T>(container: DependencyContainer, wanted: InjectionToken<T>, make: (get: Get) => T): void => {
  container.register(wanted, {
    useFactory: instanceCachingFactory((from) => make((inner) => from.resolve(inner))),
  });
};
