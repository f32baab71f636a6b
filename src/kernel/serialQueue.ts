/** Queues for work that must not overtake. Works in one lane are done one after the other, lanes go side by side. */
export interface SerialQueues {
  run<T>(lane: string, work: () => Promise<T>): Promise<T>;
}

export const serialQueues = (): SerialQueues => {
  const busy = new Map<string, Promise<unknown>>();
  return {
    run: async (lane, work) => {
      const before = busy.get(lane);
      const turn = before === undefined ? work() : before.then(work, work);
      busy.set(lane, turn);
      try {
        return await turn;
      } finally {
        if (busy.get(lane) === turn) busy.delete(lane);
      }
    },
  };
};
