import type { GenerationStatus, ProjectionsAdmin } from '../../admin/projections.js';
import { servedGeneration } from '../../kernel/generations.js';
import { GenerationInUse, type Generation } from '../../kernel/ports/generations.js';
import { leaseMillis, lookMillis, type Leases } from '../../kernel/ports/leases.js';
import { pause } from '../../kernel/timing.js';
import { formerProjectionsLease, projectionsLease } from '../../projections/runner/runner.js';
import { chosenWhileStopped } from './choose.js';
import { nameBefore } from './live.js';
import type { GenerationsAdminNeeds } from './needs.js';
import { positionOf } from './position.js';
import { verifiedWhileRunning, verifiedWhileStopped } from './verify.js';

/** The generations of a deployment, for the operator. */
export const generationsAdmin = (needs: GenerationsAdminNeeds): ProjectionsAdmin => {
  const { generations, set, running } = needs;
  const switchTo: ProjectionsAdmin['switchTo'] = async (name, call) => {
    if (running === undefined) return chosenWhileStopped(needs, name);
    const switched = await running.live.switchTo(name, call);
    await running.switched(name);
    return switched;
  };
  return {
    status: async () => {
      const [serving, end] = [await servedName(needs), await running?.end()];
      const found: GenerationStatus[] = [];
      for (const one of await generations.list()) found.push(await statusOf(needs, one, serving));
      return {
        ...(end === undefined ? {} : { end: end.toString() }),
        generations: found,
        former: await generations.former.isThere(),
      };
    },
    drop: (name) => dropped(needs, name),
    verify: (name, call) =>
      running === undefined
        ? verifiedWhileStopped(needs, name, call)
        : verifiedWhileRunning(needs, running, { name, call }),
    switchTo,
    back: async (call) => switchTo(await nameBefore(generations, set), call),
  };
};

const servedName = async ({ running, generations, set }: GenerationsAdminNeeds): Promise<string | undefined> =>
  running?.live.serving().generation.name ?? (await servedGeneration(generations, set))?.name;

const formerName = 'former';

const dropped = async (needs: GenerationsAdminNeeds, name: string): Promise<string | undefined> => {
  const { generations, running } = needs;
  if (name === formerName) {
    if (!(await generations.former.isThere())) return 'there are no documents of a release without generations';
    return dropUnlessHeld(needs, formerProjectionsLease, () => generations.former.drop());
  }
  const wanted = (await generations.list()).find((one) => one.name === name);
  if (wanted === undefined) return `there is no generation ${name}`;
  if (name === (await servedName(needs))) return `the generation ${name} serves, and is not dropped`;
  await running?.live.release(name);
  await running?.released(name);
  return dropUnlessHeld(needs, projectionsLease(name), () => generations.drop(wanted));
};

const statusOf = async (
  needs: GenerationsAdminNeeds,
  generation: Generation,
  serving: string | undefined,
): Promise<GenerationStatus> => {
  const { name, types, set } = generation;
  const open = needs.running?.live.all().find((one) => one.generation.name === name);
  const told = { name, types, isOwn: set === needs.set, isServing: name === serving, isFollowed: open !== undefined };
  if (open !== undefined) return { ...told, position: open.projections.position().toString() };
  if (!told.isOwn) return told;
  const position = await positionOf(needs.generations.documents(generation), needs.readModels);
  return { ...told, position: position.toString() };
};

/**
 * A lease that is held shows a process that works on the documents; one that was killed lets go of it after `leaseMillis`.
 * It is left for as long as those who follow the documents take to see that nobody has it: one of them may not have heard yet
 * that another generation serves.
 */
const dropUnlessHeld = async (
  { leases: opened }: GenerationsAdminNeeds,
  name: string,
  drop: () => Promise<void>,
): Promise<string | undefined> => {
  const leases = await opened?.();
  try {
    const lease = leases && (await unwanted(leases, name));
    if (leases !== undefined && lease === undefined) return keptUp;
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

const keptUp =
  'a process keeps it up to date: stop that one first, or wait half a minute for nodes that have not heard of a switch';

/** Undefined when somebody goes on holding it. A node that was told to let go of it may take it once more before it does. */
const unwanted = async (leases: Leases, name: string): ReturnType<Leases['take']> => {
  for (let looks = 0; looks < unwantedLooksMax; looks += 1) {
    const seen = await patiently(leases, name);
    if (seen === undefined) return undefined;
    await seen.release();
    await pause(unwantedMillis, new AbortController().signal);
    const lease = await leases.take(name);
    if (lease !== undefined) return lease;
  }
  return undefined;
};

const unwantedLooksMax = 3;

/** Followers look every `lookMillis`, and a look takes its time. */
const unwantedMillis = 3 * lookMillis;

const patiently = async (leases: Leases, name: string): ReturnType<Leases['take']> => {
  for (let waited = 0; waited <= leaseMillis + 2 * lookMillis; waited += lookMillis) {
    const lease = await leases.take(name);
    if (lease !== undefined) return lease;
    await pause(lookMillis, new AbortController().signal);
  }
  return undefined;
};
