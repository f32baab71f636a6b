import { lockFolder } from '../../adapters/dataFolder/lock.js';
import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { vaultSealer } from '../../adapters/sealer/vault.js';
import { systemRandom } from '../../adapters/system/random.js';
import { systemTimers } from '../../adapters/system/timers.js';
import { GenerationRefused, type ReadDocuments, type ReadWish } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Config } from '../../config.js';
import { enginePartsOf, openDocuments } from '../../engines.js';
import type { Position } from '../../kernel/event.js';
import { servedGeneration } from '../../kernel/generations.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { Generation } from '../../kernel/ports/generations.js';
import { checkpointOf } from '../../projections/progress/checkpoints.js';
import type { OwnSealer } from '../../projections/own/ownForms.js';
import { atPlace, folderPlace } from '../../startFailure.js';
import { commandNeeds } from '../commandNeeds.js';
import { openBuildLog } from '../generations/buildEngines.js';
import { deploymentOf } from '../generations/deploymentOf.js';
import type { OwnModule } from './modules.js';
import { readingOf, type OwnReadingNeeds } from './reading.js';
import { stoppedOwn } from './stoppedOwn.js';

/**
 * Reads the documents of a projection of the operator's own as they are, where no server runs. Holds the data folder meanwhile.
 * Throws `GenerationRefused`, `FolderInUse`, and what opening the engines throws.
 */
export const readWhileStopped = async (config: Config, wish: ReadWish, call: VerbCall): Promise<ReadDocuments> => {
  const module = (await stoppedOwn(config)).moduleNamed(wish.projection);
  const { generations, set } = module;
  // Taking the lock would make a folder.
  const served = await servedGeneration(generations, set.name);
  if (served === undefined)
    throw new GenerationRefused(`${module.name} has no documents yet: start the server, which builds them`);
  const opened: (() => Promise<void>)[] = [];
  try {
    const lock = await atPlace(folderPlace(config, config.dataDir), () => lockFolder(config.dataDir));
    opened.push(() => lock.release());
    const needs = await readingNeeds({ config, module, opened }, served);
    return await readingOf(needs)(wish, call);
  } finally {
    for (const close of opened.reverse()) await close();
  }
};

type Reading = {
  readonly config: Config;
  readonly module: OwnModule;
  readonly opened: (() => Promise<void>)[];
};

const readingNeeds = async (reading: Reading, served: Generation): Promise<OwnReadingNeeds> => {
  const { config, module, opened } = reading;
  const log = await openBuildLog(config);
  opened.push(() => log.close());
  const store = await openDocuments(module.generations.documents(served), module.readModels.collections);
  opened.push(() => store.close());
  await mustBelong(reading, store);
  const end = await log.end();
  return {
    ...{ module, store, sealer: await sealerOf(reading), end: () => Promise.resolve(end) },
    projections: await placeOf(module, store),
  };
};

/** Where the log or the vault was exchanged, the server builds them anew. */
const mustBelong = async ({ config, module }: Reading, store: DocumentStore): Promise<void> => {
  const [owner, deployment] = [await store.owner(), await deploymentOf(config)];
  const isOurs = owner.status === 'named' && deployment !== undefined && owner.deployment.startsWith(deployment);
  if (owner.status === 'named' && deployment !== undefined && !isOurs)
    throw new GenerationRefused(`the documents of ${module.name} are of another log or vault: start the server`);
};

/** Nobody folds, so they are where they are. */
const placeOf = async (
  { readModels }: OwnModule,
  store: Pick<DocumentStore, 'checkpoint'>,
): Promise<OwnReadingNeeds['projections']> => {
  const places: { readonly name: string; readonly position: Position }[] = [];
  for (const one of readModels.projections)
    places.push({ name: one.name, position: await store.checkpoint(checkpointOf(one)) });
  return {
    reached: (end) =>
      places.every(({ position }) => position >= end)
        ? undefined
        : Promise.reject(new Error('it is behind the log, and no server runs')),
    status: () => Promise.resolve(places.map((one) => ({ ...one, lagMillis: undefined }))),
  };
};

const sealerOf = async ({ config, module, opened }: Reading): Promise<OwnSealer> => {
  if (module.openness !== 'open') return closedSealer;
  const { vault } = enginePartsOf(commandNeeds(config, opened));
  // Opening one that is not there would make it.
  if (!(await vault.isThere())) throw new GenerationRefused(`there is no vault in ${vault.place.where}`);
  return vaultSealer({ vault: await vault.open(), timers: systemTimers, random: systemRandom() });
};
