import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** One buffer for all sockets: what is read is used up before the next read. */
const readBytes = 262_144;
const shared = Buffer.allocUnsafeSlow(readBytes);

const finalBinary = 0x82;
/** A fragment after which others come. */
export const openBinary = 0x02;
export const finalPing = 0x89;
/** A fragment after others, and the last one of them. */
export const openContinuation = 0x00;
export const finalContinuation = 0x80;
const finalClose = 0x88;
const masked = 0x80;
const host = '127.0.0.1';

export type Entrance = {
  /** The address that the connection comes from. On Linux a machine has all of 127.0.0.0/8. */
  readonly localAddress?: string;
  /** Whether the server may close the connection. If so, `onClosed` is called; else a close is thrown. */
  readonly mayClose?: boolean;
};

/** All that sockets of this process send, while somebody listens: a string when one opens, undefined when it closes. */
export const traffic: {
  listener: ((socket: RawSocket, what: string | Uint8Array | undefined) => void) | undefined;
} = { listener: undefined };

export const upgradeRequest = (port: number): string =>
  [
    `GET / HTTP/1.1`,
    `Host: ${host}:${port.toString()}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');

/** Resolves when the server has agreed to speak WebSocket, and rejects when it has refused to. */
export const openRawSocket = (port: number, entrance: Entrance = {}): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    const { localAddress, mayClose = false } = entrance;
    const socket = connect({
      port,
      host,
      ...(localAddress === undefined ? {} : { localAddress }),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (bytes) => {
          raw.read(bytes);
          return true;
        },
      },
    });
    const opened = (): void => {
      resolve(raw);
    };
    const raw = new RawSocket(socket, { opened, refused: reject, mayClose, localAddress: localAddress ?? host });
    socket.on('error', reject);
    socket.on('close', () => {
      raw.ended();
      reject(new Error('the server has closed the connection'));
    });
    traffic.listener?.(raw, raw.localAddress);
    socket.write(upgradeRequest(port));
  });

type Opening = {
  readonly opened: () => void;
  readonly refused: (error: Error) => void;
  readonly mayClose: boolean;
  readonly localAddress: string;
};

/**
 * The client's side of a WebSocket, as light as it can be, so that a benchmark measures the server: it counts frames
 * where they are, and looks into them only when it is asked to.
 */
export class RawSocket {
  isOpen = true;
  /** Whole messages that have at least `payloadBytesMin` bytes, all of their bytes, and the reads that they took. */
  frames = 0;
  payloadBytes = 0;
  reads = 0;
  payloadBytesMin = 0;
  /** Called with each message; the bytes are good until it returns. */
  onPayload: ((payload: Buffer) => void) | undefined;
  /** Called for each message that is counted. */
  onFrame: (() => void) | undefined;
  /** Called once, when the server has ended the connection. */
  onClosed: (() => void) | undefined;
  readonly mayClose: boolean;
  readonly localAddress: string;
  private readonly socket: Socket;
  private opening: Opening | undefined;
  private greeting = '';
  // A header that is not complete yet.
  private readonly header = Buffer.alloc(10);
  private headerBytes = 0;
  // A payload that is not complete yet; it is collected only when somebody wants to see it.
  private opcode = 0;
  private length = 0;
  private missing = 0;
  private collected: Buffer | undefined;

  constructor(socket: Socket, opening: Opening) {
    this.socket = socket;
    this.opening = opening;
    this.mayClose = opening.mayClose;
    this.localAddress = opening.localAddress;
  }

  send(payload: Uint8Array): void {
    this.sendBytes(maskedFrame(payload));
  }

  /** Frames that were made beforehand, or a piece of one. */
  sendBytes(bytes: Uint8Array): void {
    traffic.listener?.(this, bytes);
    this.socket.write(bytes);
  }

  ping(): void {
    this.sendBytes(maskedFrame(Buffer.alloc(0), finalPing));
  }

  /** From here on all frames wait at the server. A close by the server is not noticed any more. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Bytes that this process has not handed to the system yet. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  close(): void {
    if (this.isOpen) traffic.listener?.(this, undefined);
    this.isOpen = false;
    this.socket.destroy();
  }

  /** The other end is gone. */
  ended(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClosed?.();
  }

  /** Takes what stands at the beginning of the shared buffer. */
  read(bytes: number): void {
    let at = this.opening === undefined ? 0 : this.greet(bytes, this.opening);
    this.reads += 1;
    while (at < bytes) at = this.missing > 0 ? this.readPayload(at, bytes) : this.readHeader(at, bytes);
  }

  private greet(bytes: number, { opened, refused }: Opening): number {
    const before = this.greeting.length;
    this.greeting += shared.toString('latin1', 0, bytes);
    const end = this.greeting.indexOf('\r\n\r\n');
    if (end === -1) return bytes;
    if (!this.greeting.startsWith('HTTP/1.1 101')) {
      refused(new Error(`no WebSocket: ${this.greeting.slice(0, 80)}`));
      this.close();
      return bytes;
    }
    opened();
    this.opening = undefined;
    return end + 4 - before;
  }

  private readHeader(start: number, end: number): number {
    const { header } = this;
    let at = start;
    while (at < end) {
      header[this.headerBytes] = shared[at] ?? 0;
      this.headerBytes += 1;
      at += 1;
      if (this.headerBytes >= 2 && this.headerBytes === headerSize(header[1] ?? 0)) {
        this.begin();
        break;
      }
    }
    return at;
  }

  private begin(): void {
    const { header } = this;
    const short = header[1] ?? 0;
    this.opcode = header[0] ?? 0;
    this.length = short < 126 ? short : short === 126 ? header.readUInt16BE(2) : header.readUInt32BE(6);
    this.missing = this.length;
    this.headerBytes = 0;
    if (this.length === 0) this.end();
  }

  private readPayload(at: number, end: number): number {
    const taken = Math.min(this.missing, end - at);
    if (this.onPayload !== undefined || this.opcode === finalClose) this.collect(at, at + taken);
    this.missing -= taken;
    if (this.missing === 0) this.end();
    return at + taken;
  }

  private collect(start: number, end: number): void {
    if (end - start === this.length) {
      this.collected = shared.subarray(start, end);
      return;
    }
    this.collected ??= Buffer.allocUnsafe(this.length);
    this.collected.set(shared.subarray(start, end), this.length - this.missing);
  }

  private end(): void {
    const payload = this.collected;
    this.collected = undefined;
    if (this.opcode === finalClose) {
      if (!this.mayClose) throw new Error(`the server closed with ${String(payload?.readUInt16BE(0))}`);
      this.ended();
      this.socket.destroy();
    }
    if (this.opcode !== finalBinary) return;
    if (this.length >= this.payloadBytesMin) {
      this.frames += 1;
      this.payloadBytes += this.length;
      this.onFrame?.();
    }
    if (payload !== undefined) this.onPayload?.(payload);
  }
}

const headerSize = (second: number): number => (second < 126 ? 2 : second === 126 ? 4 : 10);

/** Clients must mask; that the mask is always the same one costs the server nothing less. */
const mask = Buffer.of(0x5a, 0xc3, 0x17, 0x9e);

export const maskedFrame = (payload: Uint8Array, first = finalBinary): Buffer => {
  const { length } = payload;
  const start = length < 126 ? 6 : length <= 65_535 ? 8 : 14;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = first;
  frame[1] = masked | (start === 6 ? length : start === 8 ? 126 : 127);
  if (start === 8) frame.writeUInt16BE(length, 2);
  if (start === 14) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(mask, start - 4);
  for (let at = 0; at < length; at += 1) frame[start + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return frame;
};
