import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Timers } from '../../kernel/ports/leases.js';
import {
  pictureMemoryBytesMax,
  pictureMillisMax,
  type NoPicture,
  type Picture,
  type PictureForm,
} from '../../kernel/ports/pictures.js';
import { atMost } from '../../kernel/timing.js';
import type { Launch } from './confinement.js';
import { answerHeadBytes, answerIn, requestHead, takenFrom, type Take } from './messages.js';

/** A process that reads pictures, one after the other. */
export interface PictureProcess {
  /** `too costly` once it died, for any reason; it is of no use any more then. Never rejects. */
  ask(this: void, form: PictureForm, bytes: Uint8Array): Promise<Picture | NoPicture>;
  /** Whether it lives and has given its memory back, so that the next picture has all that it may take. */
  isFresh(this: void): Promise<boolean>;
  /** Resolves once it is gone. */
  end(this: void): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const startMillisMax = 10_000;
const lookMillis = 50;
/** The program by itself has some 80 MB. */
const freshBytesMax = pictureMemoryBytesMax / 2;

/** Undefined where it cannot be started so. */
export const startProcess = async (
  { command, args }: Launch,
  timers: Pick<Timers, 'later'>,
): Promise<PictureProcess | undefined> => {
  const child = spawn(command, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
  const gone = exitOf(child);
  // A process that died takes no more; that it died is seen where it is read from.
  child.stdin.on('error', () => undefined);
  const take = takenFrom(child.stdout);
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const cancel = timers.later(startMillisMax, kill);
  const isThere = (await takenOrEnd(take, 1)) !== undefined;
  cancel();
  if (!isThere) {
    kill();
    await gone;
    return undefined;
  }
  return {
    ask: (form, bytes) => asked({ child, take, timers, gone }, form, bytes),
    isFresh: async () => isAlive(child) && (await memoryOf(child)) <= freshBytesMax,
    end: async () => {
      kill();
      await gone;
    },
  };
};

/** Also where it never began. */
const exitOf = (child: Child): Promise<void> =>
  new Promise((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('close', () => {
      resolve();
    });
  });

const isAlive = ({ exitCode, signalCode }: Child): boolean => exitCode === null && signalCode === null;

type Asked = {
  readonly child: Child;
  readonly take: Take;
  readonly timers: Pick<Timers, 'later'>;
  readonly gone: Promise<void>;
};

const asked = async (
  { child, take, timers, gone }: Asked,
  form: PictureForm,
  bytes: Uint8Array,
): Promise<Picture | NoPicture> => {
  const cancel = timers.later(pictureMillisMax, () => {
    child.kill('SIGKILL');
  });
  const stopWatching = watchMemory(child, timers);
  try {
    child.stdin.write(requestHead(form, bytes.length));
    child.stdin.write(bytes);
    const answer = await answered(take);
    if (answer !== undefined) return answer;
    child.kill('SIGKILL');
    await atMost(startMillisMax, gone, timers);
    return 'too costly';
  } finally {
    cancel();
    stopWatching();
  }
};

/** Undefined where the process came to its end before, or says what it cannot mean. */
const answered = async (take: Take): Promise<Picture | NoPicture | undefined> => {
  const head = await takenOrEnd(take, answerHeadBytes);
  const answer = head && answerIn(head);
  if (answer === undefined || typeof answer === 'string') return answer;
  const { thumbBytes, bytes: length, ...facts } = answer;
  const thumb = await takenOrEnd(take, thumbBytes);
  const bytes = await takenOrEnd(take, length);
  return thumb === undefined || bytes === undefined ? undefined : { ...facts, thumb, bytes };
};

/** A stream that breaks is one that ended. */
const takenOrEnd = async (take: Take, bytes: number): Promise<Buffer | undefined> => {
  try {
    return await take(bytes);
  } catch {
    return undefined;
  }
};

/** Looks again and again, and kills a process that has too much. Gives what ends that. */
const watchMemory = (child: Child, timers: Pick<Timers, 'later'>): (() => void) => {
  let isOver = false;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    if ((await memoryOf(child)) > pictureMemoryBytesMax) child.kill('SIGKILL');
    else again();
  };
  const again = (): void => {
    if (!isOver && isAlive(child)) cancel = timers.later(lookMillis, () => void look());
  };
  again();
  return () => {
    isOver = true;
    cancel();
  };
};

/** Its bytes in memory, native parts included; 0 where the system does not tell. */
const memoryOf = async ({ pid }: Child): Promise<number> => {
  if (pid === undefined) return 0;
  try {
    // In KiB, unlike `statm`, which counts in pages of the machine’s size.
    const [, resident = '0'] =
      /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid.toString()}/status`, 'utf8')) ?? [];
    return Number(resident) * 1_024;
  } catch {
    return 0;
  }
};
