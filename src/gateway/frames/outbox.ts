import type { Socket } from 'node:net';
import { frameSize, type Body } from '../../wire/envelope.js';
import type { FrameAssembler } from './frameAssembler.js';
import type { Flusher } from './flusher.js';
import type { FrameQueue } from './frameQueue.js';
import { headerSize, noCount, type Broadcast, type Frame } from './frames.js';
import { sharedBytesMax } from './writeBuffers.js';

/** Above this one client library closes the connection: a ServerMessage with its WebSocket header fits in it. */
export const frameBytesMax = 1_048_576;

const headerBytesMax = 10;
const idBytesMax = 6;

/** Whether a result or update of so many bytes may be sent at all. */
export const fitsFrame = (bytes: number): boolean => bytes + headerBytesMax + idBytesMax <= frameBytesMax;

/** A reader that is behind by more than this is cut. */
export const bufferedBytesMax = 8_388_608;

export interface Outgoing {
  /** Sends a body to this connection alone: a result. */
  send(body: Body): void;
  /** Sends an update that others are sent as well, with this viewer's unread count in it, if not `noCount`. */
  broadcast(broadcast: Broadcast, unreadCount: number): void;
  /**
   * Updates wait from here on for `release`, because a client that is let in hears that first. Each hold needs its
   * release.
   */
  hold(): void;
  release(): void;
}

/** The connection that the outbox belongs to. */
export interface OutboxOwner {
  /** More waits for it than may. */
  cut(): void;
  /** The socket has not taken a write at once. */
  fellBehind(): void;
  /** The socket has taken a write at once. Node tells of that by no `drain`. */
  tookAtOnce(): void;
}

/** Updates that came while the answer which goes before them was not there yet. */
type Holding = {
  holds: number;
  bytes: number;
  readonly broadcasts: { readonly broadcast: Broadcast; readonly unreadCount: number }[];
};

/** The part of a WebSocket that an outbox needs; `readyState` 1 is open. */
export type Wire = { readonly readyState: number };
const open = 1;

/**
 * Everything that one connection is sent, in order: results and updates get the ids 1, 2, 3 … as they come in, and wait
 * as references to bytes that all connections share. They are copied out once per tick, into one write; long ones go into it as they are.
 *
 * A class, because there is one for each of many thousand connections and `broadcast` is on the path of every delivery.
 */
export class Outbox implements Outgoing {
  private readonly wire: Wire;
  private readonly socket: Socket;
  private readonly flusher: Flusher;
  private readonly owner: OutboxOwner;
  /** Lent by the flusher while something waits. */
  private queue: FrameQueue | undefined;
  private holding: Holding | undefined;
  /**
   * How much may wait here this tick. Asked for once, because the bytes that wait in the socket grow with a flush
   * alone.
   */
  private queuedBytesMax = bufferedBytesMax;
  private lastId = 0;
  private closed = false;

  constructor(wire: Wire, socket: Socket, flusher: Flusher, owner: OutboxOwner) {
    this.wire = wire;
    this.socket = socket;
    this.flusher = flusher;
    this.owner = owner;
  }

  /** Bytes that the other end has not taken yet: those that wait here and those that wait in the socket. */
  get bufferedBytes(): number {
    return (this.queue?.bytes ?? 0) + (this.holding?.bytes ?? 0) + this.socket.writableLength;
  }

  /** Sends a body to this connection alone: a result. */
  send(body: Body): void {
    if (this.closed) return;
    const size = frameSize(this.nextId, body);
    this.enqueue(body, noCount, headerSize(size) + size);
  }

  /** Sends an update that others are sent as well, with this viewer's unread count in it, if not `noCount`. */
  broadcast(broadcast: Broadcast, unreadCount: number): void {
    if (this.closed) return;
    if (this.holding !== undefined) {
      this.keep(this.holding, broadcast, unreadCount);
      return;
    }
    const frame = broadcast.frame(this.nextId, unreadCount);
    this.enqueue(frame, unreadCount, frame.size);
  }

  hold(): void {
    this.holding ??= { holds: 0, bytes: 0, broadcasts: [] };
    this.holding.holds += 1;
  }

  release(): void {
    const { holding } = this;
    if (holding === undefined) return;
    holding.holds -= 1;
    if (holding.holds > 0) return;
    this.holding = undefined;
    for (const { broadcast, unreadCount } of holding.broadcasts) this.broadcast(broadcast, unreadCount);
  }

  /** Puts all that waits into one write. Called by the flusher once per tick. */
  flush(composer: FrameAssembler): void {
    const { queue } = this;
    if (queue === undefined) return;
    if (this.wire.readyState !== open) {
      this.close();
      return;
    }
    const firstId = (this.lastId - queue.length + 1) >>> 0;
    if (queue.bytes > sharedBytesMax) this.writeTogether(composer.pieces(queue, firstId));
    else this.socket.write(composer.compose(queue, firstId));
    this.clear();
    // Memory that the kernel took at once is ours again; bytes that wait in the socket must stay as they are.
    if (this.socket.writableLength === 0) {
      this.owner.tookAtOnce();
      return;
    }
    composer.keep();
    this.owner.fellBehind();
  }

  /** Nothing is sent any more; all waiting frames are forgotten. */
  close(): void {
    this.closed = true;
    this.holding = undefined;
    this.clear();
  }

  /** In one write of the system, in which nothing comes between them. */
  private writeTogether(pieces: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece);
    this.socket.uncork();
  }

  /** After the highest id that 32 bits hold comes 0 again. */
  private get nextId(): number {
    return (this.lastId + 1) >>> 0;
  }

  private keep(holding: Holding, broadcast: Broadcast, unreadCount: number): void {
    holding.broadcasts.push({ broadcast, unreadCount });
    holding.bytes += broadcast.bytesMax;
    if (this.bufferedBytes > bufferedBytesMax) this.owner.cut();
  }

  private enqueue(item: Body | Frame, count: number, bytes: number): void {
    const queue = this.queue ?? this.begin();
    this.lastId = this.nextId;
    queue.add(item, count, bytes);
    if (queue.bytes > this.queuedBytesMax && this.bufferedBytes > bufferedBytesMax) this.owner.cut();
  }

  private begin(): FrameQueue {
    this.queuedBytesMax = bufferedBytesMax - this.socket.writableLength;
    this.queue = this.flusher.add(this);
    return this.queue;
  }

  private clear(): void {
    if (this.queue !== undefined) this.flusher.giveBack(this.queue);
    this.queue = undefined;
  }
}
