import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lmdbDocuments } from './adapters/documents/lmdb.js';
import { mongoDocuments } from './adapters/documents/mongo.js';
import { isTransient } from './adapters/documents/mongo/errors.js';
import { eventStoreDbEventLog } from './adapters/eventLog/eventStoreDb.js';
import { LogUnreachable, OutcomeUnknown } from './adapters/eventLog/eventStoreDb/failures.js';
import { lmdbEventLog } from './adapters/eventLog/lmdb.js';
import { localLeases } from './adapters/leases/local.js';
import { mongoLeases } from './adapters/leases/mongo.js';
import { localPresence } from './adapters/presence/local.js';
import { redisPresence } from './adapters/presence/redis.js';
import { localPubSub } from './adapters/pubsub/local.js';
import { redisPubSub } from './adapters/pubsub/redis.js';
import { localRateLimit } from './adapters/rateLimit/local.js';
import { redisRateLimit } from './adapters/rateLimit/redis.js';
import { openRedis, type RedisStatus } from './adapters/redis/client.js';
import { lmdbVault } from './adapters/vault/lmdb.js';
import { loadMasterKey } from './adapters/vault/masterKey.js';
import { mongoVault } from './adapters/vault/mongo.js';
import { isServer, type Config } from './config.js';
import type { CollectionSpec, DocumentStore } from './kernel/ports/documentStore.js';
import type { EventLog } from './kernel/ports/eventLog.js';
import type { UserId } from './kernel/ids.js';
import type { Leases, Timers } from './kernel/ports/leases.js';
import type { Presence } from './kernel/ports/presence.js';
import type { PubSub } from './kernel/ports/pubSub.js';
import type { RateLimit } from './kernel/ports/rateLimit.js';
import type { Clock } from './kernel/ports/system.js';
import type { Vault } from './kernel/ports/vault.js';

/** What the configuration names, open. */
export type Engines = {
  readonly log: EventLog;
  readonly documents: DocumentStore;
  readonly vault: Vault;
  readonly leases: Leases;
  readonly ephemeral: Ephemeral;
};

/** What is said in passing, and what can be done without. */
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
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes what is to be closed in the end, in the order of opening. */
  readonly opened: (close: () => Promise<void>) => void;
  readonly warn: (message: string, details?: object) => void;
  /** Something that a person has to look at, or that is tried again and again. */
  readonly alarm: (message: string, error: unknown) => void;
  readonly count: (what: string, by: number) => void;
};

/** Where everything embedded is, below the data folder. */
export type Folders = {
  readonly log: string;
  readonly documents: string;
  readonly vault: string;
  /** A file, used unless another one is configured. */
  readonly masterKey: string;
};
export const foldersIn = (dataDir: string): Folders => ({
  log: join(dataDir, 'log'),
  documents: join(dataDir, 'documents'),
  vault: join(dataDir, 'vault'),
  masterKey: join(dataDir, 'master.key'),
});

/** Throws when one of them cannot be opened; those before it are closed by who asked. */
export const openEngines = async (needs: EngineNeeds): Promise<Engines> => {
  const { config } = needs;
  const vaultIn = config.vault === config.documents ? 'OSMIUM_DOCUMENTS' : 'OSMIUM_VAULT';
  const vault = await named(vaultIn, openVault(needs));
  needs.opened(() => vault.close());
  const log = await named('OSMIUM_EVENT_LOG', openLog(needs));
  needs.opened(() => log.close());
  const documents = await named('OSMIUM_DOCUMENTS', openDocuments(needs));
  needs.opened(() => documents.close());
  const leases = await named('OSMIUM_DOCUMENTS', openLeases(needs));
  needs.opened(() => leases.close());
  return { vault, log, documents, leases, ephemeral: await openEphemeral(needs, vault) };
};

/** Whether one of the engines failed in a way that passes. */
export const isAway = (error: unknown): boolean =>
  isTransient(error) || error instanceof LogUnreachable || error instanceof OutcomeUnknown;

/** Drivers do not know which of several addresses is theirs, and their messages may hold it with its password. */
const named = async <T>(variable: string, opening: Promise<T>): Promise<T> => {
  try {
    return await opening;
  } catch (error) {
    throw new EngineUnavailable(variable, error);
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

const openVault = async ({ config, warn }: EngineNeeds): Promise<Vault> => {
  const folders = foldersIn(config.dataDir);
  const file = config.masterKeyFile ?? folders.masterKey;
  // A key that one node makes for itself would be another one on each.
  const mayMake = !isServer(config.vault) && !existsSync(folders.vault);
  const { key, made, warning } = loadMasterKey(file, { mayMake });
  if (made) warn('made a master key: back it up, apart from the data', { file });
  if (warning !== undefined) warn(warning);
  return isServer(config.vault)
    ? mongoVault({ ...config.vault, masterKey: key })
    : lmdbVault({ folder: folders.vault, masterKey: key });
};

const openLog = async ({ config, clock, count, alarm }: EngineNeeds): Promise<EventLog> => {
  const { eventLog, dataDir } = config;
  if (!isServer(eventLog)) return lmdbEventLog({ folder: foldersIn(dataDir).log, now: () => clock.now() });
  return eventStoreDbEventLog({
    connectionString: eventLog.url,
    count,
    alarm: ({ doing, failures, error }) => {
      alarm(`the log is in trouble when ${doing}, ${failures.toString()} times in a row`, error);
    },
  });
};

const openDocuments = async ({ config, collections }: EngineNeeds): Promise<DocumentStore> => {
  const { documents, dataDir } = config;
  const store = isServer(documents)
    ? mongoDocuments(documents)
    : lmdbDocuments({ folder: foldersIn(dataDir).documents });
  await store.open(collections);
  return store;
};

const openLeases = async ({ config: { documents }, timers }: EngineNeeds): Promise<Leases> =>
  isServer(documents) ? mongoLeases({ ...documents, timers }) : localLeases();

const openEphemeral = async (needs: EngineNeeds, vault: Vault): Promise<Ephemeral> => {
  const { config, clock, warn, alarm, opened } = needs;
  const onListenerError = (err: unknown): void => {
    alarm('a listener failed', err);
  };
  if (!isServer(config.pubSub)) {
    const local = { pubSub: localPubSub({ onListenerError }), presence: localPresence() };
    return kept({ ...local, rateLimit: localRateLimit({ clock }), ...alone }, opened);
  }
  const onStatus = ({ trouble }: RedisStatus): void => {
    if (trouble === undefined) warn('Redis is there again');
    else warn('Redis is away: nodes hear nothing of each other', { reason: trouble.reason });
  };
  const redis = await named('OSMIUM_PUBSUB', openRedis({ ...config.pubSub, clock, onStatus }));
  opened(() => redis.close());
  const prefix = await deploymentPrefix(vault);
  const presence = await redisPresence({ redis, onListenerError, prefix: `${prefix}presence:` });
  return kept(
    {
      pubSub: redisPubSub({ redis, onListenerError, prefix }),
      presence,
      rateLimit: redisRateLimit({ redis, clock, prefix: `${prefix}limit:` }),
      watch: (listener) => {
        presence.watch(listener);
      },
      trouble: () => redis.status().trouble?.reason,
    },
    opened,
  );
};

/**
 * The same on all nodes that have one vault, and on no others: what nodes tell each other of the read models would
 * mislead those of another deployment that has the same Redis.
 */
const deploymentPrefix = async (vault: Vault): Promise<string> => {
  const id = await vault.create('deployment', randomBytes(deploymentBytes));
  if (id === 'destroyed') throw new Error('the vault has no name for this deployment any more');
  return `osmium:${Buffer.from(id).toString('hex')}:`;
};
const deploymentBytes = 8;

const alone: Pick<Ephemeral, 'watch' | 'trouble'> = { watch: () => undefined, trouble: () => undefined };

const kept = (ephemeral: Ephemeral, opened: EngineNeeds['opened']): Ephemeral => {
  for (const one of [ephemeral.pubSub, ephemeral.presence, ephemeral.rateLimit]) opened(() => one.close());
  return ephemeral;
};
