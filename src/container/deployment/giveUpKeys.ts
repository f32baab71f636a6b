import { randomBytes } from 'node:crypto';
import { lockFolder } from '../../adapters/dataFolder/lock.js';
import { isServer, type Config } from '../../config.js';
import { judge, type Parts } from '../../domain/deployments/parts.js';
import { enginePartsOf, openLeases, type EngineNeeds, type EngineParts } from '../../engines.js';
import { leaseMillis, lookMillis, type Leases } from '../../kernel/ports/leases.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Vault } from '../../kernel/ports/vault.js';
import { pause } from '../../kernel/timing.js';
import { formerProjectionsLease, projectionsLease } from '../../projections/runner/runner.js';
import { atPlace, folderPlace } from '../../startFailure.js';
import { commandNeeds } from '../commandNeeds.js';
import { deploymentName, foundedName, hexOf, lookAt, nameIn } from './look.js';
import { deploymentBytes, nameOf } from './open.js';
import { deploymentRecord } from './record.js';
import { hasUnopened } from './sealedEvents.js';

/** Whether the log goes on with a vault that is yet to be made, or with the one that is there. */
export type NextVault = 'new' | 'keep';

/** The command was refused, and nothing was changed. */
export class KeysNotGivenUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeysNotGivenUp';
  }
}

/**
 * Gives up the keys that the log needs and no vault has: it goes on with another vault, under a new name. Destroys
 * nothing. Gives the new name. Throws `KeysNotGivenUp`, `FolderInUse`, and `BadConfig` as at the start.
 */
export const giveUpKeys = async (config: Config, next: NextVault): Promise<string> => {
  const opened: (() => Promise<void>)[] = [];
  try {
    const lock = await atPlace(folderPlace(config, config.dataDir), () => lockFolder(config.dataDir));
    opened.push(() => lock.release());
    return await giveUp(commandNeeds(config, opened), next);
  } finally {
    for (const close of opened.reverse()) await close();
  }
};

const giveUp = async (needs: EngineNeeds, next: NextVault): Promise<string> => {
  const parts = enginePartsOf(needs);
  await stopped(needs, parts.documents);
  const found = await lookAt(parts, needs.clock);
  const objection = (await isWorthKeeping(next, parts, needs.clock)) ? undefined : objectionTo(next, found);
  if (objection !== undefined) throw new KeysNotGivenUp(objection.replace('{vault}', parts.vault.place.where));
  const log = await parts.log.open();
  const vault = await parts.vault.open();
  const deployment = next === 'new' ? await nameOf(vault) : await renamed(vault);
  const record = deploymentRecord(log, needs.clock);
  // The log comes last: until it has the new name, the vault is refused as another one's and the command can be repeated.
  await record.giveUpKeys(deployment);
  await vault.create(foundedName, Uint8Array.of(1));
  await record.countKeys(deployment, await vault.names());
  return deployment;
};

/** A vault that comes back later must not pass for this one, so the one that stays takes a new name as well. */
const renamed = async (vault: Vault): Promise<string> => {
  const name = randomBytes(deploymentBytes);
  if ((await vault.put(deploymentName, name)) === 'destroyed') throw new Error('the vault has no name any more');
  return hexOf(name);
};

const objectionTo = (next: NextVault, found: Parts): string | undefined => {
  const { vault, log } = found;
  const verdict = judge(found);
  if (log.status === 'missing' && verdict.status !== 'refused') {
    return 'there is no log here, so there is nothing to give up: just start the server';
  }
  if (verdict.status !== 'refused') return 'vault and log belong together: there is nothing to give up';
  if (verdict.part !== 'vault')
    return `not the vault is at fault but the ${verdict.part}: start the server, which says more`;
  const isEmpty = vault.status === 'missing' || vault.ownKeys === 0;
  if (next === 'new' && !isEmpty)
    return 'the vault in {vault} is not empty: move it away first, nothing is destroyed here';
  if (next === 'keep' && isEmpty) return 'the vault in {vault} is missing or empty: there is nothing to keep';
  return undefined;
};

/**
 * Whether the log has sealed events that the vault beside it does not open, although the two have one name. Such are left
 * by a former release that ran without the vault for a while: it made keys of its own, and those went with them.
 */
const isWorthKeeping = async (next: NextVault, parts: EngineParts, clock: Clock): Promise<boolean> => {
  if (next === 'new' || !(await parts.log.isThere()) || !(await parts.vault.isThere())) return false;
  const [log, vault] = [await parts.log.open(), await parts.vault.open()];
  const { identity, givenUpTo } = await deploymentRecord(log, clock).read();
  const isNamed = identity.status === 'named' && identity.deployment === (await nameIn(vault));
  return isNamed && (await hasUnopened(log, vault, givenUpTo));
};

/** The lock shows a server on this data folder; nodes on other machines hold the lease of some generation. */
const stopped = async (
  needs: EngineNeeds,
  { generations }: Pick<EngineParts['documents'], 'generations'>,
): Promise<void> => {
  if (!isServer(needs.config.documents)) return;
  const leases = await openLeases(needs);
  needs.opened(() => leases.close());
  const names = (await generations.list()).map(({ name }) => projectionsLease(name));
  for (const name of [formerProjectionsLease, ...names]) {
    if (!(await isFree(leases, name))) throw new KeysNotGivenUp('a node is running: stop all nodes first');
  }
};

/** A holder that was killed is seen to stand still for `leaseMillis` before the lease is free. */
const isFree = async (leases: Leases, name: string): Promise<boolean> => {
  for (let waited = 0; waited <= leaseMillis + 2 * lookMillis; waited += lookMillis) {
    const lease = await leases.take(name);
    if (lease !== undefined) {
      await lease.release();
      return true;
    }
    await pause(lookMillis);
  }
  return false;
};
