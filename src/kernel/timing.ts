import type { Timers } from './ports/leases.js';

/** Resolves after so many milliseconds, or at once when the signal is raised. */
export const pause = (millis: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });

/** Pauses of one process, one after the other. */
export type WakeablePauses = {
  /** Resolves after so many milliseconds, or before when it is woken: then with `true`. */
  readonly pause: (millis: number) => Promise<boolean>;
  /** Ends the pause under way, if there is one. */
  readonly wake: () => void;
};

/** None lasts once the signal is raised. */
export const wakeablePauses = ({ later }: Pick<Timers, 'later'>, closing?: AbortSignal): WakeablePauses => {
  let wake: () => void = () => undefined;
  closing?.addEventListener('abort', () => {
    wake();
  });
  return {
    wake: () => {
      wake();
    },
    pause: (millis) =>
      new Promise((resolve) => {
        const cancel = later(millis, () => {
          resolve(false);
        });
        wake = () => {
          cancel();
          resolve(true);
        };
        if (closing?.aborted === true) wake();
      }),
  };
};

/**
 * The outcome of the work, or a rejection with `late` once it has taken so many milliseconds. The work itself goes on,
 * and its later outcome is dropped.
 */
export const withDeadline = async <T>(work: Promise<T>, millis: number, late: () => Error): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, fail) => {
    timer = setTimeout(() => {
      fail(late());
    }, millis);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
};

/** Resolves when the work has ended, well or not, or after so many milliseconds. A failure is for others to report. */
export const atMost = (millis: number, work: Promise<unknown>, timers: Pick<Timers, 'later'>): Promise<void> =>
  new Promise((resolve) => {
    const giveUp = timers.later(millis, resolve);
    const done = (): void => {
      giveUp();
      resolve();
    };
    work.then(done, done);
  });

/** Lets timers and sockets have their turn: promises alone would not. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** As `Promise.all`, but without a promise where there is none among the values: that takes turns of the microtasks. */
export const atOnce = <const Values extends readonly unknown[]>(
  values: Values,
): Settled<Values> | Promise<Settled<Values>> =>
  // Without a promise among them the values are what they settle to.
  values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as Settled<Values>);

/** Goes on with a value: in the same turn where it is there. */
export const after = <T, R>(value: T | Promise<T>, work: (value: T) => R | Promise<R>): R | Promise<R> =>
  value instanceof Promise ? value.then(work) : work(value);

type Settled<Values extends readonly unknown[]> = { -readonly [Place in keyof Values]: Awaited<Values[Place]> };

/** A promise that is settled from outside. */
export type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
};

export const deferred = <T>(): Deferred<T> => {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
};
