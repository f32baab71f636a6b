import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { optionsFrom, type Options } from './options.js';
import { rounded } from './statistics.js';

/** What every benchmark has besides its own options. */
const commonOptions = {
  /** The whole run is broken off after so many seconds. */
  timeout: 1_200,
  /** A folder for the CPU profiles of the processes that are measured. */
  profile: '',
};

export type Bench<D extends Readonly<Record<string, number | string>>> = {
  readonly options: Options<D & typeof commonOptions>;
  /** An empty folder that goes with the run. */
  readonly folder: string;
  /** To be done at the end, however it comes; the last one first. */
  readonly atEnd: (work: () => Promise<unknown>) => void;
};

export type Measured = {
  readonly figure: number;
  readonly unit: string;
  /** The same with nothing but what cannot be left out, measured in the same run, in the same unit. */
  readonly limit: number;
  readonly limitIs: string;
  /** The aim in words, and whether this run has met it. */
  readonly aim: string;
  readonly met: boolean;
  /** Whatever else is worth knowing. */
  readonly details: Readonly<Record<string, unknown>>;
};

/** Runs it, prints one JSON line on standard output, and leaves nothing behind. Progress goes to standard error. */
export const benchmark = async <D extends Readonly<Record<string, number | string>>>(
  name: string,
  defaults: D,
  measure: (bench: Bench<D>) => Promise<Measured>,
): Promise<void> => {
  const options = optionsFrom({ ...commonOptions, ...defaults }, process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'osmium-bench-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let cleaned: Promise<void> | undefined;
  // A helper that is interrupted with this process makes the run fail while it is being broken off already.
  const cleanUp = (): Promise<void> => (cleaned ??= inReverse(ends));
  const breakOff = (why: string): void => {
    progress(why);
    void cleanUp().then(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => breakOff(signal));
  // In a callback of a socket or of a helper there is nobody to catch it.
  process.on('uncaughtException', (error) => breakOff(error.stack ?? error.message));
  const watchdog = setTimeout(() => breakOff('it takes too long'), Number(options.timeout) * 1_000);
  try {
    const loadBefore = loadavg();
    const measured = await measure({ options, folder, atEnd: (work) => ends.push(work) });
    print(name, measured, loadBefore);
  } catch (error) {
    // Said before anything is stopped: sockets that are cut by that throw errors of their own.
    progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  } finally {
    clearTimeout(watchdog);
    await cleanUp();
  }
  // Sockets of processes that have just been ended may still hold this one.
  process.exit();
};

const inReverse = async (ends: readonly (() => Promise<unknown>)[]): Promise<void> => {
  for (const end of ends.toReversed()) await end().catch(() => undefined);
};

const print = (name: string, measured: Measured, loadBefore: readonly number[]): void => {
  const { figure, unit, limit, limitIs, aim, met, details } = measured;
  const machine = {
    node: process.version,
    cores: availableParallelism(),
    load: [loadBefore[0], loadavg()[0]].map((load = 0) => rounded(load, 1)),
    at: new Date().toISOString(),
  };
  const ratio = rounded(figure / limit, 3);
  console.log(JSON.stringify({ name, figure, unit, limit, limitIs, ratio, aim, met, ...details, machine }));
};

export const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
