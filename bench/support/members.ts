import { startHelper, type Helper } from './helper.js';
import type { MemberCalls, Received, Side } from './memberProcess.js';
import { sum } from './statistics.js';

/** Connected members, in processes of their own. */
export interface Members {
  readonly count: number;
  signUp(port: number): Promise<readonly string[]>;
  authorize(port: number, tokens: readonly string[]): Promise<void>;
  join(code: string): Promise<void>;
  connectPlain(port: number): Promise<void>;
  /** Counts from 0 again. `listener` is told how many messages have come to everybody. */
  watch(side: Side, payloadBytesMin: number, listener: (everywhere: number) => void): Promise<void>;
  received(side: Side): Promise<readonly Received[]>;
  record(side: Side, messages: number, payloadBytesMin: number): Promise<void>;
  /** Of each member a list of times, one for each message; 0 for one that never came. */
  recorded(messages: number): Promise<readonly Float64Array[]>;
  close(side: Side): Promise<void>;
  stop(): Promise<void>;
}

export const startMembers = async (count: number, processes: number): Promise<Members> => {
  const shares = Array.from({ length: processes }, (_, at) => shareOf(count, processes, at)).filter(
    (share) => share > 0,
  );
  const helpers = await Promise.all(shares.map(() => memberProcess()));
  const each = <T>(work: (helper: MemberHelper, share: number, at: number) => Promise<T>): Promise<T[]> =>
    Promise.all(helpers.map((helper, at) => work(helper, shares[at] ?? 0, at)));
  return {
    count,
    signUp: async (port) => (await each((helper, share) => helper.call('signUp', { port, count: share }))).flat(),
    authorize: async (port, tokens) => {
      const starts = shares.map((_, at) => sum(shares.slice(0, at)));
      await each((helper, share, at) => {
        const start = starts[at] ?? 0;
        return helper.call('authorize', { port, tokens: tokens.slice(start, start + share) });
      });
    },
    join: async (code) => {
      await each((helper) => helper.call('join', { code }));
    },
    connectPlain: async (port) => {
      await each((helper, share) => helper.call('connectPlain', { port, count: share }));
    },
    watch: async (side, payloadBytesMin, listener) => {
      const reached = shares.map(() => 0);
      for (const [at, helper] of helpers.entries()) {
        helper.onNews(({ everywhere }) => {
          reached[at] = everywhere;
          listener(Math.min(...reached));
        });
      }
      await each((helper) => helper.call('watch', { side, payloadBytesMin }));
    },
    received: (side) => each((helper) => helper.call('received', { side })),
    record: async (side, messages, payloadBytesMin) => {
      await each((helper) => helper.call('record', { side, messages, payloadBytesMin }));
    },
    recorded: async (messages) => {
      const all = await each((helper) => helper.call('recorded', undefined));
      return all.flatMap((times, at) =>
        Array.from({ length: shares[at] ?? 0 }, (_, one) => times.subarray(one * messages, (one + 1) * messages)),
      );
    },
    close: async (side) => {
      await each((helper) => helper.call('close', { side }));
    },
    stop: async () => {
      await each((helper) => helper.stop());
    },
  };
};

type MemberHelper = Helper<MemberCalls, Received>;

const memberProcess = (): Promise<MemberHelper> =>
  startHelper({ file: new URL('./memberProcess.js', import.meta.url) });

const shareOf = (count: number, processes: number, at: number): number =>
  Math.floor((count * (at + 1)) / processes) - Math.floor((count * at) / processes);
