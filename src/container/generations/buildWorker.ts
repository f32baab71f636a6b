import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { systemTimers } from '../../adapters/system/timers.js';
import { eventKinds } from '../../domain/registry.js';
import { generationsOf, openDocuments } from '../../engines.js';
import { buildMeter } from '../../kernel/buildProgress.js';
import { eventCodec } from '../../kernel/codec.js';
import { beforeAll } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { sharingLog } from '../../kernel/share.js';
import { projectionProgress, type ProjectionProgress } from '../../projections/progress/progress.js';
import { readModels } from '../../projections/registry.js';
import { project } from '../../projections/runner/leader.js';
import { checkpointed } from '../../projections/runner/runner.js';
import { openBuildLog } from './buildEngines.js';
import { machine } from './machine.js';
import { permittedLog } from './permittedLog.js';
import type { WorkerNews, WorkerOrder, WorkerTask } from './workerMessages.js';

/** The program of a thread that folds its portion of the documents of a build, until it is told to end. */

/**
 * A checkpoint is only true of the documents of all workers, so the thread that started them writes it. Under a fence those
 * at the start of the log keep former holders of the lease out, and move nothing.
 */
const withoutCheckpoints = (store: DocumentStore): DocumentStore => ({
  ...store,
  commit: (writes, checkpoints) =>
    store.commit(
      writes,
      checkpoints.flatMap((one) => (one.fence === undefined ? [] : [{ ...one, position: beforeAll }])),
    ),
});

/** Tells of each change, as well as those who wait here. */
const telling = (progress: ProjectionProgress, tell: () => void): ProjectionProgress => ({
  ...progress,
  changed: () => {
    progress.changed();
    tell();
  },
});

const work = async (
  port: MessagePort,
  { config, generation, portion, share, fence, permitted }: WorkerTask,
): Promise<void> => {
  const ending = new AbortController();
  const tell = (news: WorkerNews): void => {
    port.postMessage(news);
  };
  const whole = await openBuildLog(config);
  const { log, permit } = permittedLog({
    ...{ log: whole, permitted, signal: ending.signal },
    waits: (position) => {
      tell({ kind: 'waits', position });
    },
  });
  // Orders of before wait in the port until somebody listens.
  port.on('message', (order: WorkerOrder) => {
    if (order.kind === 'end') ending.abort();
    else permit(order.position);
  });
  const meter = buildMeter(sharingLog(log, machine(share, portion.workers)), systemTimers.now);
  const { projections, collections } = readModels;
  const store = await openDocuments(generationsOf(config).documentsOfThread(generation), collections);
  const running = await checkpointed({ projections, store, log });
  const progress = telling(projectionProgress(running), () => {
    const places = new Map(running.map(({ checkpoint, committed }) => [checkpoint, committed]));
    tell({ kind: 'stored', places, events: meter.events() });
  });
  await project(
    {
      ...{ log: meter.log, codec: eventCodec(eventKinds, closedSealer), store: withoutCheckpoints(store) },
      ...{ projections, progress, portion },
      onAlarm: ({ projection, position, error }) => {
        tell({ kind: 'stopped', projection, position, error: String(error) });
      },
      onTrouble: ({ doing, failures, error }) => {
        tell({ kind: 'trouble', doing, failures, error: String(error) });
      },
    },
    { fence, signal: ending.signal },
  );
  await store.close();
  await log.close();
};

if (parentPort !== null) {
  // Written by the thread that started this one, which is of the same release.
  await work(parentPort, workerData as WorkerTask);
  parentPort.close();
}
