type Environment = Readonly<Record<string, string | undefined>>;

/** Without the variable. */
const usualSize = 4;
const sizeMax = 1_024;

/** The threads on which Node reads files and flushes them, as libuv itself reads its variable. */
export const threadPoolSize = (environment: Environment): number => {
  const given = environment['UV_THREADPOOL_SIZE'];
  if (given === undefined) return usualSize;
  const size = Number.parseInt(given, 10);
  // A negative number is a very large one to libuv.
  if (size < 0) return sizeMax;
  return Math.min(Math.max(Number.isNaN(size) ? 1 : size, 1), sizeMax);
};
