import { randomUUID } from 'node:crypto';
import type { Millis } from '../../kernel/ids.js';
import type { Leases, Timers } from '../../kernel/ports/leases.js';
import { memoryIdMark } from './memoryIdMark.js';
import { recordedLeases, type LeaseRecord, type LeaseRecords } from './recorded.js';

/** Records that the nodes of one test share, in a store whose clock shows `now`. */
export const memoryLeaseRecords = (now: () => Millis = () => Date.now() as Millis): LeaseRecords => {
  const records = new Map<string, LeaseRecord>();
  return {
    read: (name) => Promise.resolve(records.get(name)),
    begin: (record) => {
      if (records.has(record.name)) return Promise.resolve(false);
      records.set(record.name, record);
      return Promise.resolve(true);
    },
    change: ({ name, fence, counter }, change) => {
      const before = records.get(name);
      if (before?.fence !== fence || (counter !== undefined && counter !== before.counter)) {
        return Promise.resolve(undefined);
      }
      const after = { ...before, ...change, counter: before.counter + 1n };
      records.set(name, after);
      return Promise.resolve(after);
    },
    time: () => Promise.resolve(now()),
    mark: memoryIdMark(),
    close: () => Promise.resolve(),
  };
};

/** One node's leases over them: the reference adapter. */
export const memoryLeases = (records: LeaseRecords, timers: Pick<Timers, 'now'>): Leases =>
  recordedLeases({ records, timers, holder: randomUUID() });
