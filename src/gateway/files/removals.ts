/** Whether the bytes of files may be removed: not while somebody copies them. */
export interface FileRemovals {
  mayGoOn(this: void): boolean;
  /**
   * Holds removals while the work goes on, for `removalsHeldMillisMax` at most. Rejects with `HeldTooLong` when the work took longer,
   * because bytes may be gone that it needed.
   */
  heldWhile<T>(this: void, work: () => Promise<T>): Promise<T>;
}

/** Bytes of released files stay for so long at most because of one who copies. */
export const removalsHeldMillisMax = 86_400_000;

export class HeldTooLong extends Error {
  constructor() {
    super(
      `it took longer than ${(removalsHeldMillisMax / 3_600_000).toString()} hours, and files were removed meanwhile`,
    );
    this.name = 'HeldTooLong';
  }
}

/** `now` is of the monotonic clock. */
export const fileRemovals = (now: () => number): FileRemovals => {
  const holds = new Set<{ readonly since: number }>();
  const isOver = ({ since }: { readonly since: number }): boolean => now() - since > removalsHeldMillisMax;
  return {
    mayGoOn: () => [...holds].every(isOver),
    heldWhile: async (work) => {
      const hold = { since: now() };
      holds.add(hold);
      try {
        const done = await work();
        if (isOver(hold)) throw new HeldTooLong();
        return done;
      } finally {
        holds.delete(hold);
      }
    },
  };
};
