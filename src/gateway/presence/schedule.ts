/** Does the work once, after this many milliseconds, unless the answer is called before. A test passes its own. */
export type Schedule = (millis: number, work: () => void) => () => void;

/** Timers that do not keep the process from ending. */
export const schedule: Schedule = (millis, work) => {
  const timer = setTimeout(work, millis).unref();
  return () => {
    clearTimeout(timer);
  };
};
