import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { localPubSub } from '../../adapters/pubsub/local.js';
import { systemClock } from '../../adapters/system/clock.js';
import { diskOf } from '../../adapters/system/disk.js';
import { systemTimers } from '../../adapters/system/timers.js';
import { systemUptime } from '../../adapters/system/uptime.js';
import type { BuildWishes, Built } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { isServer, type Config } from '../../config.js';
import { eventKinds } from '../../domain/registry.js';
import { generationsOf, openDocuments } from '../../engines.js';
import { freeDisk, noDisk, type FreeDisk } from '../../gateway/operations/freeDisk.js';
import { buildMeter, type BuildMeter } from '../../kernel/buildProgress.js';
import { eventCodec, type EventCodec } from '../../kernel/codec.js';
import { GenerationInUse, type Generation, type Generations } from '../../kernel/ports/generations.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { leaseMillis, lookMillis } from '../../kernel/ports/leases.js';
import { sharingLog } from '../../kernel/share.js';
import { pause } from '../../kernel/timing.js';
import { workersFor } from './workersFor.js';
import { readModels, type DeclaredReadModels } from '../../projections/registry.js';
import type { MakeFoldingEngine } from '../../projections/runner/foldingEngine.js';
import { startProjections, type ProjectionNeeds, type Sharing } from '../../projections/runner/runner.js';
import { engineOf, loadedModule } from '../own/modules.js';
import { openBuildEngines, type BuildEngines } from './buildEngines.js';
import { buildEnd, BuildStopped } from './buildEnd.js';
import { toldProgress } from './buildTold.js';
import { deploymentOf } from './deploymentOf.js';
import { documentWorkflows } from './documentWorkflows.js';
import { buildWorkers, type BuildingProjections } from './buildWorkers.js';
import { machine } from './machine.js';
import { setOf } from './set.js';

/**
 * Builds a generation of this release from the log, beside a server or without one, and goes on where an earlier build was
 * stopped. Throws `BuildStopped`, `GenerationInUse`, and what opening the engines throws; the documents stay as they are then.
 */
export const buildGeneration = async (config: Config, wishes: BuildWishes, call: VerbCall): Promise<Built> => {
  const opened: (() => Promise<void>)[] = [];
  try {
    return await built({ config, wishes, call, opened: (close) => opened.push(close) });
  } finally {
    for (const close of opened.reverse()) await close();
  }
};

type Building = {
  readonly config: Config;
  readonly wishes: BuildWishes;
  readonly call: VerbCall;
  readonly opened: (close: () => Promise<void>) => void;
};

const built = async ({ config, wishes, call, opened }: Building): Promise<Built> => {
  const disk = await watchedDisk(config);
  opened(() => {
    disk.close();
    return Promise.resolve();
  });
  const subject = await subjectOf(config, wishes);
  const engines = await openBuildEngines(config, opened);
  const generation = await chosen(subject, wishes);
  const meter = buildMeter(sharingLog(engines.log, machine(wishes.share, 1)), systemTimers.now);
  const alarms: Error[] = [];
  const { running, store } = await started({ config, wishes, engines, subject, generation, meter, opened, alarms });
  const workflows = documentWorkflows({ log: engines.log, store, running, opened });
  const finished = subject.engine === undefined ? workflows : () => Promise.resolve();
  const progress = async () => meter.progress(running.position(), await engines.log.end());
  const stopTelling = await toldProgress(call, generation.name, progress);
  try {
    const ended = await buildEnd({
      running,
      log: engines.log,
      disk,
      finished,
      follow: wishes.follow,
      signal: call.signal,
    });
    const { position, percent } = await progress();
    if (ended === 'disk full') throw new BuildStopped(generation.name, roomWanted(disk));
    return { generation: generation.name, ended, position: position.toString(), percent };
  } catch (error) {
    throw alarms[0] ?? error;
  } finally {
    stopTelling();
  }
};

/** The read models of this release, or a projection of the operator's own. */
type Subject = {
  readonly readModels: DeclaredReadModels;
  readonly generations: Generations;
  readonly engine?: MakeFoldingEngine;
};

const subjectOf = async (config: Config, { module: file }: BuildWishes): Promise<Subject> => {
  if (file === undefined) return { readModels, generations: generationsOf(config) };
  const module = await loadedModule(config, file);
  if (module.openness === 'open')
    throw new BuildStopped(
      module.name,
      'it is given personal content open, and only the server has the keys: raise its version and restart the server',
    );
  const { readModels: own, generations } = module;
  return { readModels: own, generations, engine: engineOf(module, { codec: closedCodec(), sealer: closedSealer }) };
};

const closedCodec = (): EventCodec => eventCodec(eventKinds, closedSealer);

/** The one that is wished, or the newest of the set, which an earlier build may have left; another one where that is wished. */
const chosen = async ({ generations, readModels: built }: Subject, wishes: BuildWishes): Promise<Generation> => {
  const set = setOf(built);
  const { generation, anew } = wishes;
  const own = (await generations.list()).filter((one) => one.set === set.name);
  if (generation !== undefined) return named(own, generation);
  const newest = own.at(-1);
  if (newest !== undefined && !anew) return newest;
  const number = (newest?.number ?? 0) + 1;
  const begun = await generations.begin(set, number);
  if (begun === undefined)
    throw new GenerationInUse(`${set.name}_${number.toString()}`, 'somebody who has just begun it');
  return begun;
};

const named = (own: readonly Generation[], name: string): Generation => {
  const found = own.find((one) => one.name === name);
  if (found === undefined) throw new BuildStopped(name, 'this release has no generation of that name');
  return found;
};

type Starting = Omit<Building, 'call'> & {
  readonly engines: BuildEngines;
  readonly subject: Subject;
  readonly generation: Generation;
  readonly meter: BuildMeter;
  readonly alarms: Error[];
};

const started = async (starting: Starting): Promise<Started> => {
  const { config, wishes, engines, subject, generation, meter, opened, alarms } = starting;
  const { leases } = engines;
  const { readModels: wanted, generations, engine } = subject;
  const deployment = await deploymentOf(config);
  const store = await openDocuments(generations.documents(generation), wanted.collections);
  opened(() => store.close());
  // Where no documents say whose they are, the first start of a server looks whether these are its own.
  if (deployment !== undefined) await store.belongTo(deployment);
  const sharing: Sharing | undefined = leases && {
    generation: generation.name,
    leases,
    timers: systemTimers,
    uptime: systemUptime(),
    pubSub: localPubSub({ onListenerError: () => undefined }),
  };
  const needs = {
    ...{ log: meter.log, store, projections: wanted.projections },
    ...(sharing === undefined ? {} : { sharing }),
    ...toldTroubles(generation, alarms),
  };
  // Several under one fence are not tried out there.
  const workers = isServer(config.documents) ? 1 : workersFor(wishes);
  if (wishes.workers !== undefined && wishes.workers > workers)
    throw new BuildStopped(generation.name, 'read models on MongoDB are built by one worker');
  const running: BuildingProjections =
    workers > 1
      ? await buildWorkers({
          ...{ ...needs, config, generation, workers, share: wishes.share, counted: meter.count },
          onEnd: (error) => alarms.push(error),
        })
      : await startProjections({
          ...{ ...needs, codec: closedCodec(), clock: systemClock },
          ...(engine === undefined ? {} : { engine }),
        });
  opened(() => running.close());
  if (sharing !== undefined) await mustProject(running, generation.name);
  return { running, store };
};

type Started = { readonly running: BuildingProjections; readonly store: DocumentStore };

const toldTroubles = ({ name }: Generation, alarms: Error[]): Pick<ProjectionNeeds, 'onAlarm' | 'onTrouble'> => ({
  onAlarm: ({ projection, position, error }) => {
    const why = `${projection} cannot take the event at ${position.toString()}: ${String(error)}`;
    alarms.push(new BuildStopped(name, why));
  },
  onTrouble: ({ doing, error }) => {
    process.stderr.write(`osmium: ${doing} failed and is tried again: ${String(error)}\n`);
  },
});

/** Where documents are shared, the lease shows who builds; one of a process that was killed is free after `leaseMillis`. */
const mustProject = async (running: BuildingProjections, generation: string): Promise<void> => {
  for (let waited = 0; waited <= leaseMillis + 2 * lookMillis; waited += lookMillis) {
    if (running.role() === 'projects') return;
    await pause(lookMillis, new AbortController().signal);
  }
  throw new GenerationInUse(generation, 'another process, which keeps it up to date');
};

const watchedDisk = async (config: Config): Promise<FreeDisk> =>
  isServer(config.documents)
    ? noDisk
    : freeDisk({
        disk: diskOf(config.dataDir),
        timers: systemTimers,
        floorBytes: config.freeDiskBytesMin,
        changed: () => undefined,
        failed: () => undefined,
      });

const mebibyte = 1_048_576;

const roomWanted = ({ freeBytes, buildingBytesMin }: FreeDisk): string => {
  const [free, wanted] = [freeBytes() ?? 0, buildingBytesMin()].map((bytes) => Math.ceil(bytes / mebibyte).toString());
  return `the disk has ${free ?? '0'} MiB free, and building goes on from ${wanted ?? '0'} MiB: make room and build again`;
};
