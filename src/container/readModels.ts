import { systemTimers } from '../adapters/system/timers.js';
import { isServer } from '../config.js';
import { buildMeter, inWords, type BuildProgress } from '../kernel/buildProgress.js';
import type { Position } from '../kernel/event.js';
import { DocumentsAheadOfLog, startProjections, type Projections } from '../projections/runner/runner.js';
import { unusable } from '../startFailure.js';
import { alarms } from './logging.js';
import type { ServedReadModels } from './servedReadModels.js';
import { of, type Get } from './tokens.js';

/** How often the log of the server says how far a build is. */
export const buildReportMillis = 10_000;

/** Read models that are ahead of the log are at fault: it was restored from an older backup. */
export const startReadModels = async (get: Get): Promise<ServedReadModels> => {
  try {
    return await started(get);
  } catch (error) {
    throw error instanceof DocumentsAheadOfLog ? unusable(get(of.parts).documents.place, error) : error;
  }
};

const started = async (get: Get): Promise<ServedReadModels> => {
  const alarm = alarms(get);
  const { name: generation } = get(of.deployed).generation;
  const [leases, uptime, pubSub] = [get(of.leases), get(of.uptime), get(of.pubSub)];
  const sharing = { generation, leases, timers: systemTimers, uptime, pubSub };
  const meter = buildMeter(get(of.log), systemTimers.now);
  const running = await startProjections({
    log: meter.log,
    codec: get(of.codec),
    store: get(of.documents),
    projections: get(of.readModels).projections,
    clock: get(of.clock),
    ...(isServer(get(of.config).documents) ? { sharing } : {}),
    onAlarm: alarm('a projection has stopped'),
    onTrouble: get(of.outages).failed,
  });
  const end = await get(of.log).end();
  const building = reportedBuild(get, running, () => meter.progress(running.position(), end));
  return { ...running, generation, building };
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
