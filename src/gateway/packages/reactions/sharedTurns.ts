/**
 * Work on one key is shared or alone: shared work goes side by side, and work that is alone waits until all that came
 * before it has ended, and keeps back what comes after it.
 */
export interface SharedTurns {
  share<T>(key: string, work: () => Promise<T>): Promise<T>;
  alone<T>(key: string, work: () => Promise<T>): Promise<T>;
}

type Turns = {
  /** Ends with the last work that is alone. */
  lone: Promise<unknown> | undefined;
  /** Shared work that waits for no work that is alone. */
  readonly shared: Set<Promise<unknown>>;
  users: number;
};

export const sharedTurns = (): SharedTurns => {
  const all = new Map<string, Turns>();
  const within = async <T>(key: string, take: (turns: Turns) => Promise<T>): Promise<T> => {
    const turns: Turns = all.get(key) ?? { lone: undefined, shared: new Set(), users: 0 };
    all.set(key, turns);
    turns.users += 1;
    try {
      return await take(turns);
    } finally {
      turns.users -= 1;
      if (turns.users === 0) all.delete(key);
    }
  };
  return {
    share: (key, work) => within(key, (turns) => share(turns, work)),
    alone: (key, work) => within(key, (turns) => alone(turns, work)),
  };
};

const share = <T>(turns: Turns, work: () => Promise<T>): Promise<T> => {
  const working = turns.lone === undefined ? work() : turns.lone.then(work, work);
  turns.shared.add(working);
  const over = (): void => {
    turns.shared.delete(working);
  };
  working.then(over, over);
  return working;
};

const alone = async <T>(turns: Turns, work: () => Promise<T>): Promise<T> => {
  const before = turns.lone === undefined ? [...turns.shared] : [...turns.shared, turns.lone];
  const working = Promise.allSettled(before).then(work);
  turns.lone = working;
  try {
    return await working;
  } finally {
    if (turns.lone === working) turns.lone = undefined;
  }
};
