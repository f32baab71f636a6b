import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';

/** What a helper process does when it is asked: one argument, one answer. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;

/** A process of its own that answers calls. */
export interface Helper<C extends Calls, News = never> {
  readonly pid: number;
  call<Name extends keyof C & string>(
    name: Name,
    argument: Parameters<C[Name]>[0],
  ): Promise<Awaited<ReturnType<C[Name]>>>;
  /** What it says without being asked. */
  onNews(listener: (news: News) => void): void;
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
  const exited = once(child, 'exit');
  void exited.then(() => {
    for (const { reject } of open.values()) reject(new Error(`the helper ${file.pathname} has ended`));
  });
  await once(child, 'spawn');
  return {
    pid: child.pid ?? 0,
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        calls += 1;
        // The helper answers each call with what its own function of that name gives.
        open.set(calls, { resolve: resolve as (value: unknown) => void, reject });
        child.send({ id: calls, name, argument } satisfies Question);
      }),
    onNews: (newListener) => {
      listener = newListener;
    },
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
