import { GenerationRefused } from '../../admin/projections.js';
import { isServer } from '../../config.js';
import { parsedJson } from '../../kernel/json.js';
import { pause } from '../../kernel/timing.js';
import type { Generations } from '../../kernel/ports/generations.js';
import { of, type Get } from '../tokens.js';
import type { LiveGenerations } from './live.js';
import type { RunningGenerations } from './needs.js';

/** Nodes that were not told of a switch, because Redis was away, look for one so often. */
export const chosenLookMillis = 30_000;

type Told = { readonly chosen?: string; readonly released?: string };

const topicOf = (set: string): string => `generations ${set}`;

/** Tells the other nodes that share the documents. A switch stays done when they cannot be told: they look by themselves. */
export const toldGenerations = (get: Get, set: string): Pick<RunningGenerations, 'switched' | 'released'> => {
  const tell = async (told: Told): Promise<void> => {
    if (!isServer(get(of.config).documents)) return;
    try {
      await get(of.pubSub).publish(topicOf(set), new TextEncoder().encode(JSON.stringify(told)));
    } catch (error) {
      get(of.outages).failed({ doing: 'telling other nodes of a generation', error });
    }
  };
  return { switched: (chosen) => tell({ chosen }), released: (released) => tell({ released }) };
};

export type ChosenGenerations = {
  readonly set: string;
  readonly live: Pick<LiveGenerations, 'serving' | 'follow' | 'release'>;
  readonly generations: Pick<Generations, 'serving'>;
};

/** Serves the generation that was chosen on another node, and closes those that are to be dropped. Until the answer is called. */
export const followChosenGeneration = async (
  get: Get,
  { set, live, generations }: ChosenGenerations,
): Promise<() => Promise<void>> => {
  if (!isServer(get(of.config).documents)) return () => Promise.resolve();
  const ending = new AbortController();
  const { signal } = ending;
  const look = async (): Promise<void> => {
    try {
      const chosen = await generations.serving(set);
      if (chosen === undefined) return;
      const former = live.serving().generation.name;
      await live.follow(chosen, { signal });
      // Nobody could say that it is to be dropped, and it is not while this node keeps it up to date.
      if (former !== chosen && !isServer(get(of.config).pubSub)) await live.release(former);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof GenerationRefused)
        get(of.logger).warn({ reason: error.message }, 'a generation was chosen that cannot serve here');
      else get(of.outages).failed({ doing: 'serving the generation that was chosen', error });
    }
  };
  const hear = (bytes: Uint8Array): void => {
    // Written by `toldGenerations` of another node.
    const { chosen, released } = parsedJson(new TextDecoder().decode(bytes)) as Told;
    if (chosen !== undefined) void look();
    if (released !== undefined)
      live.release(released).catch((error: unknown) => {
        get(of.outages).failed({ doing: 'closing a generation', error });
      });
  };
  const unsubscribe = await get(of.pubSub).subscribe(topicOf(set), hear);
  const looking = (async () => {
    for (;;) {
      await pause(chosenLookMillis, signal);
      if (signal.aborted) return;
      await look();
    }
  })();
  return async () => {
    ending.abort();
    await unsubscribe();
    await looking;
  };
};
