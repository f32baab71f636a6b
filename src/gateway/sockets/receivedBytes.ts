import type { BoundReached } from '../contract/bounds.js';
import { UnfinishedMessages, type RoomNeeds, type LongSender } from './unfinishedMessages.js';

/** Bytes of all connections that were taken in and are not stored and answered yet. */
export const receivedBytesMax = 67_108_864;

/** The same of one connection. It is not read while there are so many. */
export const receivedBytesPerConnectionMax = 4_194_304;

/** A connection that holds less is read in any case. */
export const alwaysReadBytesMax = 65_536;

/** Long messages that are not complete have room in this share of the bound, so that they leave the rest to requests that are. */
const unfinishedShare = 1 / 2;

/** A connection with the bytes that came from it and still are in memory. */
export interface Receiver extends LongSender {
  /** Of requests that wait or are under way, and of a message that is not complete. */
  readonly receivedBytes: number;
}

/**
 * The bytes that were taken in and are not stored yet, with a bound over all connections. Long messages are read on only where there is
 * room for the rest of them. Beyond the bound the connections that hold the most requests are not read: one more with each read of
 * any, so that it ends with as few as are needed. Where unfinished messages alone fill it, waiting would not help, and
 * the one that was silent longest is given up.
 */
export interface ReceivedBytes {
  readonly perConnectionMax: number;
  /** So many bytes of requests have come from the receiver, or, below 0, are answered. It counts them already. */
  changed(this: void, receiver: Receiver, by: number): void;
  /** An incomplete message of the receiver takes so many bytes more. */
  grew(this: void, receiver: Receiver, by: number): void;
  /** It takes none any more, and took so many. Of a request that it was, so many are kept. */
  completed(this: void, receiver: Receiver, bytes: number, keptBytes?: number): void;
  count(this: void): number;
}

export type ReceivedBytesOptions = {
  /** Default: `receivedBytesMax`. */
  readonly receivedBytesMax?: number;
  /** Default: `receivedBytesPerConnectionMax`. */
  readonly receivedBytesPerConnectionMax?: number;
  readonly reached?: BoundReached;
};

export type ReceivedBytesNeeds = ReceivedBytesOptions & Pick<RoomNeeds, 'timers'>;

export const receivedBytes = (needs: ReceivedBytesNeeds): ReceivedBytes => {
  const { receivedBytesMax: bytesMax = receivedBytesMax, reached = () => undefined } = needs;
  const perConnectionMax = needs.receivedBytesPerConnectionMax ?? receivedBytesPerConnectionMax;
  const notAllRead = (): void => {
    reached('received');
  };
  const large = new LargeReceivers(notAllRead);
  // A Set keeps the order of insertion: the first is the one of which nothing came for longest.
  const begun = new Set<Receiver>();
  let bytes = 0;
  let unfinished = 0;
  const messages = new UnfinishedMessages<Receiver>({
    timers: needs.timers,
    fits: (more) => bytes + more <= bytesMax * unfinishedShare,
    // Where requests wait for long, those of others still leave this much; and where they do not, one can go on beside any messages.
    fitsAlone: (more) => bytes + more <= bytesMax || bytes - unfinished + more <= perConnectionMax,
    reached: notAllRead,
  });

  const giveUpSilent = (): void => {
    for (const receiver of messages.giveUpOrder(begun)) {
      if (unfinished <= bytesMax) return;
      reached('unfinished');
      receiver.giveUpUnfinished();
    }
  };

  const counted = (receiver: Receiver, by: number): void => {
    bytes += by;
    if (!large.note(receiver)) messages.forget(receiver);
  };

  const relieved = (by: number): void => {
    if (bytes <= bytesMax) large.readAllAgain();
    else if (by > 0) large.holdBackFullest((one) => !messages.hasRoomOrWaits(one));
    messages.memoryChanged(by);
  };

  return {
    perConnectionMax,
    count: () => bytes,
    changed: (receiver, by) => {
      counted(receiver, by);
      relieved(by);
    },
    grew: (receiver, by) => {
      unfinished += by;
      begun.delete(receiver);
      begun.add(receiver);
      if (unfinished > bytesMax) giveUpSilent();
      // It may have been given up itself.
      if (!begun.has(receiver)) bytes += by;
      else {
        counted(receiver, by);
        if (large.takeOut(receiver)) messages.came(receiver);
        relieved(by);
      }
    },
    completed: (receiver, by, kept = 0) => {
      unfinished -= by;
      begun.delete(receiver);
      messages.forget(receiver);
      counted(receiver, kept - by);
      // Its last bytes were let on before they came.
      relieved(Math.min(0, kept - by));
    },
  };
};

/** Connections that hold so much that they need not be read. Those that hold little are the most by far. */
class LargeReceivers {
  private readonly all = new Set<Receiver>();
  private readonly heldBack = new Set<Receiver>();
  private readonly began: () => void;

  /** `began` is called when the first of them is not read any more. */
  constructor(began: () => void) {
    this.began = began;
  }

  /** Whether it is one of them now. */
  note(receiver: Receiver): boolean {
    const isLarge = receiver.receivedBytes >= alwaysReadBytesMax;
    if (isLarge) this.all.add(receiver);
    else if (this.all.delete(receiver)) this.readAgain(receiver);
    return isLarge;
  }

  /** True when it is one of them: from here on something else decides whether it is read. */
  takeOut(receiver: Receiver): boolean {
    this.readAgain(receiver);
    return this.all.has(receiver);
  }

  holdBackFullest(mayBe: (receiver: Receiver) => boolean): void {
    if (this.heldBack.size === this.all.size) return;
    let fullest: Receiver | undefined;
    for (const receiver of this.all) {
      const isFuller = receiver.receivedBytes > (fullest?.receivedBytes ?? 0);
      if (isFuller && !this.heldBack.has(receiver) && mayBe(receiver)) fullest = receiver;
    }
    if (fullest === undefined) return;
    if (this.heldBack.size === 0) this.began();
    this.heldBack.add(fullest);
    fullest.holdBack();
  }

  readAllAgain(): void {
    for (const receiver of this.heldBack) this.readAgain(receiver);
  }

  private readAgain(receiver: Receiver): void {
    if (this.heldBack.delete(receiver)) receiver.readAgain();
  }
}
