import { systemTimers } from '../adapters/system/timers.js';
import type { ActJudge } from '../gateway/contract/judge.js';
import { refusedAs } from '../gateway/updates/judge.js';
import type { Position } from '../kernel/event.js';
import type { Tenancy } from '../kernel/tenure.js';
import { pause } from '../kernel/timing.js';
import { underWay, type UnderWay } from '../kernel/underWay.js';
import type { ProjectionName } from '../projections/registry.js';
import { startLeasedWorkflow } from '../workflows/leased.js';
import { workflowsOf, workflowsOfDocuments, workflowsOfSharedLog, type AnyWorkflow } from '../workflows/registry.js';
import type { ShowPreviewsNeeds } from '../workflows/showPreviews.js';
import type { WithdrawMessagesNeeds } from '../workflows/withdrawMessages.js';
import type { WorkflowAlarm } from '../workflows/runner.js';
import type { OpenGeneration } from './generations/live.js';
import { WorkflowAheadOfLog, workflowPlaces } from './generations/workflowPlaces.js';
import { unusable } from '../startFailure.js';
import { of, type Get } from './tokens.js';

export interface PlacedWorkflows {
  readonly ofAnyLog: readonly AnyWorkflow[];
  /** To be started once the fan-out follows. */
  readonly ofSharedLog: readonly AnyWorkflow[];
  start(this: void, workflow: AnyWorkflow): Promise<Tenancy>;
  /** Ends the fetches of previews, and stores what has come. */
  stopFetching(this: void): Promise<void>;
}

/** All workflows of this server, each of which has a checkpoint when this resolves. */
export const placedWorkflows = async (get: Get): Promise<PlacedWorkflows> => {
  try {
    return await placed(get);
  } catch (error) {
    throw error instanceof WorkflowAheadOfLog ? unusable(get(of.parts).documents.place, error) : error;
  }
};

const placed = async (get: Get): Promise<PlacedWorkflows> => {
  const fetches = underWay();
  const ofAnyLog = workflowsOf(previewing(get, fetches));
  const judge = get(of.judge);
  const ofSharedLog = judge === undefined ? [] : workflowsOfSharedLog(judging(get, judge));
  const place = await workflowPlaces(
    {
      checkpoints: get(of.engines).workflows,
      documents: get(of.documents),
      former: get(of.parts).documents.generations.former,
      log: get(of.log),
    },
    [...ofAnyLog, ...ofSharedLog],
  );
  // The name of a generation is for those that work on documents.
  const needs = { ...needsOf(get), generation: '' };
  return {
    ofAnyLog,
    ofSharedLog,
    stopFetching: async () => {
      await get(of.linkPreviews).close();
      await fetches.ended();
    },
    start: (workflow) => startLeasedWorkflow(workflow, { ...needs, documents: place(workflow) }),
  };
};

const previewing = (get: Get, fetches: UnderWay): ShowPreviewsNeeds => ({
  ...(get(of.config).embeds && { linkPreviews: get(of.linkPreviews) }),
  pagePicture: get(of.files).pagePicture,
  streams: get(of.streams),
  clock: get(of.clock),
  timers: systemTimers,
  fetches,
  fetchFailed: (err) => {
    get(of.logger).warn({ err }, 'the preview of a link was not stored');
  },
});

/** Those that work on the documents of one generation, each with its checkpoint among them. */
export const generationWorkflows = async (
  get: Get,
  { generation: { name: generation }, store: documents, projections }: Omit<OpenGeneration, 'close'>,
): Promise<readonly Tenancy[]> => {
  const reached = (position: Position, names: readonly ProjectionName[]) => projections.reached(position, names);
  const needs = { ...needsOf(get), generation, documents };
  const started: Tenancy[] = [];
  for (const workflow of workflowsOfDocuments({ documents, reached }))
    started.push(await startLeasedWorkflow(workflow, needs));
  return started;
};

const needsOf = (get: Get) => ({
  log: get(of.log),
  codec: get(of.codec),
  sealer: get(of.sealer),
  leases: get(of.leases),
  timers: systemTimers,
  uptime: get(of.uptime),
  pubSub: get(of.pubSub),
  execute: get(of.execute),
  pause,
  alarm: ({ workflow, error }: WorkflowAlarm) => {
    get(of.outages).failed({ doing: `the workflow ${workflow}`, error });
  },
});

const judging = (get: Get, judge: ActJudge): WithdrawMessagesNeeds => ({
  log: get(of.log),
  codec: get(of.codec),
  sealer: get(of.sealer),
  isRefused: refusedAs(judge),
  reached: (position) => get(of.gateway).fanOut.reached(position),
});
