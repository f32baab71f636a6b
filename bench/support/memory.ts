import { Session } from 'node:inspector/promises';

/** Of one process, in bytes. */
export type Memory = {
  readonly resident: number;
  /** In use on the heap, garbage included. */
  readonly heap: number;
  /** Outside of the heap, held by objects on it. */
  readonly external: number;
};

/**
 * `asItIs` counts garbage, which V8 lets lie for as long as there is room: a server at rest may keep that of an hour ago.
 * `collected` is what is held.
 */
export type Look = 'asItIs' | 'collected';

/** Of this process. */
export const memoryOfProcess = async (look: Look): Promise<Memory> => {
  if (look === 'collected') await collect();
  const { rss: resident, heapUsed: heap, external } = process.memoryUsage();
  return { resident, heap, external };
};

/**
 * As for a system that runs out of memory. The `gc` of `--expose-gc` leaves pages of the heap half full, and those count as
 * resident: five to ten KB for each of some thousand connections, differently from run to run.
 */
const collect = async (): Promise<void> => {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  session.disconnect();
};
