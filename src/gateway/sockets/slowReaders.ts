import type { UserId } from '../../kernel/ids.js';
import type { BoundReached } from '../contract/bounds.js';

/** Bytes that may wait for all clients of the process together; beyond it the fullest are closed first. */
export const waitingBytesMax = 134_217_728;

/** The same for the clients of one user. */
export const waitingBytesPerUserMax = 16_777_216;

/** Above this share of a bound, no request is begun for a connection that has more than `pressedBacklogBytesMax` waiting. */
const pressedShare = 1 / 2;
export const pressedBacklogBytesMax = 65_536;

/** Closing goes on down to this share of the bound, so that the fullest are looked for once in a while, not per write. */
const keptShare = 7 / 8;

/** Readers are measured again only when this share of the bound was written since, because measuring takes time as well. */
const measuredShare = 1 / 64;

/** How often readers are looked at that may have stalled. */
export const stallSweepMillis = 5_000;

/**
 * A reader that so many sweeps in a row find where the sweep before has found it is cut, after 30 to 40 s. Sweeps are
 * counted and not time, because a process that stood still has made none.
 */
export const stalledSweepsMax = 6;

/** A connection to which more was written than its socket has taken. */
export interface SlowReader {
  /** Bytes that are kept in memory until the socket has taken them. */
  readonly unsentBytes: number;
  /** Bytes of the write under way that the system has not taken: another number shows that the client reads. */
  readonly untakenBytes: number;
  /** The user for whom the bytes wait; undefined without a session. */
  readonly user: UserId | undefined;
  /** By which `unackedBytes` knows the socket. */
  readonly socketId: number | undefined;
  /** Closes with 1013, which a client that is only slow may still read. Does nothing the second time. */
  cut(): void;
  /** Closes without a code, so that the memory is free at once. */
  destroy(): void;
}

/** The connections that are behind, with a bound over all of them, and one over those of each user. */
export interface SlowReaders {
  /** To be called after each write that the socket did not take at once. */
  fellBehind(this: void, reader: SlowReader): void;
  /** The socket has taken everything, or is closed. */
  forget(this: void, reader: SlowReader): void;
  /** More than half of what may wait for all, or for this user, does. */
  isPressed(this: void, user: UserId | undefined): boolean;
  /** Cuts the readers that take nothing. To be called each `stallSweepMillis`. */
  sweep(this: void): Promise<void>;
}

export type SlowReadersOptions = {
  /** Default: `waitingBytesMax`. */
  readonly waitingBytesMax?: number;
  /** Default: `waitingBytesPerUserMax`. */
  readonly waitingBytesPerUserMax?: number;
  readonly reached?: BoundReached;
  /** Bytes that were sent and not acknowledged, by socket; nothing for a socket of which the system does not tell. */
  readonly unackedBytes?: () => Promise<ReadonlyMap<number, number>>;
};

type Backlog = {
  bytes: number;
  /** All of the user for whom they were counted. */
  total: Total | undefined;
  untakenBytes: number;
  /** The `unackedBytes` of the sweep before; undefined while the system takes some. */
  quietSince: { readonly unackedBytes: number | undefined } | undefined;
  unchangedSweeps: number;
};

type Backlogs = Map<SlowReader, Backlog>;

const nothingTold = (): Promise<ReadonlyMap<number, number>> => Promise.resolve(new Map());

export const slowReaders = (options: SlowReadersOptions = {}): SlowReaders => {
  const { waitingBytesMax: bytesMax = waitingBytesMax, unackedBytes = nothingTold } = options;
  const { waitingBytesPerUserMax: perUserMax = waitingBytesPerUserMax, reached = () => undefined } = options;
  const { all, users, forget, measure } = measured(bytesMax, perUserMax);
  const { backlogs } = all;

  const keepToBound = (total: Total): void => {
    for (const [reader, backlog] of total.backlogs) measure(reader, backlog);
    if (total.bytes > total.bytesMax) {
      reached(total === all ? 'waiting' : 'waiting_per_user');
      for (const reader of total.fullest()) {
        forget(reader);
        reader.destroy();
      }
    }
    total.measured();
  };

  /** Of these readers the system has taken nothing since the sweep before. */
  const quiet = (): readonly (readonly [SlowReader, Backlog])[] => {
    const found: (readonly [SlowReader, Backlog])[] = [];
    for (const [reader, backlog] of backlogs) {
      measure(reader, backlog);
      const { untakenBytes } = reader;
      if (untakenBytes === backlog.untakenBytes) found.push([reader, backlog]);
      else backlog.quietSince = undefined;
      backlog.untakenBytes = untakenBytes;
    }
    return found.filter(([reader]) => backlogs.has(reader));
  };

  return {
    forget,
    fellBehind: (reader) => {
      const backlog = backlogs.get(reader) ?? newBacklog(reader);
      all.add(reader, backlog);
      measure(reader, backlog);
      for (const total of [backlog.total, all]) if (total?.isToMeasure === true) keepToBound(total);
    },
    isPressed: (user) => all.isPressed || (user !== undefined && users.get(user)?.isPressed === true),
    sweep: async () => {
      const suspects = quiet();
      if (suspects.length === 0) return;
      const unacked = await unackedBytes();
      for (const [reader, backlog] of suspects) {
        // The reader may have taken everything, or gone, while the system was asked.
        if (backlogs.get(reader) !== backlog) continue;
        countSweep(backlog, unacked.get(reader.socketId ?? -1));
        if (backlog.unchangedSweeps >= stalledSweepsMax) reader.cut();
      }
    },
  };
};

type Measured = {
  readonly all: Total;
  readonly users: ReadonlyMap<UserId, Total>;
  readonly forget: (reader: SlowReader) => void;
  /** Forgets a reader for whom nothing waits any more. */
  readonly measure: (reader: SlowReader, backlog: Backlog) => void;
};

/** The backlogs, each among all and among those of its user. */
const measured = (bytesMax: number, perUserMax: number): Measured => {
  const all = new Total(undefined, bytesMax);
  const users = new Map<UserId, Total>();

  const forget = (reader: SlowReader): void => {
    const backlog = all.backlogs.get(reader);
    if (backlog === undefined) return;
    for (const total of [all, backlog.total]) total?.remove(reader, backlog);
    leaveEmpty(users, backlog.total);
  };

  const measure = (reader: SlowReader, backlog: Backlog): void => {
    const { unsentBytes, user } = reader;
    if (backlog.total?.user !== user) {
      backlog.total?.remove(reader, backlog);
      leaveEmpty(users, backlog.total);
      backlog.total = totalOf(users, user, perUserMax);
      backlog.total?.add(reader, backlog);
    }
    for (const total of [all, backlog.total]) if (total !== undefined) total.bytes += unsentBytes - backlog.bytes;
    backlog.bytes = unsentBytes;
    if (unsentBytes === 0) forget(reader);
  };

  return { all, users, forget, measure };
};

/** The backlogs of all, or those of one user. */
class Total {
  readonly user: UserId | undefined;
  readonly bytesMax: number;
  readonly backlogs: Backlogs = new Map();
  /**
   * An upper estimate of the waiting bytes: those taken since a socket's last write are subtracted when it is measured
   * again.
   */
  bytes = 0;
  private measuredAt: number;

  constructor(user: UserId | undefined, bytesMax: number) {
    this.user = user;
    this.bytesMax = bytesMax;
    this.measuredAt = bytesMax;
  }

  get isPressed(): boolean {
    return this.bytes > this.bytesMax * pressedShare;
  }

  get isToMeasure(): boolean {
    return this.bytes > this.measuredAt;
  }

  measured(): void {
    this.measuredAt = Math.max(this.bytesMax, this.bytes + this.bytesMax * measuredShare);
  }

  add(reader: SlowReader, backlog: Backlog): void {
    if (this.backlogs.has(reader)) return;
    this.backlogs.set(reader, backlog);
    this.bytes += backlog.bytes;
  }

  remove(reader: SlowReader, backlog: Backlog): void {
    if (this.backlogs.delete(reader)) this.bytes -= backlog.bytes;
  }

  /** So many of the fullest that the others are within the share that is kept. */
  fullest(): readonly SlowReader[] {
    const fullestFirst = [...this.backlogs].sort(([, one], [, other]) => other.bytes - one.bytes);
    let left = this.bytes;
    const found: SlowReader[] = [];
    for (const [reader, { bytes }] of fullestFirst) {
      if (left <= this.bytesMax * keptShare) break;
      left -= bytes;
      found.push(reader);
    }
    return found;
  }
}

const newBacklog = ({ untakenBytes }: SlowReader): Backlog => ({
  bytes: 0,
  total: undefined,
  untakenBytes,
  quietSince: undefined,
  unchangedSweeps: 0,
});

const totalOf = (users: Map<UserId, Total>, user: UserId | undefined, bytesMax: number): Total | undefined => {
  if (user === undefined) return undefined;
  const total = users.get(user) ?? new Total(user, bytesMax);
  users.set(user, total);
  return total;
};

const leaveEmpty = (users: Map<UserId, Total>, total: Total | undefined): void => {
  if (total?.user !== undefined && total.backlogs.size === 0) users.delete(total.user);
};

const countSweep = (backlog: Backlog, unackedBytes: number | undefined): void => {
  const isUnchanged = backlog.quietSince !== undefined && backlog.quietSince.unackedBytes === unackedBytes;
  backlog.unchangedSweeps = isUnchanged ? backlog.unchangedSweeps + 1 : 0;
  backlog.quietSince = { unackedBytes };
};
