import { fairTurns } from '../../kernel/fairTurns.js';
import type { Timers } from '../../kernel/ports/leases.js';
import {
  pictureBytesMax,
  pictureMillisMax,
  type NoPicture,
  type Picture,
  type PictureForm,
  type Pictures,
  type PictureSource,
} from '../../kernel/ports/pictures.js';
import { deferred } from '../../kernel/timing.js';
import { underWay } from '../../kernel/underWay.js';
import { startProcess, type PictureProcess } from './childProcess.js';
import { launches, type Launch } from './confinement.js';

/** Processes that read pictures at a time, and pictures that wait for one: over all, and of one user. */
export const pictureTurns = { atOnceMax: 2, waitingMax: 100, waitingOfOneMax: 20 };

/** A process that nothing was asked of ends after so long. */
export const idleMillisMax = 60_000;

/** After so many pictures another process goes on, so that all that the former ones left in it goes. */
export const picturesOfProcessMax = 100;

export type PictureOutcome = 'made' | NoPicture;

export type PicturesApartNeeds = {
  readonly timers: Pick<Timers, 'later'>;
  readonly done: (outcome: PictureOutcome) => void;
  /** How the first process could be started. */
  readonly confined?: (level: Launch['level']) => void;
  /** Default: the ways of this system. */
  readonly ways?: readonly Launch[];
};

/** See `Pictures`. Pictures are read in processes of their own, which are started when they are needed. */
export const picturesApart = (needs: PicturesApartNeeds): Pictures => {
  const turns = fairTurns(pictureTurns);
  const work = underWay();
  const processes = processPool(needs);
  const closing = new AbortController();

  const wasClosed = (): boolean => closing.signal.aborted;
  const read = async (form: PictureForm, source: PictureSource): Promise<Picture | NoPicture> => {
    if (wasClosed()) return 'busy';
    const bytes = await inTime(source, needs.timers);
    if (bytes === undefined) return 'busy';
    const made = await processes.use((process) => process.ask(form, bytes));
    // Closing kills, which says nothing about the picture.
    return wasClosed() && made === 'too costly' ? 'busy' : made;
  };
  const outcome = async (form: PictureForm, source: PictureSource, user: string): Promise<Picture | NoPicture> => {
    if (source.bytes > pictureBytesMax) return 'too large';
    if (source.bytes === 0) return 'unknown';
    return (await turns.run(user, () => read(form, source))) ?? 'busy';
  };
  return {
    made: (form, source, user) =>
      work.add(
        outcome(form, source, user.toString()).then((made) => {
          needs.done(typeof made === 'string' ? made : 'made');
          return made;
        }),
      ),
    close: async () => {
      closing.abort();
      await processes.end();
      await work.ended();
      await processes.end();
    },
  };
};

/** Undefined where the store takes longer than reading the picture may take: others wait for the turn. */
const inTime = async (source: PictureSource, timers: PicturesApartNeeds['timers']): Promise<Uint8Array | undefined> => {
  const late = new AbortController();
  const deadline = deferred<undefined>();
  const cancel = timers.later(pictureMillisMax, () => {
    late.abort();
    deadline.resolve(undefined);
  });
  try {
    return await Promise.race([wholeOf(source, late.signal), deadline.promise]);
  } finally {
    cancel();
  }
};

/** A few of them are in memory at a time, those whose turn it is. */
const wholeOf = async ({ bytes, parts }: PictureSource, late: AbortSignal): Promise<Uint8Array | undefined> => {
  const whole = Buffer.allocUnsafe(bytes);
  let filled = 0;
  for await (const part of parts) {
    if (late.aborted) return undefined;
    if (filled + part.length > bytes) break;
    whole.set(part, filled);
    filled += part.length;
  }
  if (filled !== bytes) throw new RangeError('a picture has other bytes than was said');
  return whole;
};

interface ProcessPool {
  use(this: void, work: (process: PictureProcess) => Promise<Picture | NoPicture>): Promise<Picture | NoPicture>;
  /** Ends all that there are, also those that are used. */
  end(this: void): Promise<void>;
}

type Pooled = { readonly process: PictureProcess; asked: number; stopIdling: () => void };

const processPool = ({ timers, confined = () => undefined, ways = launches() }: PicturesApartNeeds): ProcessPool => {
  const all = new Set<Pooled>();
  const idle: Pooled[] = [];
  /** Only the first that worked, from then on: a machine in difficulties must not lead to a weaker one. */
  let usable = ways;

  const started = async (): Promise<Pooled | undefined> => {
    for (const way of usable) {
      const process = await startProcess(way, timers);
      if (process === undefined) continue;
      if (usable.length > 1) confined(way.level);
      usable = [way];
      const pooled = { process, asked: 0, stopIdling: () => undefined };
      all.add(pooled);
      return pooled;
    }
    return undefined;
  };
  const end = async (pooled: Pooled): Promise<void> => {
    all.delete(pooled);
    pooled.stopIdling();
    if (idle.includes(pooled)) idle.splice(idle.indexOf(pooled), 1);
    await pooled.process.end();
  };
  const keep = async (pooled: Pooled): Promise<void> => {
    const isUsedUp = pooled.asked >= picturesOfProcessMax;
    if (isUsedUp || !all.has(pooled) || !(await pooled.process.isFresh())) return end(pooled);
    pooled.stopIdling = timers.later(idleMillisMax, () => void end(pooled));
    idle.push(pooled);
  };
  /** One that idles may have died meanwhile, which says nothing about the next picture. */
  const fresh = async (): Promise<Pooled | undefined> => {
    for (let pooled = idle.pop(); pooled !== undefined; pooled = idle.pop()) {
      pooled.stopIdling();
      if (await pooled.process.isFresh()) return pooled;
      await end(pooled);
    }
    return undefined;
  };
  return {
    use: async (work) => {
      const pooled = (await fresh()) ?? (await started());
      // No program could be started, as on a machine without memory.
      if (pooled === undefined) return 'busy';
      pooled.asked += 1;
      const made = await work(pooled.process);
      await keep(pooled);
      return made;
    },
    end: async () => {
      await Promise.all([...all].map(end));
    },
  };
};
