import type { Timers } from './ports/leases.js';

/** Something failed for now and is tried again: nothing is lost, and nothing goes on meanwhile. */
export type Trouble = {
  /** The work that waits, such as `storing documents`. One of a fixed set, because each is remembered. */
  readonly doing: string;
  readonly error: unknown;
  /** So many calls wait for it. Default: 1. */
  readonly waiting?: number;
};

/** An engine that is a program of its own, and may be away while this process goes on. */
export type AwayEngine = {
  readonly name: string;
  /** For eyes: without user, password and options. */
  readonly address: string;
  /** Resolves when it answers again, or rejects when it does not. */
  readonly isBack: () => Promise<unknown>;
};

export type OutageStart = { readonly engine: AwayEngine; readonly trouble: Trouble };
export type OutageEnd = {
  readonly engine: AwayEngine;
  readonly seconds: number;
  /** The most calls that waited at a time, by what they did. */
  readonly waited: Readonly<Record<string, number>>;
};

export type OutagesNeeds<Kind extends string> = {
  readonly timers: Timers;
  /** The engine whose absence explains the error; undefined when it has another cause. */
  readonly kindOf: (error: unknown) => Kind | undefined;
  readonly began: (start: OutageStart) => void;
  readonly ended: (end: OutageEnd) => void;
  /** A failure that no engine explains. The same one is told again only after `toldAgainMillis`. */
  readonly unexplained: (trouble: Trouble) => void;
};

/**
 * Tells of each outage of an engine twice, when it begins and when it is over, however many calls fail meanwhile and
 * however often they are made again.
 */
export interface Outages<Kind extends string> {
  /** From now on failures of this kind are those of the engine. */
  know(this: void, kind: Kind, engine: AwayEngine): void;
  /** `kind`: where the error alone does not say it. */
  failed(this: void, trouble: Trouble, kind?: Kind): void;
  /** Asks no engine any more. */
  close(): void;
}

/** An engine that is away is asked so often whether it is back. */
export const lookMillis = 250;
/** Nothing must have failed for so long before an outage is over: engines come back piece by piece. */
export const quietMillis = 1_000;
export const toldAgainMillis = 60_000;

type Outage = {
  readonly since: number;
  lastFailure: number;
  /** When it first answered after the last failure. */
  back: number | undefined;
  readonly waited: Map<string, number>;
  cancel: () => void;
};

export const outages = <Kind extends string>(needs: OutagesNeeds<Kind>): Outages<Kind> => {
  const { timers, kindOf, began, ended } = needs;
  const engines = new Map<Kind, AwayEngine>();
  const open = new Map<Kind, Outage>();
  const tellUnexplained = repeatedSeldom(needs);
  let closed = false;

  const look = async (kind: Kind, engine: AwayEngine, outage: Outage): Promise<void> => {
    try {
      await engine.isBack();
      outage.back ??= timers.now();
    } catch {
      outage.back = undefined;
    }
    if (closed) return;
    if (outage.back === undefined || timers.now() - outage.lastFailure < quietMillis) lookSoon(kind, engine, outage);
    else {
      open.delete(kind);
      const seconds = Math.round((outage.back - outage.since) / 100) / 10;
      ended({ engine, seconds, waited: Object.fromEntries(outage.waited) });
    }
  };
  const lookSoon = (kind: Kind, engine: AwayEngine, outage: Outage): void => {
    outage.cancel = timers.later(lookMillis, () => void look(kind, engine, outage));
  };
  const begin = (kind: Kind, engine: AwayEngine): Outage => {
    const now = timers.now();
    const begun = { since: now, lastFailure: now, back: undefined, waited: new Map(), cancel: () => undefined };
    open.set(kind, begun);
    lookSoon(kind, engine, begun);
    return begun;
  };

  return {
    know: (kind, engine) => engines.set(kind, engine),
    failed: (trouble, kind = kindOf(trouble.error)) => {
      const engine = kind === undefined ? undefined : engines.get(kind);
      if (kind === undefined || engine === undefined) {
        tellUnexplained(trouble);
        return;
      }
      if (closed) return;
      const known = open.get(kind);
      const outage = known ?? begin(kind, engine);
      outage.lastFailure = timers.now();
      outage.back = undefined;
      const { doing, waiting = 1 } = trouble;
      outage.waited.set(doing, Math.max(waiting, outage.waited.get(doing) ?? 0));
      if (known === undefined) began({ engine, trouble });
    },
    close: () => {
      closed = true;
      for (const { cancel } of open.values()) cancel();
      open.clear();
    },
  };
};

const repeatedSeldom = <Kind extends string>({ timers, unexplained }: OutagesNeeds<Kind>) => {
  const told = new Map<string, { readonly message: string; readonly at: number }>();
  return (trouble: Trouble): void => {
    const message = trouble.error instanceof Error ? trouble.error.message : String(trouble.error);
    const last = told.get(trouble.doing);
    if (last?.message === message && timers.now() - last.at < toldAgainMillis) return;
    told.set(trouble.doing, { message, at: timers.now() });
    unexplained(trouble);
  };
};
