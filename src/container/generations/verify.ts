import { systemTimers } from '../../adapters/system/timers.js';
import { GenerationRefused, type ComparedType, type Verified } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { openDocuments } from '../../engines.js';
import { beforeAll, type Position } from '../../kernel/event.js';
import { servedGeneration } from '../../kernel/generations.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { GenerationInUse } from '../../kernel/ports/generations.js';
import { lookMillis } from '../../kernel/ports/leases.js';
import { pause } from '../../kernel/timing.js';
import { behind, generationOf, type OpenGeneration } from './live.js';
import { comparer } from './compare.js';
import { positionOf } from './position.js';
import type { GenerationsAdminNeeds, RunningGenerations } from './needs.js';

type Asked = { readonly name: string; readonly call: VerbCall };

/** Compares it with the one that serves, while both follow the log. Throws `GenerationRefused`. */
export const verifiedWhileRunning = async (
  { readModels }: GenerationsAdminNeeds,
  { live, end }: RunningGenerations,
  { name, call }: Asked,
): Promise<Verified> => {
  const serving = live.serving();
  mustBeAnother(name, serving.generation.name);
  const other = await live.opened(name, call);
  const both = [serving, other] as const;
  return verified(both.map((one) => one.generation.name) as [string, string], {
    ...{ stores: [serving.store, other.store], call, collections: readModels.collections.map((one) => one.name) },
    level: () => levelOf(both, end),
    // Half of the time is for the clients.
    restShare: 1,
  });
};

const levelOf = async (both: readonly OpenGeneration[], end: () => Promise<Position>): Promise<Position> => {
  const wanted = await end();
  for (const { projections } of both) await projections.reached(wanted);
  return wanted;
};

/** The same where no server runs in this process: one on another machine may keep both up to date. Throws `GenerationRefused`. */
export const verifiedWhileStopped = async (
  needs: GenerationsAdminNeeds,
  name: string,
  call: VerbCall,
): Promise<Verified> => {
  const { generations, readModels, set } = needs;
  const wanted = await generationOf(generations, set, name);
  const served = await servedGeneration(generations, set);
  if (served === undefined) throw new GenerationRefused('no generation serves');
  mustBeAnother(name, served.name);
  const opened: DocumentStore[] = [];
  try {
    for (const one of [served, wanted])
      opened.push(await openDocuments(generations.documents(one), readModels.collections));
    const [one, other] = opened;
    if (one === undefined || other === undefined) throw new Error('two stores were opened');
    return await verified([served.name, wanted.name], {
      ...{ stores: [one, other], call, collections: readModels.collections.map((spec) => spec.name) },
      level: () => storedLevel(needs, [served.name, wanted.name], call),
      restShare: 0,
    });
  } catch (error) {
    if (error instanceof GenerationInUse) throw new GenerationRefused(error.message);
    throw error;
  } finally {
    for (const store of opened) await store.close();
  }
};

const mustBeAnother = (name: string, serving: string): void => {
  if (name === serving) throw new GenerationRefused(`the generation ${name} serves: name the one to compare with it`);
};

/** How long processes elsewhere are waited for that bring both to one place. */
const levelMillisMax = 30_000;

const storedLevel = async (
  { generations, readModels, leases }: GenerationsAdminNeeds,
  names: readonly [string, string],
  { signal }: VerbCall,
): Promise<Position> => {
  const places = async (): Promise<readonly Position[]> => {
    const found: Position[] = [];
    for (const one of await generations.list())
      if (names.includes(one.name)) found.push(await positionOf(generations.documents(one), readModels));
    return found;
  };
  const wanted = (await places()).reduce((highest, place) => (place > highest ? place : highest), beforeAll);
  const waitMillis = leases === undefined ? 0 : levelMillisMax;
  for (let waited = 0; ; waited += lookMillis) {
    const found = await places();
    const late = names.find((_, index) => (found[index] ?? beforeAll) < wanted);
    if (late === undefined) return wanted;
    if (waited >= waitMillis)
      throw behind(late, found[names.indexOf(late)] ?? beforeAll, `and the other one is at ${wanted.toString()}`);
    await pause(lookMillis, signal);
  }
};

type Verifying = {
  readonly stores: readonly [DocumentStore, DocumentStore];
  readonly collections: readonly string[];
  readonly level: () => Promise<Position>;
  readonly call: VerbCall;
  /** How long a pause is, of the work before it. */
  readonly restShare: number;
};

const verified = async (
  generations: readonly [string, string],
  { stores, collections, level, call, restShare }: Verifying,
): Promise<Verified> => {
  const rest = async (millis: number): Promise<void> => {
    await pause(millis * restShare, call.signal);
    if (call.signal.aborted) throw new GenerationRefused('stopped');
  };
  const position = await level();
  const compared = comparer({ stores, level, rest, now: systemTimers.now });
  const types: ComparedType[] = [];
  for (const collection of [...collections].sort()) {
    const found = await compared(collection);
    types.push(found);
    const { documents, differing } = found;
    const count = `${types.length.toString()} of ${collections.length.toString()}`;
    call.progress(
      `${count}: ${collection}, ${documents.toString()} documents${differing === 0 ? '' : `, ${differing.toString()} differ`}`,
    );
  }
  const isEqual = types.every(({ differing }) => differing === 0);
  return { generations, isEqual, position: position.toString(), types };
};
