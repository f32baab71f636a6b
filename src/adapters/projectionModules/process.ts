import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parsedJson } from '../../kernel/json.js';
import { lineReader } from '../../kernel/lines.js';
import {
  moduleCallMillisMax,
  moduleMebibytesMax,
  ModuleFailed,
  type AskedKeys,
  type FoldedEvents,
  type ProjectionModule,
} from '../../kernel/ports/projectionModule.js';
import { deferred, type Deferred } from '../../kernel/timing.js';
import type { ModuleAnswer, ModuleCall } from './child.js';

const program = fileURLToPath(new URL('child.js', import.meta.url));

/** Of one answer: a hundred documents or two, with their keys. */
const answerBytesMax = 33_554_432;
const mebibyte = 1_048_576;
/** Of the process over the heap of JavaScript: Node itself, and buffers. */
const processFactor = 2;
const memoryLookMillis = 250;
const niceness = 10;

/** Tests have smaller ones. */
export type ModuleBounds = { readonly callMillisMax: number; readonly mebibytesMax: number };
const moduleBounds: ModuleBounds = { callMillisMax: moduleCallMillisMax, mebibytesMax: moduleMebibytesMax };

/**
 * Runs a module in a process of its own, because that alone bounds its memory and its loops. It gets nothing of the
 * environment but what finding programs and writing dates takes, so no addresses, passwords or keys of the server.
 */
export const startModule = async (file: string, bounds: ModuleBounds = moduleBounds): Promise<ProjectionModule> => {
  const child = spawn(process.execPath, [`--max-old-space-size=${bounds.mebibytesMax.toString()}`, program, file], {
    cwd: dirname(file),
    env: environment(),
    // Its prints are for the operator's eyes, and do not mix with the lines of the server's log.
    stdio: ['pipe', 2, 2, 'pipe'],
  });
  const calls = callsTo(child, basename(file), bounds);
  const first = await calls.answered();
  if (!('declared' in first)) {
    await calls.close();
    throw new ModuleFailed(basename(file), `does not load: ${'failed' in first ? first.failed : 'it says nothing'}`);
  }
  return {
    declared: first.declared,
    // The program answers each call in the form that is its own.
    keysOf: async (keysOf) => (await calls.call({ keysOf } as ModuleCall)) as AskedKeys,
    fold: async (fold, documents) => (await calls.call({ fold, documents })) as FoldedEvents,
    close: calls.close,
  };
};

const kept = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'SystemRoot'];
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.includes(name)));

type Calls = {
  /** The next answer. */
  readonly answered: () => Promise<ModuleAnswer>;
  readonly call: (call: ModuleCall) => Promise<ModuleAnswer>;
  readonly close: () => Promise<void>;
};

const callsTo = (child: ChildProcess, name: string, bounds: ModuleBounds): Calls => {
  const { callMillisMax } = bounds;
  const exited = deferred<undefined>();
  let failure: ModuleFailed | undefined;
  let waiting: Deferred<ModuleAnswer> | undefined;
  let endWatch: () => void = () => undefined;
  const fail = (why: string): void => {
    failure ??= new ModuleFailed(name, why);
    child.kill('SIGKILL');
    waiting?.reject(failure);
    waiting = undefined;
  };
  const answered = async (): Promise<ModuleAnswer> => {
    if (failure !== undefined) throw failure;
    const asked = (waiting = deferred());
    const endCount = countedOut(callMillisMax, () => {
      if (waiting === asked) fail(`took longer than ${(callMillisMax / 1_000).toString()} s`);
    });
    try {
      return await asked.promise;
    } finally {
      endCount();
    }
  };
  // First of all: one that could not be started says so alone, and has no pipes where file descriptors have run out.
  child.on('error', (error) => {
    fail(`does not start: ${error.message}`);
    exited.resolve(undefined);
  });
  const { input, output } = pipesOf(child, name);
  readAnswers(output, {
    take: (answer) => {
      const asked = waiting;
      waiting = undefined;
      asked?.resolve(answer);
    },
    fail,
  });
  // A process that has gone is told of where its end is.
  input.on('error', () => undefined);
  child.on('exit', (code, signal) => {
    endWatch();
    fail(`has ended by itself${endOf(code, signal, bounds)}`);
    exited.resolve(undefined);
  });
  endWatch = watchedMemory(child, bounds, fail);
  return {
    answered,
    call: (call) => {
      const answer = answered();
      if (failure === undefined) input.write(`${JSON.stringify(call)}\n`);
      return answer;
    },
    close: async () => {
      fail('was closed');
      await exited.promise;
    },
  };
};

type Answered = { readonly take: (answer: ModuleAnswer) => void; readonly fail: (why: string) => void };

const readAnswers = (output: Readable, { take, fail }: Answered): void => {
  const read = lineReader(answerBytesMax);
  output.on('error', () => undefined);
  output.on('data', (chunk: Buffer) => {
    const lines = read(chunk);
    if (lines === 'too long') {
      fail('gave back too much at once');
      return;
    }
    for (const line of lines) {
      const answer = answerIn(line);
      if (answer === undefined) fail('gave back something that is no JSON');
      else take(answer);
    }
  });
};

/** Undefined where a module has written among the answers. */
const answerIn = (line: string): ModuleAnswer | undefined => {
  try {
    // Written by its program.
    return parsedJson(line) as ModuleAnswer;
  } catch {
    return undefined;
  }
};

const countParts = 10;

/** Counts in parts, of which a machine that stood still loses one alone. Answers that came meanwhile are read before the end. */
const countedOut = (millis: number, ended: () => void): (() => void) => {
  let left = countParts;
  const counting = setInterval(() => {
    left -= 1;
    if (left === 0) setImmediate(ended);
  }, millis / countParts);
  return () => {
    clearInterval(counting);
  };
};

/** Node aborts when its heap is full. */
const endOf = (code: number | null, signal: NodeJS.Signals | null, { mebibytesMax }: ModuleBounds): string => {
  if (signal === 'SIGABRT' || code === abortedCode)
    return `, most likely because it needs more than ${mebibytesMax.toString()} MiB`;
  return signal === null ? `, with ${String(code)}` : `, by ${signal}`;
};
const abortedCode = 134;

type Pipes = { readonly input: Writable; readonly output: Readable };

const pipesOf = (child: ChildProcess, name: string): Pipes => {
  // The types do not know that there may be none of it.
  const [input, , , output] = (child.stdio as ChildProcess['stdio'] | undefined) ?? [];
  if (!input || !output) throw new ModuleFailed(name, 'does not start: the system gave it no pipes');
  // Asked for as pipes above, of which the types know nothing.
  return { input, output: output as Readable };
};

/** The bound on the heap says nothing of buffers, so where the system tells it, all of its memory is looked at. */
const watchedMemory = (
  child: ChildProcess,
  { mebibytesMax }: ModuleBounds,
  fail: (why: string) => void,
): (() => void) => {
  const processBytesMax = processFactor * mebibytesMax * mebibyte;
  const { pid } = child;
  if (pid === undefined) return () => undefined;
  try {
    // The clients of the server come first.
    setPriority(pid, niceness);
  } catch {
    // It has ended already, which is told of elsewhere.
  }
  const looking = setInterval(() => {
    if ((residentBytes(pid) ?? 0) > processBytesMax)
      fail(`needs more than ${(processBytesMax / mebibyte).toString()} MiB of memory`);
  }, memoryLookMillis);
  looking.unref();
  return () => {
    clearInterval(looking);
  };
};

const pageBytes = 4_096;

/** Undefined where the system does not say so in this way. */
const residentBytes = (pid: number): number | undefined => {
  try {
    return Number(readFileSync(`/proc/${pid.toString()}/statm`, 'utf8').split(' ')[1]) * pageBytes;
  } catch {
    return undefined;
  }
};
