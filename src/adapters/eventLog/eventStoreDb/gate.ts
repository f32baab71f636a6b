import { LogUnreachable } from './unreachable.js';

/** Lets so many in at a time; the others wait for their turn, up to a bound. */
export interface Gate {
  /** Gives what must be called to leave. Throws `LogUnreachable` when too many are waiting. */
  enter(): Promise<() => void>;
  readonly inside: number;
}

export const gate = (insideMax: number, waitingMax: number): Gate => {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) inside -= 1;
    else next();
  };
  return {
    get inside() {
      return inside;
    },
    enter: async () => {
      if (inside < insideMax) inside += 1;
      else if (waiting.length < waitingMax) await new Promise<void>((resolve) => waiting.push(resolve));
      else throw new LogUnreachable(`${insideMax.toString()} calls are under way, and ${waitingMax.toString()} wait`);
      let left = false;
      return () => {
        if (!left) leave();
        left = true;
      };
    },
  };
};
