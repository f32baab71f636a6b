import type { Timers } from '../../kernel/ports/leases.js';

/** Fetches under way at once: over all, of one host, and for one user. */
export const fetchesAtOnceMax = 8;
export const fetchesOfOneAtOnceMax = 2;
/** Fetches that wait for their turn: over all, of one host, and for one user. */
export const fetchesWaitingMax = 64;
export const fetchesOfOneWaitingMax = 4;
export const turnMillisMax = 10_000;

/** The host and the user of a fetch. */
export type Fetching = { readonly host: string; readonly user: string };

/** Does the work when it is its turn. `busy` when too many wait, or it had to wait for too long. */
export interface FetchTurns {
  take<T>(this: void, fetching: Fetching, work: () => Promise<T>): Promise<T | 'busy'>;
}

type Waiting = Fetching & { readonly begin: () => void };

export const fetchTurns = (timers: Pick<Timers, 'later'>): FetchTurns => {
  const running: Fetching[] = [];
  const waiting: Waiting[] = [];
  const mayBegin = (fetching: Fetching): boolean =>
    running.length < fetchesAtOnceMax && !isFull(running, fetching, fetchesOfOneAtOnceMax);
  const mayWait = (fetching: Fetching): boolean =>
    waiting.length < fetchesWaitingMax && !isFull(waiting, fetching, fetchesOfOneWaitingMax);

  const beginNext = (): void => {
    const next = waiting.find(mayBegin);
    if (next === undefined) return;
    waiting.splice(waiting.indexOf(next), 1);
    next.begin();
  };
  const turn = (fetching: Fetching): Promise<'begun' | 'busy'> =>
    new Promise((resolve) => {
      const cancel = timers.later(turnMillisMax, () => {
        waiting.splice(waiting.indexOf(one), 1);
        resolve('busy');
      });
      const one: Waiting = {
        ...fetching,
        begin: () => {
          cancel();
          running.push(fetching);
          resolve('begun');
        },
      };
      waiting.push(one);
    });

  return {
    take: async (fetching, work) => {
      if (mayBegin(fetching)) running.push(fetching);
      else if (!mayWait(fetching) || (await turn(fetching)) === 'busy') return 'busy';
      try {
        return await work();
      } finally {
        running.splice(running.indexOf(fetching), 1);
        beginNext();
      }
    },
  };
};

const isFull = (some: readonly Fetching[], { host, user }: Fetching, max: number): boolean =>
  some.filter((one) => one.host === host).length >= max || some.filter((one) => one.user === user).length >= max;
