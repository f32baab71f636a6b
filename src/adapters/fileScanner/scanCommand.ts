import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { fairTurns, type TurnBounds } from '../../kernel/fairTurns.js';
import type { UserId } from '../../kernel/ids.js';
import { scanMillisMax, type FileScanner, type ScanVerdict } from '../../kernel/ports/fileScanner.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { underWay } from '../../kernel/underWay.js';
import { searchedFolders } from './program.js';
import { stopwatch, type Stopwatch } from './stopwatch.js';

/** Processes that judge files at a time, and files that wait for one: over all, and of one user. */
export const scanTurns: TurnBounds = { atOnceMax: 4, waitingMax: 100, waitingOfOneMax: 20 };

/** A program, by its path or a name that is looked for, and its arguments. */
export type ScanCommand = readonly [program: string, ...args: readonly string[]];

/** How a process ended that judged nothing. */
export type ScanFailure = 'not started' | 'too long' | { readonly code: number } | { readonly signal: string };

export type ScanCommandNeeds = {
  readonly command: ScanCommand;
  readonly timers: Pick<Timers, 'now' | 'later'>;
  readonly done: (verdict: ScanVerdict) => void;
  readonly failed: (how: ScanFailure) => void;
};

/**
 * See `FileScanner`. Each file is judged by a process of its own, which gets the bytes on its standard input and says by its exit code
 * what they are: 0 for clean, 1 for refused. It has no environment but `PATH`, and what it writes is read by nobody.
 */
export const scanCommand = (needs: ScanCommandNeeds): FileScanner => {
  const turns = fairTurns(scanTurns);
  const work = underWay();
  const closing = new AbortController();
  const wasClosed = (): boolean => closing.signal.aborted;
  const judge = async (parts: AsyncIterable<Uint8Array>): Promise<ScanVerdict> => {
    if (wasClosed()) return 'busy';
    const end = await scanned(needs, parts, closing.signal);
    // Closing kills, which says nothing about the file.
    if (wasClosed()) return 'busy';
    if (end === 'clean' || end === 'refused') return end;
    needs.failed(end);
    return 'unjudged';
  };
  const verdictOn = async (parts: AsyncIterable<Uint8Array>, user: UserId): Promise<ScanVerdict> => {
    const verdict = (await turns.run(user.toString(), () => judge(parts))) ?? 'busy';
    needs.done(verdict);
    return verdict;
  };
  return {
    judged: (parts, user) => work.add(verdictOn(parts, user)),
    close: async () => {
      closing.abort();
      await work.ended();
    },
  };
};

type Ended = 'clean' | 'refused' | ScanFailure;

const scanned = async (
  { command: [program, ...args], timers }: ScanCommandNeeds,
  parts: AsyncIterable<Uint8Array>,
  closing: AbortSignal,
): Promise<Ended> => {
  const child = started(program, args);
  if (child === undefined) return 'not started';
  const ended = endOf(child);
  // A scanner need not read to the end. How it judged is seen by how it ends.
  child.stdin?.on('error', () => undefined);
  const late = new AbortController();
  const watch = stopwatch(timers, scanMillisMax, () => {
    late.abort();
    killGroup(child);
  });
  const stop = (): void => {
    killGroup(child);
  };
  closing.addEventListener('abort', stop, { once: true });
  try {
    // Where the process may open no more files, Node 20 leaves it undefined.
    if (child.stdin) await fed(child.stdin, { parts, watch, ended });
    const end = await ended;
    return late.signal.aborted ? 'too long' : end;
  } finally {
    watch.end();
    closing.removeEventListener('abort', stop);
    killGroup(child);
    await ended;
  }
};

/** Some reasons not to start are told by an event later; others, such as too little memory, are thrown at once. */
const started = (program: string, args: readonly string[]): ChildProcess | undefined => {
  try {
    return spawn(program, args, spawned());
  } catch {
    return undefined;
  }
};

/** In a group of its own, so that what the scanner starts ends with it. */
const spawned = (): SpawnOptions => ({
  env: { PATH: searchedFolders() },
  cwd: '/',
  detached: true,
  stdio: ['pipe', 'ignore', 'ignore'],
});

/** Nothing is waited for that a process left over might still hold open. */
const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    child.once('error', () => {
      if (child.pid === undefined) resolve('not started');
    });
    child.once('exit', (code, signal) => {
      if (code === 0) resolve('clean');
      else if (code === 1) resolve('refused');
      else resolve(code === null ? { signal: signal ?? 'unknown' } : { code });
    });
  });

type Feeding = { readonly parts: AsyncIterable<Uint8Array>; readonly watch: Stopwatch; readonly ended: Promise<Ended> };

/** Ends as soon as the process takes no more. One part is in memory beside those that are being read. */
const fed = async (stdin: Writable, { parts, watch, ended }: Feeding): Promise<void> => {
  const chunks = parts[Symbol.asyncIterator]();
  const isOver = ended.then(() => 'over' as const);
  try {
    for (;;) {
      watch.pause();
      const next = await Promise.race([chunks.next(), isOver]);
      watch.goOn();
      if (next === 'over' || next.done === true || stdin.destroyed) break;
      if (!stdin.write(next.value)) await Promise.race([takenBy(stdin), isOver]);
    }
  } finally {
    // Its reader may be in the middle of a part, and comes to its end by itself.
    void chunks.return?.().catch(() => undefined);
  }
  stdin.end();
};

const takenBy = async (stdin: Writable): Promise<void> => {
  if (stdin.destroyed) return;
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(stdin, 'drain', { signal }), once(stdin, 'close', { signal })]).catch(() => undefined);
  done.abort();
};

/** Those that it started as well, unless they took themselves out of its group. */
const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them are gone.
  }
};
