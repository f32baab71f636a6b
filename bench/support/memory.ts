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
 * `collected` is what is held. It takes `--expose-gc`.
 */
export type Look = 'asItIs' | 'collected';

/** Of this process. */
export const memoryOfProcess = (look: Look): Memory => {
  if (look === 'collected') collect();
  const { rss: resident, heapUsed: heap, external } = process.memoryUsage();
  return { resident, heap, external };
};

const collect = (): void => {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('this process was started without --expose-gc');
  // What is let go of by a finalizer in the first round goes in the second.
  gc();
  gc();
};
