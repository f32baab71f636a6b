import type { GenerationStatus, ProjectionsAdmin } from '../../admin/projections.js';
import { servedGeneration } from '../../kernel/generations.js';
import type { Position } from '../../kernel/event.js';
import { GenerationInUse, type Generation, type Generations } from '../../kernel/ports/generations.js';
import { leaseMillis, lookMillis, type Leases } from '../../kernel/ports/leases.js';
import { pause } from '../../kernel/timing.js';
import type { DeclaredReadModels } from '../../projections/registry.js';
import { formerProjectionsLease, projectionsLease } from '../../projections/runner/runner.js';
import { positionOf } from './position.js';

export type GenerationsAdminNeeds = {
  readonly generations: Generations;
  readonly readModels: DeclaredReadModels;
  /** The name of the set of the read models. */
  readonly set: string;
  /** The generation that this process serves, and how far it is; undefined where no server runs. */
  readonly here: () => { readonly name: string; readonly position: Position } | undefined;
  /** Undefined where no server runs. */
  readonly end: () => Promise<Position | undefined>;
  /** Where several processes share the documents: nothing is dropped that one of them keeps up to date. */
  readonly leases?: () => Promise<Leases>;
};

/** The generations of a deployment, for the operator. */
export const generationsAdmin = (needs: GenerationsAdminNeeds): ProjectionsAdmin => {
  const { generations, set, here } = needs;
  const served = async (): Promise<string | undefined> =>
    here()?.name ?? (await servedGeneration(generations, set))?.name;
  return {
    status: async () => {
      const [serving, end] = [await served(), await needs.end()];
      const found: GenerationStatus[] = [];
      for (const one of await generations.list()) found.push(await statusOf(needs, one, serving));
      return {
        ...(end === undefined ? {} : { end: end.toString() }),
        generations: found,
        former: await generations.former.isThere(),
      };
    },
    drop: async (name) => {
      if (name === formerName) {
        if (!(await generations.former.isThere())) return 'there are no documents of a release without generations';
        return dropUnlessHeld(needs, formerProjectionsLease, () => generations.former.drop());
      }
      const wanted = (await generations.list()).find((one) => one.name === name);
      if (wanted === undefined) return `there is no generation ${name}`;
      if (name === (await served())) return `the generation ${name} serves, and is not dropped`;
      return dropUnlessHeld(needs, projectionsLease(name), () => generations.drop(wanted));
    },
  };
};

const formerName = 'former';

const statusOf = async (
  needs: GenerationsAdminNeeds,
  generation: Generation,
  serving: string | undefined,
): Promise<GenerationStatus> => {
  const { name, types, set } = generation;
  const told = { name, types, isOwn: set === needs.set, isServing: name === serving };
  const here = needs.here();
  if (here?.name === name) return { ...told, position: here.position.toString() };
  if (!told.isOwn) return told;
  const position = await positionOf(needs.generations.documents(generation), needs.readModels);
  return { ...told, position: position.toString() };
};

/** A lease that is held shows a process that works on the documents; one that was killed lets go of it after `leaseMillis`. */
const dropUnlessHeld = async (
  { leases: opened }: GenerationsAdminNeeds,
  name: string,
  drop: () => Promise<void>,
): Promise<string | undefined> => {
  const leases = await opened?.();
  try {
    const lease = leases && (await patiently(leases, name));
    if (leases !== undefined && lease === undefined) return 'a process keeps it up to date: stop that one first';
    try {
      await drop();
    } finally {
      await lease?.release();
    }
    return undefined;
  } catch (error) {
    if (error instanceof GenerationInUse) return error.message;
    throw error;
  } finally {
    await leases?.close();
  }
};

const patiently = async (leases: Leases, name: string): ReturnType<Leases['take']> => {
  for (let waited = 0; waited <= leaseMillis + 2 * lookMillis; waited += lookMillis) {
    const lease = await leases.take(name);
    if (lease !== undefined) return lease;
    await pause(lookMillis, new AbortController().signal);
  }
  return undefined;
};
