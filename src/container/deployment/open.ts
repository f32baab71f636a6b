import { randomBytes } from 'node:crypto';
import { judge, type PartName, type PartsVerdict } from '../../domain/deployments/parts.js';
import type { EngineParts } from '../../engines.js';
import type { Position } from '../../kernel/event.js';
import type { Outages } from '../../kernel/outages.js';
import type { Blobs } from '../../kernel/ports/blobs.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Generation } from '../../kernel/ports/generations.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { atPlace, unusable } from '../../startFailure.js';
import { countedVault, type CountedVault } from './keyCount.js';
import { markFor } from './filesMark.js';
import { areStrangers, deploymentName, foundedName, hexOf, lookAt } from './look.js';
import { deploymentRecord } from './record.js';
import { explained } from './words.js';

/** Vault, log, read models and files of one deployment, open. The log hears of the number of keys as they are made. */
export type Deployed = CountedVault & {
  readonly log: EventLog;
  readonly documents: DocumentStore;
  readonly blobs: Blobs;
  /** To which the documents belong. */
  readonly generation: Generation;
  /** The random name of the vault, in hex, which the log and the read models carry as well. */
  readonly deployment: string;
  /** Up to here keys were given up. */
  readonly givenUpTo: Position | undefined;
};

export type DeploymentNeeds = {
  readonly parts: EngineParts;
  readonly clock: Clock;
  readonly warn: (message: string, details?: object) => void;
  readonly outages: Pick<Outages<string>, 'failed'>;
};

/**
 * Opens the four parts and makes those that nothing is lost without. At the first start the vault's name is written
 * into the log, once, and into the read models. Throws `BadConfig` when a part is missing, empty, older than it was or of
 * another deployment; then nothing was made and nothing written.
 */
export const openDeployment = async (needs: DeploymentNeeds): Promise<Deployed> => {
  const { parts, clock, warn } = needs;
  const verdict = await verdictOn(parts, clock);
  if (verdict.status === 'refused') throw refusal(parts, verdict);
  const log = await parts.log.open();
  const vault = await parts.vault.open();
  if (verdict.status === 'rebuild') {
    warn('the read models are of before keys were given up: they are folded from the log again');
    await parts.documents.clear();
  }
  const isStranger = await parts.documents.witness(
    async ({ owner, documents }) => owner.status === 'unnamed' && areStrangers(documents, log),
  );
  if (isStranger === true) throw refusal(parts, { part: 'documents', because: { kind: 'strangers' } });
  const { store: documents, generation } = await parts.documents.open();
  const naming = (): ReturnType<typeof named> => named(vault, log, clock);
  const { deployment, givenUpTo } = await atPlace(parts.log.place, naming);
  await atPlace(parts.documents.place, () => documents.belongTo(deployment));
  const blobs = await parts.files.open();
  if (parts.files.isMarked) await markFor(blobs, deployment);
  const onTrouble = (error: unknown): void => {
    needs.outages.failed({ doing: 'writing the number of keys into the log', error });
  };
  const counted = await countedVault({ vault, record: deploymentRecord(log, clock), deployment, onTrouble });
  return { ...counted, log, documents, blobs, generation, deployment, givenUpTo };
};

/**
 * Another node may be founding the deployment, so parts that do not fit are looked at once more before they are
 * refused.
 */
const verdictOn = async (parts: EngineParts, clock: Clock): Promise<PartsVerdict> => {
  const first = judge(await lookAt(parts, clock));
  return first.status === 'refused' ? judge(await lookAt(parts, clock)) : first;
};

type Refused = Pick<Extract<PartsVerdict, { readonly status: 'refused' }>, 'part' | 'because'>;

const refusal = (parts: EngineParts, { part, because }: Refused): Error => {
  const { place } = placed(parts, part);
  return unusable(place, explained(part, because, place));
};

const placed = (parts: EngineParts, part: PartName): EngineParts[PartName] => parts[part];

/** In this order: a vault that says a log was named after it is never right about an empty one. */
const named = async (
  vault: Vault,
  log: EventLog,
  clock: Clock,
): Promise<Pick<Deployed, 'deployment' | 'givenUpTo'>> => {
  const deployment = await nameOf(vault);
  const record = deploymentRecord(log, clock);
  await record.name(deployment);
  const { identity, keys, givenUpTo } = await record.read();
  if (identity.status === 'unnamed' || identity.deployment !== deployment) {
    throw new Error(`the log took another name than ${deployment} at the same moment: start again`);
  }
  await vault.create(foundedName, Uint8Array.of(1));
  if (keys === 0) await record.countKeys(deployment, await vault.names());
  return { deployment, givenUpTo };
};

/** Gives the vault its name at the first call. */
export const nameOf = async (vault: Vault): Promise<string> => {
  const name = await vault.create(deploymentName, randomBytes(deploymentBytes));
  if (name === 'destroyed') throw new Error('the vault has no name for this deployment any more');
  return hexOf(name);
};

export const deploymentBytes = 8;
