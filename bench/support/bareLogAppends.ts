import { randomUUID } from 'node:crypto';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { serveCalls } from './helper.js';

/** Appends over the one multiplexed call, each to a stream of its own, as messages are: and nothing else. */
const calls = {
  /** Appends per second of so many appenders, each of which waits for its own. */
  append: async (what: {
    readonly connectionString: string;
    readonly appenders: number;
    readonly bytes: number;
    readonly seconds: number;
  }): Promise<number> => {
    const log = await eventStoreDbEventLog({
      connectionString: what.connectionString,
      prefix: `bare-${randomUUID()}-`,
    });
    const data = Buffer.from(JSON.stringify({ text: 'a'.repeat(what.bytes) }));
    const metadata = Buffer.from('{}');
    const started = performance.now();
    const end = started + what.seconds * 1_000;
    let appended = 0;
    const appender = async (): Promise<void> => {
      while (performance.now() < end) {
        const id = randomUUID();
        await log.append(id, [{ id, type: 'bench.Bare.v1', data, metadata }], 'noStream');
        appended += 1;
      }
    };
    await Promise.all(Array.from({ length: what.appenders }, appender));
    const perSecond = (appended * 1_000) / (performance.now() - started);
    await log.close();
    return perSecond;
  },
};

export type BareLogAppendCalls = typeof calls;

serveCalls(calls);
