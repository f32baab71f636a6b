import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blobWorksAtOnceMax, fileBlobs, withoutUnfinished } from './adapters/blobs/files.js';
import { fileIdMark } from './adapters/dataFolder/idMark.js';
import { dataFolderNames } from './adapters/dataFolder/modes.js';
import { lmdbGenerationKinds, lmdbGenerations } from './adapters/documents/lmdbGenerations.js';
import { isTransient } from './adapters/documents/mongo/errors.js';
import { mongoGenerationKinds, mongoGenerations } from './adapters/documents/mongoGenerations.js';
import { fileWorkflowCheckpoints } from './adapters/documents/workflowCheckpoints/files.js';
import { mongoWorkflowCheckpoints } from './adapters/documents/workflowCheckpoints/mongo.js';
import { LogUnreachable, OutcomeUnknown } from './adapters/eventLog/eventStoreDb/unreachable.js';
import { hasLmdbLog, lmdbEventLog } from './adapters/eventLog/lmdb.js';
import { localLeases } from './adapters/leases/local.js';
import { mongoLeases } from './adapters/leases/mongo.js';
import { localPresence } from './adapters/presence/local.js';
import { presenceFile } from './adapters/presence/presenceFile.js';
import { redisPresence } from './adapters/presence/redis.js';
import { localPubSub } from './adapters/pubsub/local.js';
import { redisPubSub } from './adapters/pubsub/redis.js';
import { sealedPubSub } from './adapters/pubsub/sealed.js';
import { localRateLimit } from './adapters/rateLimit/local.js';
import { redisRateLimit } from './adapters/rateLimit/redis.js';
import type { RedisClient, RedisStatus } from './adapters/redis/client.js';
import { lookupHashIn } from './adapters/sealer/lookupHash.js';
import { systemRandom } from './adapters/system/random.js';
import { threadPoolSize } from './adapters/system/threadPool.js';
import { RedisAway } from './adapters/redis/pipeline.js';
import { presenceSeal } from './adapters/sealer/presenceSeal.js';
import { lmdbVault } from './adapters/vault/lmdb.js';
import { hasLmdbVault } from './adapters/vault/lmdbFiles.js';
import { loadMasterKey } from './adapters/vault/masterKey.js';
import { hasMongoVault, mongoVault } from './adapters/vault/mongo.js';
import { WrongMasterKey } from './adapters/vault/wrapping.js';
import { BadConfig, isServer, withoutSecrets, type Config, type ServerAddress } from './config.js';
import { untilReached } from './engineStart.js';
import { atPlace, folderPlace, refusalOf, unusable, type EnginePlace } from './startFailure.js';
import { dropAll, ensuredGeneration, witnessIn, type Witness } from './kernel/generations.js';
import { BlobsAway, type Blobs } from './kernel/ports/blobs.js';
import type { CollectionSpec, DocumentStore } from './kernel/ports/documentStore.js';
import type { EventLog } from './kernel/ports/eventLog.js';
import type { Generation, Generations, GenerationSet } from './kernel/ports/generations.js';
import type { UserId } from './kernel/ids.js';
import type { Leases, Timers } from './kernel/ports/leases.js';
import type { Presence } from './kernel/ports/presence.js';
import type { PubSub } from './kernel/ports/pubSub.js';
import type { RateLimit } from './kernel/ports/rateLimit.js';
import type { Clock } from './kernel/ports/system.js';
import type { Outages } from './kernel/outages.js';
import type { Vault } from './kernel/ports/vault.js';
import type { WorkflowCheckpoints } from './kernel/ports/workflowCheckpoints.js';

/** The engines that the configuration names, open. */
export type Engines = {
  readonly log: EventLog;
  readonly documents: DocumentStore;
  readonly vault: Vault;
  readonly leases: Leases;
  readonly workflows: WorkflowCheckpoints;
  readonly ephemeral: Ephemeral;
  readonly blobs: Blobs;
};

/** Engines for passing messages and states, which a node can do without. */
export type Ephemeral = {
  readonly pubSub: PubSub;
  readonly presence: Presence;
  readonly rateLimit: RateLimit;
  /** Hears of users whose presence has changed without anybody saying so, because their node died. */
  readonly watch: (listener: (users: readonly UserId[]) => Promise<void>) => void;
  /** Why nodes hear nothing of each other at the moment; undefined while they do, or when there are no others. */
  readonly trouble: () => string | undefined;
};

export type EngineNeeds = {
  readonly config: Config;
  readonly collections: readonly CollectionSpec[];
  /** To which the collections belong. */
  readonly set: GenerationSet;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes what is to be closed in the end, in the order of opening, with its name for the log. */
  readonly opened: (close: () => Promise<void>, part?: string) => void;
  readonly warn: (message: string, details?: object) => void;
  /** Whether a server that cannot be reached is waited for, or ends the opening. */
  readonly servers: 'awaited' | 'demanded';
  /** Something that a person has to look at. */
  readonly alarm: (message: string, error: unknown) => void;
  /** Takes what fails for now and is tried again and again. */
  readonly outages: Pick<Outages<EngineKind>, 'know' | 'failed'>;
  readonly count: (what: string, by: number) => void;
};

/** Where everything embedded is, below the data folder. */
export type Folders = {
  readonly log: string;
  readonly documents: string;
  /** The index of messages by their words. */
  readonly search: string;
  /** A folder for each projection of the operator's own. */
  readonly own: string;
  /** Which documents serve, and how far the workflows are. */
  readonly state: string;
  readonly vault: string;
  /** A file, used unless another one is configured. */
  readonly masterKey: string;
  /** A file: the time up to which ids may go. */
  readonly idMark: string;
  /** A file, while no server runs: the users who were there when it stopped. */
  readonly presence: string;
  /** The bytes of files, sealed. */
  readonly files: string;
};
export const foldersIn = (dataDir: string): Folders => ({
  log: join(dataDir, dataFolderNames.log),
  documents: join(dataDir, dataFolderNames.documents),
  search: join(dataDir, dataFolderNames.search),
  own: join(dataDir, dataFolderNames.own),
  state: join(dataDir, dataFolderNames.state),
  vault: join(dataDir, dataFolderNames.vault),
  masterKey: join(dataDir, dataFolderNames.masterKey),
  idMark: join(dataDir, dataFolderNames.idMark),
  presence: join(dataDir, dataFolderNames.presence),
  files: join(dataDir, dataFolderNames.files),
});

/** The vault, the log or the read models, which belong together, before and after they are open. */
export interface EnginePart<T> {
  /** For messages: where the part is, and the variable that says so. */
  readonly place: EnginePlace;
  /** Whether there is something that opening would find. Makes nothing. */
  isThere(): Promise<boolean>;
  /** Once; the second call gives what the first one opened. Throws when it cannot be opened. */
  open(): Promise<T>;
  /** Copies what it opened, as of one moment, into a folder. Absent where a server of its own keeps the part. */
  readonly copyTo?: (folder: string) => Promise<void>;
}

/** The generation that serves here, with its documents, open. */
export type ServedDocuments = {
  readonly generation: Generation;
  readonly store: DocumentStore;
  close(): Promise<void>;
};

/** Opening makes the first generation of the own set when there is none. */
export interface DocumentsPart extends EnginePart<ServedDocuments> {
  readonly generations: Generations;
  /** Shows a work whose documents are there, before any are opened; undefined where there are none. */
  witness<T>(work: (witness: Witness) => Promise<T>): Promise<T | undefined>;
  /** Drops all documents, with their checkpoints. To be called before they are opened. */
  clear(): Promise<void>;
}

/** Opening it makes nothing. */
export type FilesPart = Pick<EnginePart<Blobs>, 'place' | 'open'> & {
  /** Says whose it is. One in the data folder does not: it goes wherever its log goes. */
  readonly isMarked: boolean;
};

export type EngineParts = {
  readonly vault: EnginePart<Vault>;
  readonly log: EnginePart<EventLog>;
  readonly documents: DocumentsPart;
  readonly files: FilesPart;
};

/** Nothing is opened, and nothing made, until it is asked for. */
export const enginePartsOf = (needs: EngineNeeds): EngineParts => ({
  vault: vaultPart(needs),
  log: logPart(needs),
  documents: documentsPart(needs),
  files: filesPart(needs),
});

/** Opens what stands beside the parts. Throws when one of them cannot be opened; those before it are closed by who asked. */
export const openEngines = async (
  needs: EngineNeeds,
  parts: Pick<Engines, 'vault' | 'log' | 'documents' | 'blobs'> & { readonly deployment: string },
): Promise<Engines> => {
  const leases = await openLeases(needs);
  needs.opened(() => leases.close(), 'the leases');
  const workflows = await openWorkflowCheckpoints(needs);
  needs.opened(() => workflows.close(), 'the checkpoints of workflows');
  return { ...parts, leases, workflows, ephemeral: await openEphemeral(needs, parts) };
};

const openWorkflowCheckpoints = async (needs: EngineNeeds): Promise<WorkflowCheckpoints> => {
  const { documents, dataDir } = needs.config;
  return isServer(documents)
    ? named(needs, { variable: 'OSMIUM_DOCUMENTS', ...documents }, () => mongoWorkflowCheckpoints(documents))
    : fileWorkflowCheckpoints(foldersIn(dataDir).state);
};

/** The folder of files; undefined where they are in a bucket. */
export const fileFolderOf = (config: Config): string | undefined => {
  const place = placeOfFiles(config);
  return 'folder' in place ? place.folder : undefined;
};

const placeOfFiles = ({ blobs, dataDir }: Config): { readonly folder: string } | { readonly bucket: ServerAddress } => {
  if (!isServer(blobs)) return { folder: foldersIn(dataDir).files };
  return blobs.url.startsWith('s3:') ? { bucket: blobs } : { folder: fileURLToPath(blobs.url) };
};

/** Whether one of the engines failed in a way that passes. */
export const isAway = (error: unknown): boolean =>
  isTransient(error) ||
  error instanceof LogUnreachable ||
  error instanceof OutcomeUnknown ||
  error instanceof BlobsAway;

/** The engines that may be away. A vault on a server counts as its documents, because both are of one kind. */
export type EngineKind = 'log' | 'documents' | 'pubSub';

/** The engine whose absence explains the error, or one of its causes. */
export const engineKindOf = (error: unknown): EngineKind | undefined => {
  if (error instanceof LogUnreachable || error instanceof OutcomeUnknown) return 'log';
  if (error instanceof RedisAway) return 'pubSub';
  if (isTransient(error)) return 'documents';
  return error instanceof Error && error.cause !== undefined ? engineKindOf(error.cause) : undefined;
};

/** Drivers do not know which of several addresses is theirs, and their messages may hold it with its password. */
const named = async <T>(
  { servers, warn }: Pick<EngineNeeds, 'servers' | 'warn'>,
  { variable, url }: { readonly variable: string; readonly url: string },
  open: () => Promise<T>,
): Promise<T> => {
  try {
    return await (servers === 'demanded' ? open() : untilReached({ variable, url, passes: isAway, tell: warn }, open));
  } catch (error) {
    if (error instanceof BadConfig) throw error;
    const refusal = refusalOf(error);
    const cause = refusal === undefined ? error : new Error(`${withoutSecrets(url)}: ${refusal}`, { cause: error });
    throw new EngineUnavailable(variable, cause);
  }
};

/** One of the engines could not be opened. */
export class EngineUnavailable extends Error {
  constructor(variable: string, cause: unknown) {
    super(`${variable}: ${cause instanceof Error ? cause.message.replace(/:\/\/\S*@/g, '://…@') : String(cause)}`);
    this.name = 'EngineUnavailable';
    if (cause instanceof Error && cause.stack !== undefined) this.stack = cause.stack.replace(/:\/\/\S*@/g, '://…@');
  }
}

const vaultPart = (needs: EngineNeeds): EnginePart<Vault> => {
  const { config, opened } = needs;
  const { vault, dataDir } = config;
  const { vault: folder } = foldersIn(dataDir);
  if (!isServer(vault)) {
    const place = folderPlace(config, folder);
    const open = once(called(opened, 'the vault'), () =>
      atPlace(place, () => underKey(needs, (masterKey) => lmdbVault({ folder, masterKey }))),
    );
    const isThere = (): Promise<boolean> => atPlace(place, () => hasLmdbVault(folder));
    return { place, isThere, open, copyTo: async (target) => (await open()).copyTo(target) };
  }
  const variable = vault === config.documents ? 'OSMIUM_DOCUMENTS' : 'OSMIUM_VAULT';
  const place = served(variable, vault);
  return {
    place,
    isThere: () => named(needs, { variable, ...vault }, () => hasMongoVault(vault)),
    open: once(called(opened, 'the vault'), () =>
      named(needs, { variable, ...vault }, () => underKey(needs, (masterKey) => mongoVault({ ...vault, masterKey }))),
    ),
  };
};

/** The file of the master key, made or not. */
export const masterKeyFileOf = ({ masterKeyFile, dataDir }: Config): string =>
  masterKeyFile ?? foldersIn(dataDir).masterKey;

const masterKeyOf = async ({ config, warn }: EngineNeeds): Promise<Uint8Array> => {
  const folders = foldersIn(config.dataDir);
  const file = masterKeyFileOf(config);
  // A key that one node makes for itself would be another one on each.
  const mayMake = !isServer(config.vault) && !hasLmdbVault(folders.vault);
  const { key, made, warning } = await atPlace(keyPlace(config), () => loadMasterKey(file, { mayMake }));
  if (made) warn('made a master key: back it up, apart from the data', { file });
  if (warning !== undefined) warn(warning);
  return key;
};

/** A vault that does not open under the key is no fault of the vault's place. */
const underKey = async <V extends Vault>(
  needs: EngineNeeds,
  open: (masterKey: Uint8Array) => Promise<V>,
): Promise<V> => {
  const masterKey = await masterKeyOf(needs);
  try {
    return await open(masterKey);
  } catch (error) {
    throw error instanceof WrongMasterKey ? unusable(keyPlace(needs.config), error) : error;
  } finally {
    masterKey.fill(0);
  }
};

const keyPlace = (config: Config): EnginePlace =>
  config.masterKeyFile === undefined
    ? folderPlace(config, foldersIn(config.dataDir).masterKey)
    : { variable: 'OSMIUM_MASTER_KEY_FILE', value: config.masterKeyFile, where: config.masterKeyFile };

const logPart = (needs: EngineNeeds): EnginePart<EventLog> => {
  const { config, clock, count, outages, opened } = needs;
  const { eventLog, dataDir } = config;
  if (!isServer(eventLog)) {
    const { log: folder } = foldersIn(dataDir);
    const place = folderPlace(config, folder);
    const open = once(called(opened, 'the log'), () =>
      atPlace(place, () => lmdbEventLog({ folder, now: () => clock.now() })),
    );
    const isThere = (): Promise<boolean> => atPlace(place, () => hasLmdbLog(folder));
    return { place, isThere, open, copyTo: async (target) => (await open()).copyTo(target) };
  }
  let isOpen = false;
  const open = async (): Promise<EventLog> => {
    // Its client takes a seventh of the time of a start, so those without EventStoreDB do not load it.
    const { eventStoreDbEventLog } = await import('./adapters/eventLog/eventStoreDb.js');
    return eventStoreDbEventLog({
      connectionString: eventLog.url,
      openingMillis,
      count,
      alarmFailures: outageFailuresMin,
      alarm: (trouble) => {
        // Before that the start says itself what it waits for.
        if (isOpen) outages.failed(trouble, 'log');
      },
    });
  };
  const part = {
    place: served('OSMIUM_EVENT_LOG', eventLog),
    // Opening it makes nothing, and shows whether it is empty.
    isThere: () => Promise.resolve(true),
    open: once(called(opened, 'the log'), async () => {
      const log = await named(needs, { variable: 'OSMIUM_EVENT_LOG', ...eventLog }, open);
      isOpen = true;
      return log;
    }),
  };
  const isBack = async (): Promise<unknown> => (await part.open()).end();
  outages.know('log', { name: 'EventStoreDB', address: part.place.where, isBack });
  return part;
};

/** A call of the log that fails once or twice in a row is that of a server that changes its leader. */
const outageFailuresMin = 3;

/** One try to open the log; those after it are seen to here. */
const openingMillis = 1_000;

const documentsPart = (needs: EngineNeeds): DocumentsPart => {
  const { config, collections, set, outages, opened } = needs;
  const { documents, dataDir } = config;
  const { documents: folder } = foldersIn(dataDir);
  const place = isServer(documents) ? served('OSMIUM_DOCUMENTS', documents) : folderPlace(config, folder);
  const generations = generationsOf(config);
  const at = <T>(work: () => Promise<T>): Promise<T> =>
    isServer(documents) ? named(needs, { variable: place.variable, ...documents }, work) : atPlace(place, work);
  const open = async (): Promise<ServedDocuments> => {
    const generation = await ensuredGeneration(generations, set);
    const store = await openDocuments(generations.documents(generation), collections);
    return { generation, store, close: () => store.close() };
  };
  const shown = async <T>(work: (witness: Witness) => Promise<T>): Promise<T | undefined> => {
    const witness = await witnessIn(generations, set.name);
    if (witness === undefined) return undefined;
    try {
      return await work(witness);
    } finally {
      await witness.documents.close();
    }
  };
  const openOnce = once(called(opened, 'the documents'), () => at(open));
  if (isServer(documents)) {
    const isBack = async (): Promise<unknown> => (await openOnce()).store.owner();
    outages.know('documents', { name: 'MongoDB', address: place.where, isBack });
  }
  return {
    place,
    generations,
    witness: (work) => at(() => shown(work)),
    isThere: async () => (await at(() => shown(() => Promise.resolve(true)))) ?? false,
    clear: () => at(() => dropAll(generations)),
    open: openOnce,
  };
};

/** A bucket that does not answer is waited for. */
const filesPart = (needs: EngineNeeds): FilesPart => {
  const { config, clock, opened } = needs;
  const { blobs } = config;
  const variable = 'OSMIUM_BLOBS';
  const where = placeOfFiles(config);
  if ('bucket' in where) {
    const { bucket } = where;
    const open = async (): Promise<Blobs> => {
      const { s3Blobs } = await import('./adapters/blobs/s3.js');
      return named(needs, { variable, ...bucket }, () => s3Blobs(bucket));
    };
    return { place: served(variable, bucket), isMarked: true, open: once(called(opened, 'the store of files'), open) };
  }
  const { folder } = where;
  const place = isServer(blobs) ? { variable, value: blobs.url, where: folder } : folderPlace(config, folder);
  const open = async (): Promise<Blobs> => {
    await atPlace(place, () => withoutUnfinished(folder, clock.now()));
    return fileBlobs(folder, blobWorksAtOnceMax(threadPoolSize(process.env)));
  };
  return { place, isMarked: isServer(blobs), open: once(called(opened, 'the store of files'), open) };
};

/** All that are where the configuration has the documents. Nothing is opened, and nothing made, until it is asked for. */
export const generationsOf = ({ documents, dataDir }: Config): Generations =>
  isServer(documents) ? mongoGenerations(documents) : lmdbGenerations(foldersIn(dataDir));

/** Generations of the search index, beside those of the documents: they are built and dropped by themselves. */
export const searchGenerationsOf = ({ documents, dataDir }: Config): Generations => {
  if (isServer(documents)) return mongoGenerations({ ...documents, kind: 'search' });
  const { search } = foldersIn(dataDir);
  return lmdbGenerations({ documents: search, state: search });
};

/** Those of one projection of the operator's own, which is built and dropped by itself as well. */
export const ownGenerationsOf = ({ documents, dataDir }: Config, module: string): Generations => {
  if (isServer(documents)) return mongoGenerations({ ...documents, kind: `own.${module}` });
  const folder = join(foldersIn(dataDir).own, module);
  return lmdbGenerations({ documents: folder, state: folder });
};

/** The names of projections of the operator's own of which there are generations. Makes nothing. */
export const ownNamesIn = ({ documents, dataDir }: Config): Promise<readonly string[]> =>
  isServer(documents) ? mongoGenerationKinds(documents, 'own.') : lmdbGenerationKinds(foldersIn(dataDir).own);

/** A store that did not open is closed. */
export const openDocuments = async (
  store: DocumentStore,
  collections: readonly CollectionSpec[],
): Promise<DocumentStore> => {
  try {
    await store.open(collections);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
};

const called =
  (opened: EngineNeeds['opened'], part: string): EngineNeeds['opened'] =>
  (close) => {
    opened(close, part);
  };

/** Opens a thing at the first call, and sees to its closing. */
const once = <T extends { close(): Promise<void> }>(
  opened: EngineNeeds['opened'],
  open: () => Promise<T>,
): (() => Promise<T>) => {
  let opening: Promise<T> | undefined;
  return () =>
    (opening ??= open().then((engine) => {
      opened(() => engine.close());
      return engine;
    }));
};

const served = (variable: string, { url }: ServerAddress): EnginePlace => {
  const value = withoutSecrets(url);
  return { variable, value, where: value };
};

/** Where the documents are. Throws when it cannot be reached. */
export const openLeases = async (
  needs: Pick<EngineNeeds, 'config' | 'timers' | 'servers' | 'warn'>,
): Promise<Leases> => {
  const { config, timers } = needs;
  const { documents, dataDir } = config;
  if (isServer(documents)) {
    return named(needs, { variable: 'OSMIUM_DOCUMENTS', ...documents }, () => mongoLeases({ ...documents, timers }));
  }
  const { idMark } = foldersIn(dataDir);
  return atPlace(folderPlace(config, idMark), () => localLeases(fileIdMark(idMark)));
};

const openEphemeral = async (
  needs: EngineNeeds,
  { vault, deployment }: Pick<Engines, 'vault'> & { readonly deployment: string },
): Promise<Ephemeral> => {
  const { config, clock, timers, alarm, outages, opened } = needs;
  const onListenerError = (error: unknown): void => {
    outages.failed({ doing: 'hearing messages of other nodes', error });
  };
  if (!isServer(config.pubSub)) {
    const file = presenceFile(foldersIn(config.dataDir).presence, await presenceSeal(vault));
    const onError = (err: unknown): void => {
      alarm('presence is not handed on from one run of the server to the next', err);
    };
    const saved = (await file.take().catch(onError)) ?? undefined;
    const presence = localPresence({ timers, clock, saved, save: file.save, onError });
    const { watch } = presence;
    const pubSub = localPubSub({ onListenerError });
    return kept({ pubSub, presence, rateLimit: localRateLimit({ timers }), watch, trouble: () => undefined }, opened);
  }
  const onStatus = ({ trouble }: RedisStatus): void => {
    if (trouble !== undefined) {
      outages.failed({ doing: 'hearing of other nodes', error: new RedisAway(trouble.reason) });
    }
  };
  let isAnswering = (): boolean => false;
  outages.know('pubSub', {
    name: 'Redis',
    address: served('OSMIUM_PUBSUB', config.pubSub).where,
    isBack: () => (isAnswering() ? Promise.resolve() : Promise.reject(new RedisAway('it does not answer'))),
  });
  const redis = await openedRedis(needs, { ...config.pubSub, onStatus });
  isAnswering = () => redis.status().trouble === undefined;
  // Messages between nodes about the read models would mislead nodes of another deployment that has the same Redis.
  const prefix = `osmium:${deployment}:`;
  const lookupHash = await lookupHashIn(vault, systemRandom());
  const seal = await presenceSeal(vault);
  const presence = await redisPresence({
    redis,
    seal,
    onListenerError,
    prefix: `${prefix}presence:`,
  });
  return kept(
    {
      pubSub: sealedPubSub(redisPubSub({ redis, onListenerError, prefix }), seal, sealedTopics),
      presence,
      rateLimit: redisRateLimit({
        redis,
        timers,
        prefix: `${prefix}limit:`,
        hidden: (of) => lookupHash(`limited:${of}`),
      }),
      watch: (listener) => {
        presence.watch(listener);
      },
      trouble: () => redis.status().trouble?.reason,
    },
    opened,
  );
};

/** Messages on them have words of users. */
const sealedTopics: ReadonlySet<string> = new Set(['interactions']);

/** A node can do without Redis, so it is not waited for. Rejects when Redis refuses the user in the address. */
const openedRedis = async (
  { clock, warn, opened }: EngineNeeds,
  { url, onStatus }: ServerAddress & { readonly onStatus: (status: RedisStatus) => void },
): Promise<RedisClient> => {
  const variable = 'OSMIUM_PUBSUB';
  const demanded = { servers: 'demanded', warn } as const;
  const { openRedis } = await import('./adapters/redis/client.js');
  const redis = await named(demanded, { variable, url }, () => openRedis({ url, clock, onStatus }));
  opened(() => redis.close(), 'Redis');
  const answering = (): Promise<void> => {
    const { trouble } = redis.status();
    return trouble === undefined ? Promise.resolve() : Promise.reject(new RedisAway(trouble.reason));
  };
  const { trouble } = redis.status();
  if (trouble === undefined) return redis;
  if (refusalOf(new Error(trouble.reason)) !== undefined) {
    await named(demanded, { variable, url }, () => Promise.reject(new Error(trouble.reason)));
  }
  const closing = new AbortController();
  opened(() => {
    closing.abort();
    return Promise.resolve();
  });
  const reaching = { variable, url, passes: () => true, tell: warn, signal: closing.signal };
  untilReached(reaching, answering).catch(() => undefined);
  return redis;
};

const kept = (ephemeral: Ephemeral, opened: EngineNeeds['opened']): Ephemeral => {
  for (const one of [ephemeral.pubSub, ephemeral.presence, ephemeral.rateLimit])
    opened(() => one.close(), 'presence and what nodes tell each other');
  return ephemeral;
};
