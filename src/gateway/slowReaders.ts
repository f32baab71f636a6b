/** Bytes that may wait for all clients of the process together; beyond it the fullest are closed first. */
export const waitingBytesMax = 268_435_456;

/** Closing goes on down to this share of the bound, so that the fullest are looked for once in a while, not per write. */
const keptShare = 7 / 8;

/** A socket for which bytes wait and which takes none of them for this long is cut. */
export const stalledMillisMax = 30_000;

/** A socket is cut when so many looks in a row find it where it was. Looks, because a process that stood still makes none. */
const looksMax = 6;

/** A connection to which more was written than its socket has taken. */
export interface SlowReader {
  /** Bytes that are kept in memory until the socket has taken them. */
  readonly unsentBytes: number;
  /** Bytes of the write under way that the system has not taken: another number shows that the client reads. */
  readonly untakenBytes: number;
  /** Closes with 1013, which a client may still read that is only slow. */
  cut(): void;
  /** The same without waiting for the client: what is kept in memory is free at once. */
  destroy(): void;
}

/** The connections that are behind, with a bound over all of them. */
export interface SlowReaders {
  /** To be called after each write that the socket did not take at once. */
  fellBehind(this: void, reader: SlowReader): void;
  /** The socket has taken everything, or is closing. */
  forget(this: void, reader: SlowReader): void;
  close(this: void): void;
}

export type SlowReadersOptions = {
  /** Default: `waitingBytesMax`. */
  readonly bytesMax?: number;
  /** Default: `stalledMillisMax`. */
  readonly stalledMillis?: number;
};

type Backlog = { bytes: number; untakenBytes: number; looks: number };

export const slowReaders = (options: SlowReadersOptions = {}): SlowReaders => {
  const { bytesMax = waitingBytesMax, stalledMillis = stalledMillisMax } = options;
  const backlogs = new Map<SlowReader, Backlog>();
  /** At least what waits: what sockets have taken since their last write is seen at the next look. */
  let bytes = 0;

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
    for (const [reader, backlog] of backlogs) measure(reader, backlog);
    const fullestFirst = [...backlogs].sort(([, one], [, other]) => other.bytes - one.bytes);
    for (const [reader] of fullestFirst) {
      if (bytes <= bytesMax * keptShare) return;
      forget(reader);
      reader.destroy();
    }
  };

  const look = (): void => {
    for (const [reader, backlog] of backlogs) {
      measure(reader, backlog);
      const { untakenBytes } = reader;
      backlog.looks = untakenBytes === backlog.untakenBytes ? backlog.looks + 1 : 0;
      backlog.untakenBytes = untakenBytes;
      if (backlog.looks >= looksMax && backlogs.has(reader)) {
        forget(reader);
        reader.cut();
      }
    }
  };
  // The first of the looks may follow at once.
  const looking = setInterval(look, stalledMillis / (looksMax - 1)).unref();

  return {
    forget,
    fellBehind: (reader) => {
      const backlog = backlogs.get(reader) ?? { bytes: 0, untakenBytes: reader.untakenBytes, looks: 0 };
      backlogs.set(reader, backlog);
      measure(reader, backlog);
      if (bytes > bytesMax) destroyFullest();
    },
    close: () => {
      clearInterval(looking);
    },
  };
};
