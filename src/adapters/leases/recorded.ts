import type { Millis } from '../../kernel/ids.js';
import { leaseMillis, type IdMark, type Lease, type Leases, type Timers } from '../../kernel/ports/leases.js';

/** The record that the store has of a lease. It stays for ever, so that the fence never begins anew. */
export type LeaseRecord = {
  readonly name: string;
  /** Raised with each change of holder. */
  readonly fence: bigint;
  /** Raised with each change of anything. */
  readonly counter: bigint;
  /** Empty when nobody has it. */
  readonly holder: string;
  readonly note: bigint;
};

/** Where records are kept. Each change is one compare-and-set; it tells whether it was made. */
export interface LeaseRecords {
  read(name: string): Promise<LeaseRecord | undefined>;
  /** False when there is a record of that name. */
  begin(record: LeaseRecord): Promise<boolean>;
  /** Changes the record if it is as expected, and raises its counter by one. Undefined when it is not. */
  change(expected: Expected, change: Change): Promise<LeaseRecord | undefined>;
  /** The time by the store's clock. */
  time(): Promise<Millis>;
  readonly mark: IdMark;
  close(): Promise<void>;
}
export type Expected = { readonly name: string; readonly fence: bigint; readonly counter?: bigint };
export type Change = { readonly fence?: bigint; readonly holder?: string; readonly note?: bigint };

export type RecordedLeasesNeeds = {
  readonly records: LeaseRecords;
  readonly timers: Pick<Timers, 'now'>;
  /** Names these `Leases`; nobody else's name, ever. */
  readonly holder: string;
};

/** A record as it was first seen, and when. */
type Seen = Pick<LeaseRecord, 'fence' | 'counter'> & { readonly at: number };

/** Leases over records that several nodes share. */
export const recordedLeases = ({ records, timers, holder }: RecordedLeasesNeeds): Leases => {
  const seen = new Map<string, Seen>();
  /** The leases that these gave out, by name, with their fences. */
  const given = new Map<string, bigint>();

  const taking = new Set<string>();

  const leaseOf = ({ name, fence, note }: LeaseRecord): Lease => {
    const forget = (): void => {
      if (given.get(name) === fence) given.delete(name);
    };
    given.set(name, fence);
    return {
      name,
      fence,
      note,
      renew: async (left) => {
        // Whose fence it is, theirs is the lease: the counter may have been raised by a try whose answer was lost.
        const renewed = await records.change({ name, fence }, left === undefined ? {} : { note: left });
        if (renewed === undefined) forget();
        return renewed !== undefined;
      },
      release: async (left) => {
        // First, so that these can take it again even when the store cannot be reached.
        forget();
        await records.change({ name, fence }, { holder: '', ...(left === undefined ? {} : { note: left }) });
      },
    };
  };
  const isIdle = (record: LeaseRecord): boolean => {
    const { name, fence, counter } = record;
    if (record.holder === '') return true;
    // A lease that was given here and then lost sight of is idle, because nobody else renews it.
    if (record.holder === holder && given.get(name) !== fence) return true;
    const before = seen.get(name);
    if (before?.fence === fence && before.counter === counter) return timers.now() - before.at >= leaseMillis;
    seen.set(name, { fence, counter, at: timers.now() });
    return false;
  };
  const begin = async (name: string): Promise<Lease | undefined> => {
    const record: LeaseRecord = { name, fence: 1n, counter: 1n, holder, note: 0n };
    return (await records.begin(record)) ? leaseOf(record) : undefined;
  };

  const take = async (name: string): Promise<Lease | undefined> => {
    const record = await records.read(name);
    if (record === undefined) return begin(name);
    if (!isIdle(record)) return undefined;
    const { fence, counter } = record;
    const taken = await records.change({ name, fence, counter }, { fence: fence + 1n, holder });
    seen.delete(name);
    return taken && leaseOf(taken);
  };

  return {
    take: async (name) => {
      // Between the taking at the store and its answer the record looks like one that was lost sight of here.
      if (taking.has(name)) return undefined;
      taking.add(name);
      try {
        return await take(name);
      } finally {
        taking.delete(name);
      }
    },
    ...forAll(records),
  };
};

/** The part that is the same for all holders. */
const forAll = (records: LeaseRecords): Pick<Leases, 'time' | 'mark' | 'close'> => ({
  time: () => records.time(),
  mark: records.mark,
  close: () => records.close(),
});
