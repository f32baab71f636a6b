import { PartlyAppended, type Appended, type EventLog, type StreamAppend } from './ports/eventLog.js';

/** Shown each stream of each append, with the outcome that it will have, in the tick in which it is handed in. */
export type AppendWatch = (append: StreamAppend, appending: Promise<Appended>) => void;

/** The same log. A watch need not handle the failure of an append: the caller hears of it from the append itself. */
export const watchedAppends = (log: EventLog, watch: AppendWatch): EventLog => {
  const watched = (append: StreamAppend, appending: Promise<Appended>): void => {
    appending.catch(() => undefined);
    watch(append, appending);
  };
  return {
    append: (stream, events, expected) => {
      const appending = log.append(stream, events, expected);
      watched({ stream, events, expected }, appending);
      return appending;
    },
    appendAll: (appends) => {
      const appending = log.appendAll(appends);
      for (const [index, append] of appends.entries()) watched(append, outcomeOf(appending, index));
      return appending;
    },
    readStream: (stream, read) => log.readStream(stream, read),
    readAll: (read) => log.readAll(read),
    subscribe: (after) => log.subscribe(after),
    setMaxCount: (stream, maxCount) => log.setMaxCount(stream, maxCount),
    maxCountOf: (stream) => log.maxCountOf(stream),
    end: () => log.end(),
    close: () => log.close(),
  };
};

const outcomeOf = async (appending: Promise<readonly Appended[]>, index: number): Promise<Appended> => {
  const outcomes = await appending.catch((error: unknown) => {
    if (error instanceof PartlyAppended) return error.outcomes;
    throw error;
  });
  const outcome = outcomes[index];
  if (outcome === undefined) throw new Error('the log gave fewer places than there are streams');
  if (outcome instanceof Error) throw outcome;
  return outcome;
};
