import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';

/** What a helper process does when it is asked: one argument, one answer. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;

/** A process that answers calls: `serveCalls` runs in it. */
export interface Answering<C extends Calls, News = never> {
  /** Rejects with the error that the other side met, or when it has ended. */
  call<Name extends keyof C & string>(
    name: Name,
    argument: Parameters<C[Name]>[0],
  ): Promise<Awaited<ReturnType<C[Name]>>>;
  /** What it says without being asked. */
  onNews(listener: (news: News) => void): void;
}

/** The same in a process of its own. */
export interface Helper<C extends Calls, News = never> extends Answering<C, News> {
  readonly pid: number;
  stop(): Promise<void>;
}

type Question = { readonly id: number; readonly name: string; readonly argument: unknown };
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string } | { readonly news: unknown };

export type HelperNeeds = {
  /** The file that it runs, which calls `serveCalls`. */
  readonly file: URL;
  /** Where its CPU profile goes; empty for none. */
  readonly profile?: string;
  /** How far it stands back for others that want the processor, 0 to 19. Default: 0. */
  readonly nice?: number;
};

export const startHelper = async <C extends Calls, News = never>(needs: HelperNeeds): Promise<Helper<C, News>> => {
  const { file, profile = '', nice = 0 } = needs;
  const execArgv = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = fork(file, [], { serialization: 'advanced', execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // Threads take over the priority of the thread that begins them, and at this point there is only one.
  if (nice > 0 && child.pid !== undefined) setPriority(child.pid, nice);
  const exited = once(child, 'exit');
  await once(child, 'spawn');
  return {
    ...answering<C, News>(child, file.pathname),
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // Its profile is written when it ends by itself, which it does when it is let go.
      child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMillisMax);
      await exited;
      clearTimeout(timer);
    },
  };
};

/** The other side of `serveCalls`, which must run in the child. `name` is that of the child in errors. */
export const answering = <C extends Calls, News = never>(child: ChildProcess, name: string): Answering<C, News> => {
  const open = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  let listener: (news: News) => void = () => undefined;
  let calls = 0;
  child.on('message', (message) => {
    const answer = message as Answer; // `serveCalls` sends nothing else.
    if ('news' in answer) {
      listener(answer.news as News);
      return;
    }
    const asked = open.get(answer.id);
    open.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer.value);
    else asked?.reject(new Error(answer.error));
  });
  child.once('exit', () => {
    for (const { reject } of open.values()) reject(new Error(`${name} has ended`));
  });
  return {
    call: (called, argument) =>
      new Promise((resolve, reject) => {
        calls += 1;
        // It answers each call with what its own function of that name gives.
        open.set(calls, { resolve: resolve as (value: unknown) => void, reject });
        child.send({ id: calls, name: called, argument } satisfies Question);
      }),
    onNews: (newListener) => {
      listener = newListener;
    },
  };
};

const stopMillisMax = 3_000;

/** In the helper: answers the calls, and ends with the process that asks. */
export const serveCalls = (calls: Calls): void => {
  const answer = async ({ id, name, argument }: Question): Promise<Answer> => {
    try {
      const call = calls[name];
      if (call === undefined) throw new Error(`no call ${name}`);
      return { id, value: await call(argument as never) }; // `Helper` has checked it.
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (question) => {
    void answer(question as Question).then(send);
  });
  process.on('disconnect', () => process.exit());
};

/** In the helper: says something without being asked. */
export const tellNews = (news: unknown): void => {
  send({ news });
};

const send = (answer: Answer): void => {
  if (process.connected) process.send?.(answer);
};
