import type { Millis } from '../../kernel/ids.js';
import type { IdMark } from '../../kernel/ports/leases.js';

/** A mark that ends with the process, for tests. */
export const memoryIdMark = (): Required<IdMark> => {
  let mark: Millis | undefined;
  const raiseNow = (to: Millis): void => {
    if (mark === undefined || to > mark) mark = to;
  };
  return {
    read: () => Promise.resolve(mark),
    raise: (to) => {
      raiseNow(to);
      return Promise.resolve();
    },
    raiseNow,
  };
};
