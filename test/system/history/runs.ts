import { startNodes } from '../../support/deployments.js';
import { testServer } from '../../support/server.js';
import { folderFor, serverProcess, type Cleanup } from '../../support/serverProcess.js';
import type { Fault } from './faults.js';
import type { History, Violation } from './history.js';
import { violationsIn } from './judge.js';
import { played, type Game } from './play.js';

export type Runs = {
  /** Twenty clients show more than two, on a machine that can serve them. An even number. */
  readonly clients: number;
  /** The same moves in the same order for each client; how they meet depends on the machine. */
  readonly seed: number;
  /** Resolves when a run, or each half of it, is over. */
  readonly during: (game: Game, half: 0 | 1) => Promise<unknown>;
};

export type Judged = { readonly history: History; readonly violations: readonly Violation[] };

const withoutLimits = { OSMIUM_RATE_LIMITS: 'off' };

export const onOneNode = ({ clients, seed, during }: Runs): Promise<Judged> =>
  cleanedUp(async (cleanup) => {
    const server = serverProcess(cleanup, { ...withoutLimits, OSMIUM_DATA_DIR: folderFor(cleanup) });
    const url = await server.ready;
    const both = async (game: Game): Promise<void> => {
      await during(game, 0);
      await during(game, 1);
    };
    const history = await played({ urls: () => [url], clients, seed, setup: 'one node', during: both });
    return { history, violations: violationsIn(history, 'one node') };
  });

/** One of them is killed half-way, and another one takes its place. */
export const onTwoNodes = ({ clients, seed, during }: Runs): Promise<Judged> =>
  cleanedUp(async (cleanup) => {
    const nodes = await startNodes(2, withoutLimits);
    // Whether nodes end as they should is for other tests.
    cleanup.after(() => nodes.remove().catch(() => undefined));
    let [dying, ...others] = nodes.nodes;
    const urls = [...nodes.urls];
    const killed = async (game: Game): Promise<void> => {
      await during(game, 0);
      if (dying !== undefined) {
        dying.process.kill('SIGKILL');
        urls.splice(urls.indexOf(dying.url), 1);
      }
      [dying, ...others] = others;
      const next = serverProcess(cleanup, { ...nodes.environment, OSMIUM_DATA_DIR: folderFor(cleanup) });
      urls.push(await next.ready);
      await during(game, 1);
    };
    const history = await played({ urls: () => urls, clients, seed, setup: 'many nodes', during: killed });
    return { history, violations: violationsIn(history, 'many nodes') };
  });

/** On one node that has this fault. */
export const withFault = ({ plant }: Fault, { clients, seed, during }: Runs): Promise<Judged> =>
  cleanedUp(async (cleanup) => {
    const { engines, begin } = plant();
    const server = await testServer({ engines });
    cleanup.after(() => server.remove());
    const faulty = (game: Game): Promise<unknown> => {
      begin();
      return during(game, 0);
    };
    const history = await played({ urls: () => [server.url], clients, seed, setup: 'one node', during: faulty });
    return { history, violations: violationsIn(history, 'one node') };
  });

const cleanedUp = async <T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> => {
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    return await work({ after: (one) => cleanups.push(one) });
  } finally {
    for (const one of cleanups.reverse()) await one();
  }
};
