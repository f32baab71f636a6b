import { isKnownTo } from '../../adapters/sealer/openable.js';
import type { DocumentsFacts, LogFacts, Parts, VaultFacts } from '../../domain/deployments/parts.js';
import { eventKinds } from '../../domain/registry.js';
import { userStream } from '../../domain/users/events.js';
import type { EngineParts } from '../../engines.js';
import { eventCodec } from '../../kernel/codec.js';
import { shredded } from '../../kernel/opened.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { EventLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import type { SealBinding, Sealer } from '../../kernel/ports/sealer.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { collectionOf } from '../../kernel/document.js';
import { userDocuments } from '../../projections/users/fold.js';
import { deploymentRecord } from './record.js';

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
  const documents: DocumentsFacts = await parts.documents.owner();
  const vault = (await parts.vault.isThere()) ? await parts.vault.open() : undefined;
  const vaultFacts = vault === undefined ? { status: 'missing' as const } : await factsOfVault(vault);
  const log = (await parts.log.isThere()) ? await factsOfLog(await parts.log.open(), { vault, clock }) : noLog;
  return { vault: vaultFacts, documents, log };
};

const noLog: LogFacts = { status: 'missing' };

/** The name of the deployment in hex; undefined for a vault without one. */
export const nameIn = async (vault: Vault): Promise<string | undefined> => {
  const name = await vault.get(deploymentName);
  return name instanceof Uint8Array ? hexOf(name) : undefined;
};

/** Whether any sealed event after this position does not open. Reads the whole log up to the first that does not. */
export const hasUnopened = async (log: EventLog, vault: Vault, after: Position = beforeAll): Promise<boolean> => {
  for (let from = after; ;) {
    const events = await log.readAll({ from, limit: sampleEventsMax });
    const known = await Promise.all(sealedIn(events).map((one) => isKnownTo(vault, ...one)));
    if (known.includes(false)) return true;
    const last = events.at(-1);
    if (last === undefined) return false;
    from = last.position;
  }
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
  const { identity, keys } = await deploymentRecord(log, clock).read();
  const events = await endsOf(log, identity.status === 'named' ? 1 : sampleEventsMax);
  if (events.length === 0) return noLog;
  if (identity.status === 'named') return { status: 'there', identity, keys, sealed: 0, unopened: 0 };
  const sealed = sealedIn(events);
  const known = vault === undefined ? [] : await Promise.all(sealed.map((one) => isKnownTo(vault, ...one)));
  const unopened = known.filter((isKnown) => !isKnown).length;
  return { status: 'there', identity, keys, sealed: sealed.length, unopened };
};

/** Of a log that has no name yet the first and the last so many events show whether a vault fits. */
export const sampleEventsMax = 1_000;

const endsOf = async (log: EventLog, limit: number): Promise<readonly StoredEvent[]> => {
  const first = await log.readAll({ limit });
  const last = first.length < limit ? [] : await log.readAll({ limit, direction: 'backwards' });
  const ends = first.at(-1)?.position ?? 0n;
  return [...first, ...last.filter(({ position }) => position > ends)];
};

type SealedValue = readonly [string, SealBinding];

/** The codec knows what an event's sealed part is bound to, and asks the sealer to open it. */
const sealedIn = (events: readonly StoredEvent[]): readonly SealedValue[] => {
  const sealed: SealedValue[] = [];
  const collecting: Sealer = {
    open: (text, binding) => {
      sealed.push([text, binding]);
      return shredded;
    },
    seal: () => '',
    loadKeys: () => Promise.resolve(),
    makeKeys: () => Promise.resolve(),
    lookupHash: (value) => value,
  };
  const codec = eventCodec(eventKinds, collecting);
  for (const event of events) codec.read(event);
  return sealed;
};

/** How many documents of users are looked up in the log, to tell whether documents without a name belong to it. */
const witnessesMax = 20;

/** Whether documents that nobody has named speak of users whom the log does not know. */
export const areStrangers = async (store: DocumentStore, log: EventLog): Promise<boolean> => {
  const users = await store.scan({ collection: collectionOf(userDocuments), prefix: '', limit: witnessesMax });
  for (const { key } of users) {
    // Documents of users are kept under their ids.
    const stream = userStream(BigInt(key) as UserId);
    if ((await log.readStream(stream, { limit: 1 })).length === 0) return true;
  }
  return false;
};
