import type { BoundReached } from '../contract/bounds.js';

/** Bytes of all connections that were taken in and are not stored and answered yet. */
export const receivedBytesMax = 67_108_864;

/** The same of one connection. It is not read while there are so many. */
export const receivedBytesPerConnectionMax = 4_194_304;

/** A connection that holds less is read in any case. */
export const alwaysReadBytesMax = 65_536;

/** A connection with the bytes that came from it and still are in memory. */
export interface Receiver {
  /** Of requests that wait or are under way, and of a message that is not complete. */
  readonly receivedBytes: number;
  /** Of the message that is not complete. */
  readonly unfinishedBytes: number;
  /** Nothing more is read, at most ten seconds in one piece, until `readAgain`. */
  holdBack(): void;
  readAgain(): void;
  /** Closes with 1013, because a message of the connection has been on its way for longest. */
  giveUpUnfinished(): void;
}

/**
 * The bytes that were taken in and are not stored yet, with a bound over all connections. Beyond it those that hold the
 * most are not read: one more with each read of any, so that it ends with as few as are needed. Where unfinished messages
 * alone fill it, waiting would not help, and the one that was begun longest ago is given up.
 */
export interface ReceivedBytes {
  readonly perConnectionMax: number;
  /** So many bytes of requests have come from the receiver, or, below 0, are answered. It counts them already. */
  changed(this: void, receiver: Receiver, by: number): void;
  /** An incomplete message of the receiver takes so many bytes more. */
  grew(this: void, receiver: Receiver, by: number): void;
  /** It takes none any more, and took so many. */
  completed(this: void, receiver: Receiver, bytes: number): void;
  count(this: void): number;
}

export type ReceivedBytesOptions = {
  /** Default: `receivedBytesMax`. */
  readonly receivedBytesMax?: number;
  /** Default: `receivedBytesPerConnectionMax`. */
  readonly receivedBytesPerConnectionMax?: number;
  readonly reached?: BoundReached;
};

export const receivedBytes = (options: ReceivedBytesOptions = {}): ReceivedBytes => {
  const { receivedBytesMax: bytesMax = receivedBytesMax, reached = () => undefined } = options;
  const { receivedBytesPerConnectionMax: perConnectionMax = receivedBytesPerConnectionMax } = options;
  // Connections that hold little are the most by far, and are in none of these.
  const large = new Set<Receiver>();
  const heldBack = new Set<Receiver>();
  // A Set keeps the order of insertion: the first is the one whose message was begun longest ago.
  const begun = new Set<Receiver>();
  let bytes = 0;
  let unfinished = 0;

  const readAgain = (receiver: Receiver): void => {
    if (heldBack.delete(receiver)) receiver.readAgain();
  };

  const holdBackFullest = (): void => {
    const fullest = heldBack.size < large.size ? fullestOf(large, heldBack) : undefined;
    if (fullest === undefined) return;
    if (heldBack.size === 0) reached('received');
    heldBack.add(fullest);
    fullest.holdBack();
  };

  const giveUpOldest = (): void => {
    for (const receiver of begun) {
      if (unfinished <= bytesMax) return;
      reached('unfinished');
      receiver.giveUpUnfinished();
    }
  };

  const changed = (receiver: Receiver, by: number): void => {
    bytes += by;
    if (receiver.receivedBytes >= alwaysReadBytesMax) large.add(receiver);
    else if (large.delete(receiver)) readAgain(receiver);
    if (bytes <= bytesMax) for (const one of heldBack) readAgain(one);
    else if (by > 0) holdBackFullest();
  };

  return {
    perConnectionMax,
    changed,
    count: () => bytes,
    grew: (receiver, by) => {
      unfinished += by;
      begun.add(receiver);
      if (unfinished > bytesMax) giveUpOldest();
      // It may have been the oldest itself.
      if (begun.has(receiver)) changed(receiver, by);
      else bytes += by;
    },
    completed: (receiver, by) => {
      unfinished -= by;
      begun.delete(receiver);
      changed(receiver, -by);
    },
  };
};

const fullestOf = (receivers: ReadonlySet<Receiver>, except: ReadonlySet<Receiver>): Receiver | undefined => {
  let found: Receiver | undefined;
  for (const receiver of receivers) {
    if (!except.has(receiver) && receiver.receivedBytes > (found?.receivedBytes ?? 0)) found = receiver;
  }
  return found;
};
