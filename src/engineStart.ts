import { obstacleAt } from './adapters/knock/knock.js';
import { withoutSecrets } from './config.js';
import { pause } from './kernel/timing.js';
import { reasonOf } from './startFailure.js';

export type Reaching = {
  readonly variable: string;
  readonly url: string;
  /** Whether the failure may pass. Any other one ends the start. */
  readonly passes: (error: unknown) => boolean;
  readonly tell: (message: string) => void;
  /** Raised when nobody waits for it any more. */
  readonly signal?: AbortSignal;
};

/** A server that is not there has this long to come before it is said why it cannot be reached. */
const firstLineMillis = 1_000;
export const lineMillis = 10_000;
const againMillis = 1_000;

/**
 * Opens an engine, for as long as it takes. While it cannot be reached a line says so at once, with the cause and its
 * cure, and again every ten seconds. Rejects with what does not pass by itself, such as a wrong password.
 */
export const untilReached = async <T>(reaching: Reaching, open: () => Promise<T>): Promise<T> => {
  const report = reporter(reaching);
  const { signal = new AbortController().signal } = reaching;
  try {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!reaching.passes(error)) throw error;
        report.failed(error);
        await pause(againMillis, signal);
        signal.throwIfAborted();
      }
    }
  } finally {
    report.end();
  }
};

const reporter = ({ variable, url, tell }: Reaching) => {
  let last: unknown = 'it does not answer';
  let over = false;
  // Anew for each line, because one obstacle may be cleared away and show the next.
  const line = async (): Promise<void> => {
    const obstacle = await obstacleAt(url).catch(() => undefined);
    if (over) return;
    const told = obstacle === undefined ? reasonOf(last) : `${obstacle.host}: ${obstacle.why}: ${obstacle.cure}`;
    tell(`${variable}: ${withoutSecrets(url)} cannot be reached, and is tried again: ${told}`);
    timer = setTimeout(() => void line(), lineMillis);
  };
  let timer = setTimeout(() => void line(), firstLineMillis);
  return {
    failed: (error: unknown): void => {
      last = error;
    },
    end: (): void => {
      over = true;
      clearTimeout(timer);
    },
  };
};
