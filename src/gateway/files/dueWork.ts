import pLimit from 'p-limit';
import type { Millis } from '../../kernel/ids.js';
import type { DueSpan } from '../../projections/files/queries.js';

/** Things of one kind that are due, as they are found. */
export type Due<T> = {
  /** Those of the span, the oldest first, at most so many. They may be found for some time after they were seen to. */
  readonly find: (span: DueSpan, limit: number) => Promise<readonly T[]>;
  readonly since: (one: T) => Millis;
  readonly name: (one: T) => string;
  readonly work: (one: T) => Promise<void>;
  /** Asked before each thing; false ends the pass. */
  readonly mayGoOn?: () => boolean;
};

/** The outcome of a pass over all that was due. `first` is the first failure. */
export type Passed = { readonly done: number; readonly failed: number; readonly first?: unknown };

/** Things that are found at a time, and are all that is held of them. */
export const duePageItems = 200;

/** Things that are worked on at a time. */
const atOnceMax = 8;

/** So many failures in a row are those of an engine that is away, so the look ends; the next one goes on behind them. */
export const failuresInRowMax = 50;

/** Work on all that is due, again and again. */
export interface DueWork {
  /** Comes to its end at the last thing that was due before this time, past those that fail. Rejects when nothing can be found. */
  pass(this: void, before: Millis, signal: AbortSignal): Promise<Passed>;
}

export const dueWork = <T>(due: Due<T>): DueWork => {
  let goesOnAt: Millis | undefined;
  return {
    pass: async (before, signal) => {
      const counts = tally();
      let after = goesOnAt;
      let seen: ReadonlySet<string> = new Set();
      goesOnAt = undefined;
      while (!signal.aborted && due.mayGoOn?.() !== false) {
        const page = await due.find({ before, ...(after !== undefined && { after }) }, duePageItems);
        const fresh = page.filter((one) => !seen.has(due.name(one)));
        const tried = await workOn(due, fresh, { counts, signal });
        if (tried !== undefined && counts.inRow() >= failuresInRowMax) {
          goesOnAt = due.since(tried);
          break;
        }
        const last = page.at(-1);
        if (last === undefined || page.length < duePageItems) break;
        // Others of the same time may come behind the last one. Where none of a page was new, they are left for the next pass.
        after = fresh.length === 0 ? due.since(last) : ((due.since(last) - 1) as Millis);
        seen = new Set(page.map(due.name));
      }
      return counts.passed();
    },
  };
};

type Tally = {
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
  readonly inRow: () => number;
  readonly passed: () => Passed;
};

const tally = (): Tally => {
  let [done, failed, inRow] = [0, 0, 0];
  let first: unknown;
  return {
    done: () => {
      done += 1;
      inRow = 0;
    },
    failed: (error) => {
      first ??= error;
      failed += 1;
      inRow += 1;
    },
    inRow: () => inRow,
    passed: () => ({ done, failed, ...(failed > 0 && { first }) }),
  };
};

type Pass = { readonly counts: Tally; readonly signal: AbortSignal };

/** Gives the last one that was tried. */
const workOn = async <T>(
  { work, mayGoOn }: Due<T>,
  all: readonly T[],
  { counts, signal }: Pass,
): Promise<T | undefined> => {
  const limited = pLimit(atOnceMax);
  let tried: T | undefined;
  const one = async (thing: T): Promise<void> => {
    // Those that come behind an engine that is away need not find that out by themselves.
    if (signal.aborted || counts.inRow() >= failuresInRowMax || mayGoOn?.() === false) return;
    tried = thing;
    try {
      await work(thing);
      counts.done();
    } catch (error) {
      counts.failed(error);
    }
  };
  await Promise.all(all.map((thing) => limited(one, thing)));
  return tried;
};
