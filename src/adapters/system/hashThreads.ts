import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../../kernel/timing.js';
import type { HashDone, HashWork } from './argon2Thread.js';

const program = new URL('./argon2Thread.js', import.meta.url);

/**
 * Threads that do nothing but hash, and stand back for all others: those of libuv's pool flush the log and read files, and the one
 * of the clients is not to wait for a core. There are as many as were asked at once, each started when it was first needed; they keep no
 * process alive that waits for nothing. Rejects with the error of the work, or when the thread ended in the midst of it.
 */
export const hashThreads = (): ((work: HashWork) => Promise<string | boolean>) => {
  const idle = new Set<HashThread>();
  const anyIdle = (): HashThread | undefined => {
    for (const thread of idle) {
      idle.delete(thread);
      return thread;
    }
    return undefined;
  };
  return async (work) => {
    const thread = anyIdle() ?? startThread((ended) => idle.delete(ended));
    const done = await thread.do(work);
    idle.add(thread);
    if ('error' in done) throw done.error;
    return done.value;
  };
};

/** Does one work at a time. */
type HashThread = { readonly do: (work: HashWork) => Promise<HashDone> };

const startThread = (ended: (thread: HashThread) => void): HashThread => {
  // Flags of the process, such as those of a script on its command line, are not for it.
  const worker = new Worker(program, { execArgv: [] });
  let result: Deferred<HashDone> | undefined;
  const thread: HashThread = {
    do: (work) => {
      worker.ref();
      result = deferred();
      worker.postMessage(work);
      return result.promise;
    },
  };
  worker.on('message', (done: HashDone) => {
    worker.unref();
    result?.resolve(done);
  });
  worker.once('error', (error) => result?.reject(error));
  worker.once('exit', (code) => {
    ended(thread);
    result?.reject(new Error(`a thread that hashes has ended with ${code.toString()}`));
  });
  return thread;
};
