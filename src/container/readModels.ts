import { systemTimers } from '../adapters/system/timers.js';
import { buildMeter, inWords, type BuildProgress } from '../kernel/buildProgress.js';
import type { Position } from '../kernel/event.js';
import { DocumentsAheadOfLog, type Projections } from '../projections/runner/runner.js';
import { unusable } from '../startFailure.js';
import type { LiveGenerations } from './generations/live.js';
import { followedProjections, startGenerations } from './generations/running.js';
import type { ServedReadModels } from './servedReadModels.js';
import { of, type Get } from './tokens.js';

/** How often the log of the server says how far a build is. */
export const buildReportMillis = 10_000;

export type StartedReadModels = {
  readonly served: ServedReadModels;
  readonly generations: LiveGenerations;
  /** Of those that work on the documents that serve first. They end with them. */
  readonly startWorkflows: () => Promise<void>;
};

/** Read models that are ahead of the log are at fault: it was restored from an older backup. */
export const startReadModels = async (get: Get): Promise<StartedReadModels> => {
  try {
    return await started(get);
  } catch (error) {
    throw error instanceof DocumentsAheadOfLog ? unusable(get(of.parts).documents.place, error) : error;
  }
};

const started = async (get: Get): Promise<StartedReadModels> => {
  const { generation } = get(of.deployed);
  const meter = buildMeter(get(of.log), systemTimers.now);
  const store = get(of.engines).documents;
  const running = await followedProjections(get, {
    ...{ generation, store, log: meter.log },
    projections: get(of.readModels).projections,
  });
  const { live: generations, startWorkflows } = startGenerations(get, running);
  const end = await get(of.log).end();
  const building = reportedBuild(get, running, () => meter.progress(running.position(), end));
  return { served: { ...get(of.switchable).follow(running), building }, generations, startWorkflows };
};

/** Tells of it until the documents have come to its end, or will not any more. */
const reportedBuild = (
  get: Get,
  running: Projections,
  progress: () => BuildProgress & { readonly end: Position },
): (() => BuildProgress | undefined) => {
  const { name: generation } = get(of.deployed).generation;
  let isOver = false;
  let cancel: () => void = () => undefined;
  const report = (): void => {
    get(of.logger).info({ generation }, `the read models are built from the log: ${inWords(progress())}`);
    cancel = systemTimers.later(buildReportMillis, report);
  };
  const end = (): void => {
    isOver = true;
    cancel();
  };
  const { end: wanted } = progress();
  cancel = systemTimers.later(buildReportMillis, report);
  const reached = running.reached(wanted);
  if (reached === undefined) end();
  else reached.then(end, end);
  return () => (isOver ? undefined : progress());
};
