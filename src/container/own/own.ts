import { basename } from 'node:path';
import { systemTimers } from '../../adapters/system/timers.js';
import { GenerationRefused, type OwnGenerations, type ProjectionsAdmin } from '../../admin/projections.js';
import { retrying } from '../../projections/runner/retrying.js';
import { NewerLayout } from '../../kernel/ports/generations.js';
import { atMost } from '../../kernel/timing.js';
import { ModuleFailed } from '../../kernel/ports/projectionModule.js';
import { alarms } from '../logging.js';
import { of, type Get } from '../tokens.js';
import { foreignOwn } from './foreignOwn.js';
import { loadedModule } from './modules.js';
import { openModule, type OpenModule } from './openModule.js';
import type { OwnProjections, OwnStatus } from './servedOwn.js';

/** A module on its way: open, or stopped before it could be. */
type Held = { readonly file: string; open?: OpenModule; name?: string; failed?: Error };

/**
 * Projections of the operator's own. They are opened beside everything else. The server goes on when one of them
 * fails, which is told of as an alarm, and is tried again at the next start.
 */
export const ownProjectionsOf = (get: Get): OwnProjections => {
  const closing = new AbortController();
  const held = get(of.config).projectionModules.map((file): Held => ({ file }));
  let opening: Promise<unknown> = Promise.resolve();
  const foreign = foreignOwn(get(of.config), () => held);
  const openOf = (name: string): OpenModule => {
    const found = held.find((one) => one.name === name || one.open?.module.name === name);
    if (found?.open !== undefined) return found.open;
    const names = held.map(nameOf).join(', ');
    if (found === undefined)
      throw new GenerationRefused(`there is no projection ${name} of your own, but ${names || 'none'}`);
    throw new GenerationRefused(`${name} is not open: ${found.failed?.message ?? 'it is being opened'}`);
  };
  return {
    begin: () => {
      opening = Promise.all(held.map((one) => opened(get, held, one, closing.signal)));
    },
    status: () => Promise.all(held.map(statusOf)),
    generations: async () => [...(await Promise.all(held.map(generationsOf))), ...(await foreign.generations())],
    adminOf: async (generation) => {
      for (const { open } of held) {
        const own = await open?.module.generations.list();
        if (own?.some(({ name }) => name === generation) === true) return open?.admin;
      }
      return foreign.adminOf(generation);
    },
    adminNamed: (name) => openOf(name).admin,
    read: async (wish, call) => openOf(wish.projection).read(wish, call),
    close: async () => {
      closing.abort(new Error('the projections are closed'));
      // One that does not come to an end of loading is ended after its own time.
      await atMost(closeMillisMax, opening, systemTimers);
      for (const one of held) {
        const { open } = one;
        delete one.open;
        await open?.close();
      }
    },
  };
};

/** A stop waits no longer than this for modules that are being opened. */
const closeMillisMax = 2_000;

const nameOf = ({ file, name }: Held): string => name ?? basename(file);

const opened = async (get: Get, all: readonly Held[], one: Held, signal: AbortSignal): Promise<void> => {
  try {
    const module = await loadedModule(get(of.config), one.file);
    if (all.some((other) => other !== one && other.name === module.name))
      throw new ModuleFailed(basename(one.file), `has the name of another one: ${module.name}`);
    one.name = module.name;
    const onTrouble = get(of.outages).failed;
    signal.throwIfAborted();
    const open = await retrying('opening a projection', () => unlessForGood(openModule(get, module)), {
      signal,
      onTrouble,
    });
    if (open instanceof Error) throw open;
    if (signal.aborted) await open.close();
    else one.open = open;
  } catch (error) {
    if (signal.aborted) return;
    one.failed = error instanceof Error ? error : new Error(String(error));
    alarms(get)('a projection of your own has stopped')({ error, projection: nameOf(one) });
  }
};

/** Errors that the same would meet however often it is tried. */
const unlessForGood = <T>(opening: Promise<T>): Promise<T | NewerLayout | GenerationRefused> =>
  opening.catch((error: unknown) => {
    if (error instanceof NewerLayout || error instanceof GenerationRefused) return error;
    throw error;
  });

const statusOf = async (one: Held): Promise<OwnStatus> => {
  const name = nameOf(one);
  if (one.open === undefined) return { name, ...(one.failed === undefined ? {} : { stopped: one.failed.message }) };
  const { live } = one.open;
  const { generation, projections } = live.serving();
  const [status] = await projections.status();
  const stopped = status?.stopped;
  return {
    ...{ name, generation: generation.name },
    ...(status === undefined ? {} : { progress: status }),
    ...(stopped === undefined ? {} : { stopped: stopped instanceof Error ? stopped.message : 'an unknown fault' }),
  };
};

const generationsOf = async (one: Held): Promise<OwnGenerations> => {
  const { name, stopped } = await statusOf(one);
  const admin: ProjectionsAdmin | undefined = one.open?.admin;
  const { generations } = (await admin?.status()) ?? { generations: [] };
  return { name, generations, ...(stopped === undefined ? {} : { stopped }) };
};
