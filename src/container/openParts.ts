import type { Timers } from '../kernel/ports/leases.js';

/** A part on its way out, and for how long it has been. */
export type ClosingPart = { readonly part: string; readonly millis: number };

/** The parts of a server that are open, in the order of their opening. */
export interface OpenedParts {
  /** `part`: its name, for the log. */
  add(this: void, part: string, close: () => Promise<void>): void;
  /** Closes all, the last one first, one after another. A second call closes what was added since. */
  close(this: void): Promise<void>;
  /** The part that is waited for; undefined while none is. */
  closing(this: void): ClosingPart | undefined;
}

export type OpenPartsNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  /** A part took longer than `slowCloseMillis`. */
  readonly slow: (closed: ClosingPart) => void;
};

/** A part that takes longer is told of: all of them together have a few seconds. */
export const slowCloseMillis = 1_000;

export const openParts = ({ timers, slow }: OpenPartsNeeds): OpenedParts => {
  const opened: { readonly part: string; readonly close: () => Promise<void> }[] = [];
  let current: { readonly part: string; readonly since: number } | undefined;
  const closing = (): ClosingPart | undefined =>
    current && { part: current.part, millis: Math.round(timers.now() - current.since) };
  return {
    add: (part, close) => {
      opened.push({ part, close });
    },
    close: async () => {
      for (const { part, close } of opened.splice(0).reverse()) {
        current = { part, since: timers.now() };
        await close();
        const closed = closing();
        if (closed !== undefined && closed.millis > slowCloseMillis) slow(closed);
      }
      current = undefined;
    },
    closing,
  };
};
