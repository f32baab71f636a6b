import { GenerationRefused, type Switched } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { GenerationInUse, type Generation, type Generations } from '../../kernel/ports/generations.js';
import { serialQueues } from '../../kernel/serialQueue.js';
import { raised } from '../../kernel/tenure.js';
import { withDeadline } from '../../kernel/timing.js';
import { DocumentsAheadOfLog, type Projections } from '../../projections/runner/runner.js';
import { NotLevel, type SwitchableDocuments } from '../../projections/runner/switchable.js';

/** A generation that is open in this process and follows the log. */
export type OpenGeneration = {
  readonly generation: Generation;
  readonly store: DocumentStore;
  readonly projections: Projections;
  /** Can be called twice. */
  close(this: void): Promise<void>;
};

export type LiveGenerationsNeeds = {
  readonly generations: Pick<Generations, 'list' | 'serve' | 'servedBefore'>;
  /** The name of the set of this release. */
  readonly set: string;
  /** The one that serves from the start on. */
  readonly first: OpenGeneration;
  readonly switchable: Pick<SwitchableDocuments, 'switchTo'>;
  readonly end: () => Promise<Position>;
  /** How far its documents are, without opening them, and whether more than `behindEventsMax` events are missing. */
  readonly placeOf: (generation: Generation) => Promise<{ readonly position: Position; readonly isFar: boolean }>;
  /** Opens it, and follows the log from its checkpoints on. */
  readonly open: (generation: Generation) => Promise<OpenGeneration>;
  /** From now on another one serves. */
  readonly switched: (to: string, from: string) => void;
};

/** A server catches up with no more events beside its clients; more are for `projections build`. */
export const behindEventsMax = 10_000;
/** How many are open beside the one that serves: one that is looked at, and the one that served before. */
export const besideMax = 2;
export const catchUpMillisMax = 30_000;
const levelTriesMax = 5;

/** The generations that this process has open: the one that serves, and others that are kept up to date beside it. */
export interface LiveGenerations {
  serving(this: void): OpenGeneration;
  /** The one that serves first. */
  all(this: void): readonly OpenGeneration[];
  /** Opens it beside the others, unless it is open, and gives it once it has come to the end of the log. Throws `GenerationRefused`. */
  opened(this: void, name: string, call: Pick<VerbCall, 'signal'>): Promise<OpenGeneration>;
  /** Throws `GenerationRefused`; then the former one goes on serving, also after the next start. */
  switchTo(this: void, name: string, call: Pick<VerbCall, 'signal'>): Promise<Switched>;
  /** Serves one that was chosen on another node. */
  follow(this: void, name: string, call: Pick<VerbCall, 'signal'>): Promise<void>;
  /** Closes one that does not serve. */
  release(this: void, name: string): Promise<void>;
  close(this: void): Promise<void>;
}

export const liveGenerations = (needs: LiveGenerationsNeeds): LiveGenerations => {
  const { generations, set, switchable, end } = needs;
  const queues = serialQueues();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => queues.run('generations', work);
  const open = openGenerations(needs);
  const exchange = async (next: OpenGeneration): Promise<void> => {
    const former = open.serving();
    await level(switchable, next, end);
    open.serve(next);
    needs.switched(next.generation.name, former.generation.name);
  };
  return {
    serving: open.serving,
    all: open.all,
    opened: (name, call) => inTurn(() => open.opened(name, call)),
    switchTo: (name, call) =>
      inTurn(async () => {
        const former = open.serving().generation;
        if (former.name === name) throw new GenerationRefused(`the generation ${name} serves already`);
        const next = await open.opened(name, call);
        const before = await generations.servedBefore(set);
        // Before anybody reads it: after a crash the next start goes on with it.
        await generations.serve(next.generation, former.name);
        try {
          await exchange(next);
        } catch (error) {
          await generations.serve(former, before);
          throw error;
        }
        return { generation: name, before: former.name, from: 'now' };
      }),
    follow: (name, call) =>
      inTurn(async () => {
        if (open.serving().generation.name !== name) await exchange(await open.opened(name, call));
      }),
    release: (name) => inTurn(() => open.release(name)),
    close: () =>
      inTurn(async () => {
        for (const one of open.all().toReversed()) await one.close();
      }),
  };
};

const openGenerations = (needs: LiveGenerationsNeeds) => {
  let serving = needs.first;
  // The last one was opened last.
  let beside: readonly OpenGeneration[] = [];
  const release = async (name: string): Promise<void> => {
    const gone = beside.filter(({ generation }) => generation.name === name);
    beside = beside.filter((one) => !gone.includes(one));
    for (const one of gone) await one.close();
  };
  const enter = async (one: OpenGeneration): Promise<void> => {
    beside = [...beside, one];
    const [oldest] = beside;
    if (beside.length > besideMax && oldest !== undefined) await release(oldest.generation.name);
  };
  return {
    serving: () => serving,
    all: () => [serving, ...beside],
    release,
    serve: (next: OpenGeneration): void => {
      beside = [...beside.filter((one) => one !== next), serving];
      serving = next;
    },
    opened: async (name: string, { signal }: Pick<VerbCall, 'signal'>): Promise<OpenGeneration> => {
      const there = [serving, ...beside].find(({ generation }) => generation.name === name);
      const one = there ?? (await openedAnew(needs, name));
      if (there === undefined) await enter(one);
      try {
        await caughtUp(one, needs.end, signal);
      } catch (error) {
        if (there === undefined) await release(name);
        throw error;
      }
      return one;
    },
  };
};

/** The name of the one to go back to. Throws `GenerationRefused`. */
export const nameBefore = async (generations: Pick<Generations, 'servedBefore'>, set: string): Promise<string> => {
  const before = await generations.servedBefore(set);
  if (before === undefined) throw new GenerationRefused('no other generation has served before');
  return before;
};

/** One of this release. Throws `GenerationRefused`. */
export const generationOf = async (
  generations: Pick<Generations, 'list'>,
  set: string,
  name: string,
): Promise<Generation> => {
  const found = (await generations.list()).find((one) => one.name === name);
  if (found === undefined) throw new GenerationRefused(`there is no generation ${name}`);
  if (found.set !== set)
    throw new GenerationRefused(`the generation ${name} is of another release, which alone can serve it`);
  return found;
};

export const behind = (name: string, at: Position, than: string): GenerationRefused =>
  new GenerationRefused(`the generation ${name} is behind: it is at ${at.toString()}, ${than}; build it first`);

const openedAnew = async (needs: LiveGenerationsNeeds, name: string): Promise<OpenGeneration> => {
  const found = await generationOf(needs.generations, needs.set, name);
  const { position, isFar } = await needs.placeOf(found);
  if (isFar) throw behind(name, position, `and the log ends at ${(await needs.end()).toString()}`);
  try {
    return await needs.open(found);
  } catch (error) {
    if (error instanceof GenerationInUse || error instanceof DocumentsAheadOfLog)
      throw new GenerationRefused(error.message);
    throw error;
  }
};

/** Throws `GenerationRefused` where it does not come to the end of the log, and says how far it is. */
const caughtUp = async (
  { generation: { name }, projections }: OpenGeneration,
  end: () => Promise<Position>,
  signal: AbortSignal,
): Promise<void> => {
  const wanted = await end();
  const place = (): Position => projections.position();
  try {
    const ended = raised(signal).then(() => {
      throw new GenerationRefused('stopped');
    });
    const reached = Promise.race([projections.reached(wanted), ended]);
    await withDeadline(reached, catchUpMillisMax, () =>
      behind(name, place(), `and the log ends at ${wanted.toString()}`),
    );
  } catch (error) {
    if (error instanceof GenerationRefused) throw error;
    const stopped = (await projections.status()).find((one) => one.stopped !== undefined);
    if (stopped === undefined) throw error;
    throw new GenerationRefused(
      `the read model ${stopped.name} of ${name} has stopped: it is at ${stopped.position.toString()}, and cannot take the event after it`,
    );
  }
};

/** Appends that come without a pause may keep it from being level at the first try. */
const level = async (
  switchable: Pick<SwitchableDocuments, 'switchTo'>,
  next: OpenGeneration,
  end: () => Promise<Position>,
): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await switchable.switchTo(next, end);
      return;
    } catch (error) {
      if (!(error instanceof NotLevel)) throw error;
      if (tries >= levelTriesMax)
        throw new GenerationRefused(`${next.generation.name} cannot serve yet: ${error.message}`);
    }
  }
};

/** Of those that are open, for probes and metrics. */
export type FollowedGeneration = { readonly name: string; readonly isServing: boolean; readonly position: Position };

export const followedGenerations = ({
  all,
  serving,
}: Pick<LiveGenerations, 'all' | 'serving'>): readonly FollowedGeneration[] =>
  all().map((one) => ({
    name: one.generation.name,
    isServing: one === serving(),
    position: one.projections.position(),
  }));
