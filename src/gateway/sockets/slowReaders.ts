/** Bytes that may wait for all clients of the process together; beyond it the fullest are closed first. */
export const waitingBytesMax = 268_435_456;

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
  /** By which `unackedBytes` knows the socket. */
  readonly socketId: number | undefined;
  /** Closes with 1013, which a client that is only slow may still read. Does nothing the second time. */
  cut(): void;
  /** Closes without a code, so that the memory is free at once. */
  destroy(): void;
}

/** The connections that are behind, with a bound over all of them. */
export interface SlowReaders {
  /** To be called after each write that the socket did not take at once. */
  fellBehind(this: void, reader: SlowReader): void;
  /** The socket has taken everything, or is closed. */
  forget(this: void, reader: SlowReader): void;
  /** Cuts the readers that take nothing. To be called each `stallSweepMillis`. */
  sweep(this: void): Promise<void>;
}

export type SlowReadersOptions = {
  /** Default: `waitingBytesMax`. */
  readonly waitingBytesMax?: number;
  /** Bytes that were sent and not acknowledged, by socket; nothing for a socket of which the system does not tell. */
  readonly unackedBytes?: () => Promise<ReadonlyMap<number, number>>;
};

type Backlog = {
  bytes: number;
  untakenBytes: number;
  /** The `unackedBytes` of the sweep before; undefined while the system takes some. */
  quietSince: { readonly unackedBytes: number | undefined } | undefined;
  unchangedSweeps: number;
};

const nothingTold = (): Promise<ReadonlyMap<number, number>> => Promise.resolve(new Map());

export const slowReaders = (options: SlowReadersOptions = {}): SlowReaders => {
  const { waitingBytesMax: bytesMax = waitingBytesMax, unackedBytes = nothingTold } = options;
  const backlogs = new Map<SlowReader, Backlog>();
  // An upper estimate of the waiting bytes: those taken since a socket's last write are subtracted when it is measured
  // again.
  let bytes = 0;
  let measuredAt = bytesMax;

  const forget = (reader: SlowReader): void => {
    bytes -= backlogs.get(reader)?.bytes ?? 0;
    backlogs.delete(reader);
  };

  const measure = (reader: SlowReader, backlog: Backlog): void => {
    const { unsentBytes } = reader;
    bytes += unsentBytes - backlog.bytes;
    backlog.bytes = unsentBytes;
    if (unsentBytes === 0) forget(reader);
  };

  const destroyFullest = (): void => {
    const fullestFirst = [...backlogs].sort(([, one], [, other]) => other.bytes - one.bytes);
    for (const [reader] of fullestFirst) {
      if (bytes <= bytesMax * keptShare) return;
      forget(reader);
      reader.destroy();
    }
  };

  const keepToBound = (): void => {
    for (const [reader, backlog] of backlogs) measure(reader, backlog);
    if (bytes > bytesMax) destroyFullest();
    measuredAt = Math.max(bytesMax, bytes + bytesMax * measuredShare);
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
      const { untakenBytes } = reader;
      const backlog = backlogs.get(reader) ?? { bytes: 0, untakenBytes, quietSince: undefined, unchangedSweeps: 0 };
      backlogs.set(reader, backlog);
      measure(reader, backlog);
      if (bytes > measuredAt) keepToBound();
    },
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

const countSweep = (backlog: Backlog, unackedBytes: number | undefined): void => {
  const isUnchanged = backlog.quietSince !== undefined && backlog.quietSince.unackedBytes === unackedBytes;
  backlog.unchangedSweeps = isUnchanged ? backlog.unchangedSweeps + 1 : 0;
  backlog.quietSince = { unackedBytes };
};
