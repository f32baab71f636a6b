import type { EventLog } from '../../../src/kernel/ports/eventLog.js';

/** A log that takes what it is given only when it is released. */
export const holding = (log: EventLog): EventLog & { readonly held: (() => void)[] } => {
  const held: (() => void)[] = [];
  return {
    ...log,
    held,
    append: async (...append) => {
      await new Promise<void>((release) => held.push(release));
      return log.append(...append);
    },
  };
};
