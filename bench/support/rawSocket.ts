import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** One buffer for all sockets: what is read is used up before the next read. */
const readBytes = 262_144;
const shared = Buffer.allocUnsafeSlow(readBytes);

const finalBinary = 0x82;
const finalClose = 0x88;
const masked = 0x80;
const host = '127.0.0.1';

/** Resolves when the server has agreed to speak WebSocket. */
export const openRawSocket = (port: number): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (bytes) => {
          raw.read(bytes);
          return true;
        },
      },
    });
    const raw = new RawSocket(socket, () => {
      resolve(raw);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      raw.isOpen = false;
      reject(new Error('the server has closed the connection'));
    });
    socket.write(
      [
        `GET / HTTP/1.1`,
        `Host: ${host}:${port.toString()}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        '\r\n',
      ].join('\r\n'),
    );
  });

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
  private readonly socket: Socket;
  private opened: (() => void) | undefined;
  private greeting = '';
  // A header that is not complete yet.
  private readonly header = Buffer.alloc(10);
  private headerBytes = 0;
  // A payload that is not complete yet; it is collected only when somebody wants to see it.
  private opcode = 0;
  private length = 0;
  private missing = 0;
  private collected: Buffer | undefined;

  constructor(socket: Socket, opened: () => void) {
    this.socket = socket;
    this.opened = opened;
  }

  send(payload: Uint8Array): void {
    this.socket.write(maskedFrame(payload));
  }

  close(): void {
    this.isOpen = false;
    this.socket.destroy();
  }

  /** Takes what stands at the beginning of the shared buffer. */
  read(bytes: number): void {
    let at = this.opened === undefined ? 0 : this.greet(bytes);
    this.reads += 1;
    while (at < bytes) at = this.missing > 0 ? this.readPayload(at, bytes) : this.readHeader(at, bytes);
  }

  private greet(bytes: number): number {
    const before = this.greeting.length;
    this.greeting += shared.toString('latin1', 0, bytes);
    const end = this.greeting.indexOf('\r\n\r\n');
    if (end === -1) return bytes;
    if (!this.greeting.startsWith('HTTP/1.1 101')) throw new Error(`no WebSocket: ${this.greeting.slice(0, 80)}`);
    this.opened?.();
    this.opened = undefined;
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
    if (this.opcode === finalClose) throw new Error(`the server closed with ${String(payload?.readUInt16BE(0))}`);
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

const maskedFrame = (payload: Uint8Array): Buffer => {
  const start = payload.length < 126 ? 6 : 8;
  const frame = Buffer.allocUnsafe(start + payload.length);
  frame[0] = finalBinary;
  if (start === 6) frame[1] = masked | payload.length;
  else {
    frame[1] = masked | 126;
    frame.writeUInt16BE(payload.length, 2);
  }
  frame.set(mask, start - 4);
  for (let at = 0; at < payload.length; at += 1) frame[start + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return frame;
};
