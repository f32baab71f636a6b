/** Work that has begun, for those who have to wait until it has ended. */
export interface UnderWay {
  /** Gives the work back. */
  add<T>(this: void, work: Promise<T>): Promise<T>;
  /** Resolves once all that has begun by now has ended, well or not. */
  ended(this: void): Promise<void>;
}

export const underWay = (): UnderWay => {
  const begun = new Set<Promise<unknown>>();
  return {
    add: (work) => {
      const gone = (): boolean => begun.delete(ending);
      const ending: Promise<unknown> = work.then(gone, gone);
      begun.add(ending);
      return work;
    },
    ended: async () => {
      await Promise.all(begun);
    },
  };
};
