/** Work of which so many pieces go on at a time; those that wait begin in turns, one for each of those who ask. */
export interface FairTurns {
  /** Undefined when so many wait already that one more would wait too long: nothing was done. */
  run<T>(this: void, of: string, work: () => Promise<T>): Promise<T> | undefined;
}

export type TurnBounds = {
  readonly atOnceMax: number;
  /** Over all, and of one who asks. Beyond `waitingMax` each may still have one that waits, so that a few never keep out all others. */
  readonly waitingMax: number;
  readonly waitingOfOneMax: number;
};

export const fairTurns = ({ atOnceMax, waitingMax, waitingOfOneMax }: TurnBounds): FairTurns => {
  // In the order in which they are given their next turn.
  const waiting = new Map<string, (() => void)[]>();
  let [running, waits] = [0, 0];
  const beginNext = (): void => {
    const [next] = waiting;
    if (next === undefined || running >= atOnceMax) return;
    const [of, begins] = next;
    const begin = begins.shift();
    waiting.delete(of);
    if (begins.length > 0) waiting.set(of, begins);
    waits -= 1;
    running += 1;
    begin?.();
  };
  const ended = (): void => {
    running -= 1;
    beginNext();
  };
  return {
    run: (of, work) => {
      const own = waiting.get(of) ?? [];
      const isOneMore = own.length > 0 && waits >= waitingMax;
      if (isOneMore || own.length >= waitingOfOneMax) return undefined;
      const turn = new Promise<void>((resolve) => own.push(resolve));
      waiting.set(of, own);
      waits += 1;
      beginNext();
      return turn.then(work).finally(ended);
    },
  };
};
