import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { UserId } from '../../kernel/ids.js';
import type { BoundName, BoundReached } from '../contract/bounds.js';
import { closeCode } from '../contract/closeCodes.js';
import type { ConnectionAccount } from '../requests/accounts.js';
import type { Flusher } from '../frames/flusher.js';
import { Outbox, type OutboxOwner } from '../frames/outbox.js';
import type { Places, SignedOutConnection } from './places.js';
import type { Device } from '../contract/call.js';
import { Standpoint, type Session } from '../sessions/session.js';
import type { SharedAddresses } from './sharedAddresses.js';
import { pressedBacklogBytesMax, type SlowReader, type SlowReaders } from './slowReaders.js';
import { readInPieces } from './socketPieces.js';
import { socketIdOf, untakenBytes } from './socketProgress.js';
import { requestOrder, type RequestOrder } from '../requests/requestOrder.js';
import { RequestIntake, type IntakeNeeds, type IntakeOwner } from './requestIntake.js';
import { announcedBytes, isWithinMessage, keptBytes, setMessageBounds, type MessageBounds } from './webSocketInside.js';

/** Largest message taken from a client with a session: one uploaded part of 1 MiB with its envelope, and some room. */
export const inboundBytesMax = 1_310_720;

/** The same without a session. Nothing that is asked before sign-in is longer. */
export const signedOutInboundBytesMax = 16_384;

/** Some libraries send long messages in fragments of 4 KiB, and a read has some hundred bytes at the least. */
export const messageBounds: MessageBounds = {
  maxPayload: inboundBytesMax,
  maxFragments: 384,
  maxBufferedChunks: 4_096,
};

export const signedOutMessageBounds: MessageBounds = {
  maxPayload: signedOutInboundBytesMax,
  maxFragments: 16,
  maxBufferedChunks: 512,
};

/** While more than this waits to be taken by the client, none of its requests is begun. Less is when much waits for others. */
export const backlogBytesMax = 1_048_576;

/** How long requests under way may hold up a close. */
export const closingMillisMax = 2_500;

/** How long the other end has to answer a close before its socket is destroyed. */
export const closeAnswerMillisMax = 5_000;

/** The same for a client that was cut because it does not read, or that gave its place to another one. */
export const cutMillisMax = 1_000;

export type ClientConnectionNeeds = IntakeNeeds & {
  readonly flusher: Flusher;
  readonly places: Pick<Places, 'renew' | 'leave'>;
  readonly slowReaders: Pick<SlowReaders, 'fellBehind' | 'forget' | 'isPressed'>;
  readonly sharedAddresses: SharedAddresses;
  /** Called once, when the WebSocket is closed for good. */
  readonly closed: (connection: ClientConnection) => void;
  /** A slow client was cut. */
  readonly cut: (connection: ClientConnection) => void;
  /** A place was given to a newer connection. */
  readonly gaveWay: (connection: ClientConnection) => void;
  readonly reached: BoundReached;
  /** A client was refused too often, and its connection is closed. */
  readonly refused: (connection: ClientConnection) => void;
};

/** The parts that a connection is made from. */
export type Accepted = { readonly socket: WebSocket; readonly stream: Socket; readonly address: string };

/**
 * One WebSocket. A class, because there are many thousand of them and each has a dozen things that change.
 *
 * Answers and updates are written straight to the stream, below the WebSocket library, which still does the reading,
 * pings and closing. Both write whole frames in one piece, so neither can come into the middle of the other's.
 */
export class ClientConnection implements IntakeOwner, OutboxOwner, SignedOutConnection, SlowReader {
  readonly address: string;
  readonly order: RequestOrder = requestOrder();
  readonly standpoint = new Standpoint();
  readonly outbox: Outbox;
  device: Device | undefined;
  account: ConnectionAccount | undefined;
  heardAt = performance.now();
  gone = false;
  private readonly needs: ClientConnectionNeeds;
  private readonly socket: WebSocket;
  private readonly stream: Socket;
  private readonly intake: RequestIntake;
  private belongsTo: Session | undefined;
  private closing: number | undefined;
  private closingTimer: NodeJS.Timeout | undefined;

  constructor(needs: ClientConnectionNeeds, { socket, stream, address }: Accepted) {
    this.needs = needs;
    this.socket = socket;
    this.stream = stream;
    this.address = address;
    this.outbox = new Outbox(socket, stream, needs.flusher, this);
    this.intake = new RequestIntake(needs, this);
    Object.assign(socket, { [connectionOf]: this })
      .on('message', onMessage)
      .on('ping', onPing)
      .on('close', onClose);
    Object.assign(stream, { [connectionOf]: this })
      .on('drain', onDrain)
      .on('data', onRead);
    readInPieces(stream, socket);
  }

  get subscribed(): boolean {
    return this.device?.noSubscribe !== true;
  }

  get session(): Session | undefined {
    return this.belongsTo;
  }

  joined(session: Session): void {
    if (this.belongsTo === undefined) this.needs.sharedAddresses.joined(this.address);
    this.belongsTo = session;
    if (this.closing !== undefined) return;
    this.needs.places.leave(this);
    setMessageBounds(this.socket, messageBounds);
  }

  left(): void {
    if (this.belongsTo !== undefined) this.needs.sharedAddresses.left(this.address);
    this.belongsTo = undefined;
    if (this.closing !== undefined) return;
    this.needs.places.renew(this);
    setMessageBounds(this.socket, signedOutMessageBounds);
  }

  get isAwaiting(): boolean {
    return this.intake.inFlight > 0;
  }

  get isTaking(): boolean {
    const { bufferedBytes } = this.outbox;
    if (bufferedBytes <= pressedBacklogBytesMax) return true;
    return bufferedBytes < backlogBytesMax && !this.needs.slowReaders.isPressed(this.user);
  }

  get announcedBytes(): number {
    return announcedBytes(this.socket);
  }

  get user(): UserId | undefined {
    return this.belongsTo?.caller.user;
  }

  get unsentBytes(): number {
    return this.stream.writableLength;
  }

  get untakenBytes(): number {
    return untakenBytes(this.stream);
  }

  get socketId(): number | undefined {
    return socketIdOf(this.stream);
  }

  /** A request of this connection is well formed and allowed, and begins. */
  requestBegan(): void {
    if (this.belongsTo === undefined && this.closing === undefined) this.needs.places.renew(this);
  }

  fellBehind(): void {
    this.needs.slowReaders.fellBehind(this);
  }

  tookAtOnce(): void {
    this.intake.takesAgain();
  }

  closeSoon(code: number): void {
    if (this.closing !== undefined) return;
    this.beginClosing(code);
    if (this.intake.inFlight === 0) {
      this.close(code);
      return;
    }
    this.closingTimer = setTimeout(() => {
      this.close(code);
    }, closingMillisMax);
  }

  expire(): void {
    this.closeSoon(closeCode.goingAway);
  }

  /** Destroys what is left of the socket. */
  terminate(): void {
    this.socket.terminate();
  }

  hear(): void {
    this.heardAt = performance.now();
  }

  take(message: Buffer): void {
    this.hear();
    if (this.closing === undefined) this.intake.take(message);
  }

  refuseText(): void {
    this.hear();
    this.closeSoon(closeCode.unsupported);
  }

  /** A piece of so many bytes was read. Listens behind the library, which has put messages together from them. */
  hasRead(bytes: number): void {
    const isKept = isWithinMessage(this.socket) && this.socket.readyState === this.socket.OPEN;
    if (isKept) {
      // A long message on a slow line takes longer than a connection may be silent.
      this.hear();
      this.intake.reading.readPart(bytes);
    } else this.intake.reading.completed();
    this.intake.reading.framed(bytes, keptBytes(this.socket));
  }

  closeForUnfinished(): void {
    this.drop('unread');
  }

  /** The WebSocket is closed for good. */
  finish(): void {
    this.gone = true;
    this.intake.reading.completed();
    this.intake.reading.end();
    clearTimeout(this.closingTimer);
    this.beginClosing(this.closing ?? closeCode.goingAway);
    this.needs.slowReaders.forget(this);
    this.outbox.close();
    this.needs.closed(this);
  }

  /** The socket has taken all that was written. */
  caughtUp(): void {
    this.needs.slowReaders.forget(this);
    this.intake.pump();
  }

  setReading(reading: 'on' | 'off'): void {
    if (reading === 'on') this.socket.resume();
    else this.socket.pause();
  }

  /** All requests are answered. */
  idle(): void {
    if (this.closing !== undefined) this.close(this.closing);
  }

  closeForRefusals(): void {
    // Of the requests that were under way, more may be refused meanwhile.
    if (this.closing !== undefined) return;
    this.needs.refused(this);
    this.closeSoon(closeCode.policyViolation);
  }

  /** For a client that does not read. */
  cut(): void {
    if (this.closing === closeCode.tryAgainLater) return;
    this.needs.cut(this);
    this.drop();
  }

  destroy(): void {
    this.cut();
    this.terminate();
  }

  giveWay(bound: BoundName): void {
    this.needs.flusher.flush(this.outbox);
    // That write may have been one too many for all who are slow.
    if (this.closing !== undefined) return;
    this.needs.gaveWay(this);
    this.needs.reached(bound);
    this.drop();
  }

  private close(code: number): void {
    // One that was cut is closing already, and has a timer that sees to its end.
    if (this.socket.readyState !== this.socket.OPEN) return;
    clearTimeout(this.closingTimer);
    this.needs.flusher.flush(this.outbox);
    this.outbox.close();
    this.socket.close(code);
  }

  /** Closes, and waits a moment only, because the memory and the place of the connection are needed. */
  private drop(answer: 'read' | 'unread' = 'read'): void {
    clearTimeout(this.closingTimer);
    this.beginClosing(closeCode.tryAgainLater);
    this.outbox.close();
    if (answer === 'unread') {
      this.intake.reading.end();
      this.socket.pause();
    }
    this.socket.close(closeCode.tryAgainLater);
    this.closingTimer = setTimeout(() => {
      this.socket.terminate();
    }, cutMillisMax);
  }

  /** From here on the connection takes no requests, and has no place among those that may give way. */
  private beginClosing(code: number): void {
    this.closing = code;
    this.intake.close();
    this.needs.places.leave(this);
  }
}

const connectionOf = Symbol('connection');

/** Of a WebSocket or a stream. The constructor has put it there, before it put its listeners on. */
const ownerOf = (emitter: object): ClientConnection =>
  (emitter as { readonly [connectionOf]: ClientConnection })[connectionOf];

type Message = readonly [data: RawData, isBinary: boolean];

// Listeners are the same functions for all connections: four of its own would take each another 250 bytes.
function onMessage(this: object, ...[data, isBinary]: Message): void {
  // With the default binary type a message is one Buffer.
  if (isBinary) ownerOf(this).take(data as Buffer);
  else ownerOf(this).refuseText();
}

function onPing(this: object): void {
  ownerOf(this).hear();
}

function onClose(this: object): void {
  ownerOf(this).finish();
}

function onRead(this: object, chunk: Buffer): void {
  ownerOf(this).hasRead(chunk.length);
}

function onDrain(this: object): void {
  ownerOf(this).caughtUp();
}
