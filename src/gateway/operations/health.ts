import { inWords, type BuildProgress } from '../../kernel/buildProgress.js';
import { withDeadline } from '../../kernel/timing.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Clock } from '../../kernel/ports/system.js';
import type { Projections, ProjectionStatus, Role } from '../../projections/runner/runner.js';
import type { FanOut } from '../updates/fanOut.js';
import type { LagWatch } from '../updates/lagWatch.js';
import type { GenerationLag, Gauges, Lag, OwnReport } from './metrics.js';

export type HealthNeeds = {
  readonly log: Pick<EventLog, 'end'>;
  readonly clock: Clock;
  readonly fanOut: Pick<FanOut, 'isRunning' | 'lastAt' | 'position'>;
  /** Says whether writes are refused, because rights are not followed. */
  readonly lag: Pick<LagWatch, 'isBehind'>;
  readonly projections: Pick<Projections, 'status' | 'role'>;
  /** How far the search index is; undefined while it is not open. Clients may come without it. */
  readonly search: () => Promise<ProjectionStatus | undefined>;
  /** The projections of the operator's own. Clients may come without them as well. */
  readonly own: () => Promise<readonly OwnLag[]>;
  /** The generations that this node has open, of which one serves. */
  readonly generations: () => readonly OpenReadModels[];
  /** How far it is, until it holds all that was in the log at the start. */
  readonly building: () => BuildProgress | undefined;
  /** Asks the store of the read models for something small. Rejects when it cannot be reached. */
  readonly documents: () => Promise<unknown>;
  /** The number in this node's ids; undefined while it has none. */
  readonly nodeNumber: () => number | undefined;
  /** Why nodes hear nothing of each other. */
  readonly aloneBecause: () => string | undefined;
};

/** A projection of the operator's own. */
export type OwnLag = {
  readonly name: string;
  readonly generation?: string;
  /** Absent while it is not open. */
  readonly progress?: ProjectionStatus;
  readonly stopped?: string;
};

/** A generation of read models that follows the log. */
export type OpenReadModels = { readonly name: string; readonly isServing: boolean; readonly position: bigint };

export interface Health {
  /**
   * Whether clients should come: all that requests need answers, everything follows the log, and nothing is far behind.
   * A node that hears nothing of others reports that, and is still ready.
   */
  readiness(this: void): Promise<Readiness & Report>;
  lags(this: void): Promise<readonly Lag[]>;
  /** The facts that can be asked for without waiting. */
  readonly gauges: Pick<Gauges, 'projects' | 'nodeNumber' | 'alone' | 'writesRefused' | 'generations' | 'own'>;
}

/** The server is not ready while a read model is behind the log by more. */
export const readyLagMillisMax = 10_000;

/** A prober of readiness does not wait for long, and an engine that takes longer is as good as away. */
export const answerMillisMax = 3_000;

export const health = (needs: HealthNeeds): Health => {
  const { log, fanOut, lag, projections, documents, generations, nodeNumber, aloneBecause } = needs;
  return {
    readiness: async () => {
      const parts = await Promise.all([
        answers(log.end()),
        answers(documents()),
        inTime(projections.status()).catch(() => undefined),
      ]);
      const [logAnswers, documentsAnswer, status] = parts;
      const report: Report = {
        log: logAnswers,
        documents: documentsAnswer,
        otherNodes: aloneBecause() ?? 'ok',
        writes: lag.isBehind() ? 'refused' : 'ok',
        node: nodeNumber() ?? null,
        role: projections.role(),
        generation: servingIn(generations()),
        generations: logAnswers === 'ok' ? await answered(generationLags(needs), []) : [],
        lags: logAnswers === 'ok' && status !== undefined ? await answered(lagsOfAll(needs, status), []) : [],
        own: await answered(ownReports(needs), []),
        stopped: (status ?? []).flatMap(({ name, stopped }) => (stopped === undefined ? [] : [name])),
      };
      const reason = fanOut.isRunning()
        ? whyNot(report, status, needs.building())
        : 'clients are not told what happens';
      return reason === undefined ? { ready: true, ...report } : { ready: false, reason, ...report };
    },
    lags: async () => lagsOfAll(needs, await projections.status()),
    gauges: {
      projects: () => projections.role() === 'projects',
      nodeNumber,
      alone: () => aloneBecause() !== undefined,
      writesRefused: lag.isBehind,
      generations: () => generationLags(needs),
      own: () => ownReports(needs),
    },
  };
};

/** The answer of /readyz about each part. */
export type Report = {
  readonly log: Answer;
  readonly documents: Answer;
  /** `ok`, or why nothing is heard of them: presence, typing and limits are this node's own meanwhile. */
  readonly otherNodes: string;
  /** `refused` while this node does not follow the rights in the log closely enough to write. */
  readonly writes: 'ok' | 'refused';
  readonly node: number | null;
  readonly role: Role;
  /** The name of the generation of documents that serves. */
  readonly generation: string;
  /** Those that this node keeps up to date, that one included. */
  readonly generations: readonly GenerationLag[];
  readonly lags: readonly Lag[];
  /** The read models that have stopped. */
  readonly stopped: readonly string[];
  /** The projections of the operator's own. The server is ready without them. */
  readonly own: readonly OwnReport[];
};
type Answer = 'ok' | 'away';

const servingIn = (generations: readonly OpenReadModels[]): string =>
  generations.find(({ isServing }) => isServing)?.name ?? 'none';

const generationLags = async ({ log, generations }: HealthNeeds): Promise<readonly GenerationLag[]> => {
  const end = await log.end();
  return generations().map(({ name, isServing, position }) => ({
    ...{ name, isServing, position: position.toString() },
    positions: Number(end > position ? end - position : 0n),
  }));
};

const whyNot = (
  { log, documents, node, writes, generation }: Report,
  status: readonly ProjectionStatus[] | undefined,
  building: BuildProgress | undefined,
): string | undefined => {
  if (log === 'away') return 'the log does not answer';
  if (documents === 'away' || status === undefined) return 'the store of the read models does not answer';
  if (node === null) return 'this node has no number for ids';
  if (writes === 'refused') return 'writes are refused: this node is behind the log';
  for (const { name, stopped, lagMillis } of status) {
    if (stopped !== undefined) return `the read model ${name} has stopped`;
    if (building !== undefined) return `the generation ${generation} is built from the log: ${inWords(building)}`;
    // Unknown means that it has only just begun to catch up.
    if ((lagMillis ?? Infinity) > readyLagMillisMax) return `the read model ${name} is behind`;
  }
  return undefined;
};

const lagsOfAll = async (needs: HealthNeeds, status: readonly ProjectionStatus[]): Promise<readonly Lag[]> => {
  const [search, own] = [await needs.search().catch(() => undefined), await needs.own().catch(() => [])];
  const others = own.flatMap(({ name, progress }) =>
    progress === undefined ? [] : [{ ...progress, name: ownName(name) }],
  );
  return lagsOf(needs, [...status, ...(search === undefined ? [] : [search]), ...others]);
};

/** It may have the name of one of ours. */
const ownName = (name: string): string => `own ${name}`;

const ownReports = async ({ own }: HealthNeeds): Promise<readonly OwnReport[]> =>
  (await own()).map(({ name, generation, progress, stopped }) => ({
    ...{
      name,
      generation: generation ?? null,
      position: progress?.position.toString() ?? null,
      stopped: stopped ?? null,
    },
  }));

const lagsOf = async (
  { log, clock, fanOut }: HealthNeeds,
  status: readonly ProjectionStatus[],
): Promise<readonly Lag[]> => {
  const end = await log.end();
  const positionsBehind = (position: bigint): number => Number(end > position ? end - position : 0n);
  const positions = positionsBehind(fanOut.position());
  const since = fanOut.lastAt();
  const seconds = positions === 0 || since === undefined ? 0 : (clock.now() - since) / 1000;
  const models = status.map(({ name, position, lagMillis = 0 }) => ({
    of: name,
    positions: positionsBehind(position),
    seconds: lagMillis / 1000,
  }));
  return [{ of: 'fan-out', positions, seconds }, ...models];
};

/** Clients may ask for the verdict as often as they like: the engines are asked no more often than this. */
export const readinessMillisMax = 1_000;

/** The verdict without the details, remembered for `readinessMillisMax`. */
export const rememberedReadiness = (
  readiness: () => Promise<Readiness>,
  now: () => number,
): (() => Promise<{ readonly ready: boolean }>) => {
  let asked: Promise<{ readonly ready: boolean }> | undefined;
  let until = Number.NEGATIVE_INFINITY;
  return () => {
    if (asked !== undefined && now() < until) return asked;
    // Requests that come while the engines answer wait for the same answer.
    until = Number.POSITIVE_INFINITY;
    asked = readiness()
      .then(({ ready }) => ({ ready }))
      .finally(() => {
        until = now() + readinessMillisMax;
      });
    return asked;
  };
};

/** The outcome, or a rejection when the engine does not answer in time. */
const inTime = <T>(asked: Promise<T>): Promise<T> => withDeadline(asked, answerMillisMax, () => new Error('no answer'));

const answers = (asked: Promise<unknown>): Promise<Answer> =>
  inTime(asked).then(
    () => 'ok',
    () => 'away',
  );

const answered = <T>(asked: Promise<T>, otherwise: T): Promise<T> => inTime(asked).catch(() => otherwise);

/** The verdict, beside all that is known of the parts. */
export type Readiness =
  { readonly ready: true; readonly reason?: undefined } | { readonly ready: false; readonly reason: string };
