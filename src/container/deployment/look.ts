import type { DocumentsFacts, FilesFacts, LogFacts, Parts, VaultFacts } from '../../domain/deployments/parts.js';
import { userStream } from '../../domain/users/events.js';
import type { EngineParts } from '../../engines.js';
import type { UserId } from '../../kernel/ids.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { EventLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { userDocuments } from '../../projections/users/fold.js';
import { markIn } from './filesMark.js';
import { deploymentRecord } from './record.js';
import { keysMissingIn, pageEvents, sealedIn, unopenedIn } from './sealedEvents.js';

/** The vault's names for what is nobody's content. */
export const deploymentName = 'deployment';
/** There once a log has been named after the vault. */
export const foundedName = 'founded';
const lookupName = 'lookup';

/**
 * The parts as they are, without making anything. The log comes last, because another node that founds the deployment
 * writes into the other parts after the log.
 */
export const lookAt = async (parts: EngineParts, clock: Clock): Promise<Parts> => {
  const documents: DocumentsFacts = (await parts.documents.witness(({ owner }) => Promise.resolve(owner))) ?? {
    status: 'empty',
  };
  const vault = (await parts.vault.isThere()) ? await parts.vault.open() : undefined;
  const vaultFacts = vault === undefined ? { status: 'missing' as const } : await factsOfVault(vault);
  const log = (await parts.log.isThere()) ? await factsOfLog(await parts.log.open(), { vault, clock }) : noLog;
  return { vault: vaultFacts, documents, log, files: await factsOfFiles(parts) };
};

const factsOfFiles = async ({ files }: Pick<EngineParts, 'files'>): Promise<FilesFacts | undefined> => {
  if (!files.isMarked) return undefined;
  const deployment = await markIn(await files.open());
  return deployment === undefined ? undefined : { deployment };
};

const noLog: LogFacts = { status: 'missing' };

/** The name of the deployment in hex; undefined for a vault without one. */
export const nameIn = async (vault: Vault): Promise<string | undefined> => {
  const name = await vault.get(deploymentName);
  return name instanceof Uint8Array ? hexOf(name) : undefined;
};

const factsOfVault = async (vault: Vault): Promise<VaultFacts> => {
  const [deployment, founded, lookup] = await Promise.all([
    vault.get(deploymentName),
    vault.get(foundedName),
    vault.get(lookupName),
  ]);
  const keys = await vault.names();
  const own = [deployment, founded, lookup].filter((one) => one !== undefined).length;
  return {
    status: 'there',
    deployment: deployment instanceof Uint8Array ? hexOf(deployment) : undefined,
    founded: founded !== undefined,
    keys,
    ownKeys: keys - own,
  };
};

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type Beside = { readonly vault: Vault | undefined; readonly clock: Clock };

const factsOfLog = async (log: EventLog, { vault, clock }: Beside): Promise<LogFacts> => {
  const { identity, keys, givenUpTo } = await deploymentRecord(log, clock).read();
  const events = await endsOf(log, identity.status === 'named' ? 1 : sampleEventsMax);
  if (events.length === 0) return noLog;
  const there = { status: 'there', identity, keys, missingKeys: 0, sealed: 0, unopened: 0 } as const;
  if (identity.status === 'named') {
    return vault === undefined ? there : { ...there, missingKeys: await keysMissingIn(vault, log, givenUpTo) };
  }
  const sealed = sealedIn(events).length;
  return { ...there, sealed, unopened: vault === undefined ? 0 : await unopenedIn(vault, events) };
};

/** Of a log that has no name yet the first and the last so many events show whether a vault fits. */
const sampleEventsMax = pageEvents;

const endsOf = async (log: EventLog, limit: number): Promise<readonly StoredEvent[]> => {
  const first = await log.readAll({ limit });
  const last = first.length < limit ? [] : await log.readAll({ limit, direction: 'backwards' });
  const ends = first.at(-1)?.position ?? 0n;
  return [...first, ...last.filter(({ position }) => position > ends)];
};

/** How many documents of users are looked up in the log, to tell whether documents without a name belong to it. */
const witnessesMax = 20;

/** Whether documents that nobody has named speak of users whom the log does not know. Opens them as they are. */
export const areStrangers = async (store: DocumentStore, log: EventLog): Promise<boolean> => {
  const collections = await store.collections();
  const ofUsers = collections.find(({ name }) => name.startsWith(`${userDocuments.name}_v`));
  if (ofUsers === undefined) return false;
  await store.open(collections);
  const users = await store.scan({ collection: ofUsers.name, prefix: '', limit: witnessesMax });
  for (const { key } of users) {
    // Documents of users are kept under their ids.
    const stream = userStream(BigInt(key) as UserId);
    if ((await log.readStream(stream, { limit: 1 })).length === 0) return true;
  }
  return false;
};
