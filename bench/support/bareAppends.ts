import { open } from 'lmdb';
import { serveCalls } from './helper.js';

/** Bytes that grow in the disk's order: what is durable and shared by all appenders, and nothing else. */
const calls = {
  /** Durable appends per second of so many appenders, each of which waits for its own. */
  append: async (what: {
    readonly folder: string;
    readonly appenders: number;
    readonly bytes: number;
    readonly seconds: number;
  }): Promise<number> => {
    const disk = open<Buffer, number>({
      path: what.folder,
      encoding: 'binary',
      keyEncoding: 'uint32',
      overlappingSync: false,
    });
    const record = Buffer.alloc(what.bytes, 0x61);
    const started = performance.now();
    const end = started + what.seconds * 1_000;
    let appended = disk.getKeysCount();
    const before = appended;
    const appender = async (): Promise<void> => {
      while (performance.now() < end) {
        appended += 1;
        await disk.put(appended, record);
      }
    };
    await Promise.all(Array.from({ length: what.appenders }, appender));
    const perSecond = ((appended - before) * 1_000) / (performance.now() - started);
    await disk.close();
    return perSecond;
  },
};

export type BareAppendCalls = typeof calls;

serveCalls(calls);
