import { basename } from 'node:path';
import { startModule } from '../../adapters/projectionModules/process.js';
import type { Config } from '../../config.js';
import { eventKinds } from '../../domain/registry.js';
import { ownGenerationsOf } from '../../engines.js';
import type { EventCodec } from '../../kernel/codec.js';
import type { Generations, GenerationSet } from '../../kernel/ports/generations.js';
import { ModuleFailed, type DeclaredModule, type ProjectionModule } from '../../kernel/ports/projectionModule.js';
import { ownReadModels, unknownFacts, type Openness, type OwnReadModels } from '../../projections/own/declared.js';
import { ownFolding } from '../../projections/own/ownFolding.js';
import type { OwnSealer } from '../../projections/own/ownForms.js';
import type { MakeFoldingEngine } from '../../projections/runner/foldingEngine.js';
import { setOf } from '../generations/set.js';

/** A module that loads, with the place of its documents. */
export type OwnModule = {
  readonly file: string;
  readonly name: string;
  readonly declared: DeclaredModule;
  readonly openness: Openness;
  readonly readModels: OwnReadModels;
  readonly set: GenerationSet;
  readonly generations: Generations;
};

const knownFacts: ReadonlySet<string> = new Set(eventKinds.map(({ type }) => type));

/** Starts it once to ask what it is. Throws `ModuleFailed`. */
export const loadedModule = async (config: Config, file: string): Promise<OwnModule> => {
  const started = await startModule(file);
  await started.close();
  const { declared } = started;
  const unknown = unknownFacts(declared, knownFacts);
  if (unknown.length > 0)
    throw new ModuleFailed(basename(file), `folds events that there are not: ${unknown.join(', ')}`);
  const { name } = declared;
  const openness = config.openProjections.includes(name) ? 'open' : 'sealed';
  const readModels = ownReadModels(declared, openness);
  const generations = ownGenerationsOf(config, name);
  return { file, name, declared, openness, readModels, set: setOf(readModels), generations };
};

/** `sealer`: opens personal fields, where the module is given them open. */
export const engineOf = (
  { file, name, declared, openness }: OwnModule,
  { codec, sealer }: { readonly codec: EventCodec; readonly sealer: OwnSealer },
): MakeFoldingEngine =>
  ownFolding({
    start: () => same(file, declared),
    ...{ module: name, codec, kinds: eventKinds },
    ...(openness === 'open' ? { sealer } : {}),
  });

/** The file may have been changed since it was asked. */
const same = async (file: string, declared: DeclaredModule): Promise<ProjectionModule> => {
  const started = await startModule(file);
  if (JSON.stringify(started.declared) === JSON.stringify(declared)) return started;
  await started.close();
  throw new ModuleFailed(basename(file), 'is another one than at the start: restart the server');
};
