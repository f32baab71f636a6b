import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../../kernel/timing.js';
import type { HashDone, HashWork } from './argon2Thread.js';

const program = new URL('./argon2Thread.js', import.meta.url);

/**
 * Threads that do nothing but hash, and stand back for all others: those of libuv's pool flush the log and read files, and the one
 * of the clients is not to wait for a core. Each is started when it is first needed, and keeps no process alive that
 * waits for nothing. As many as ask at once. Rejects with the error of the work, or when the thread ended in the midst of it.
 */
export const hashThreads = (): ((work: HashWork) => Promise<string | boolean>) => {
  const idle: HashThread[] = [];
  return async (work) => {
    const thread = idle.pop() ?? startThread();
    const done = await thread.do(work);
    idle.push(thread);
    if ('error' in done) throw done.error;
    return done.value;
  };
};

/** Does one work at a time. One that has failed is not asked again. */
type HashThread = { readonly do: (work: HashWork) => Promise<HashDone> };

const startThread = (): HashThread => {
  // Flags of the process, such as those of a script on its command line, are not for it.
  const thread = new Worker(program, { execArgv: [] });
  let result: Deferred<HashDone> | undefined;
  thread.on('message', (done: HashDone) => {
    thread.unref();
    result?.resolve(done);
  });
  thread.once('error', (error) => result?.reject(error));
  thread.once('exit', (code) => result?.reject(new Error(`a thread that hashes has ended with ${code.toString()}`)));
  return {
    do: (work) => {
      thread.ref();
      result = deferred();
      thread.postMessage(work);
      return result.promise;
    },
  };
};
