import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Protobuf by hand: what a client of other making puts on the wire, from field numbers alone. */
export const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);
export const number = (field: number, value: number): Uint8Array => Buffer.concat([varint(field * 8), varint(value)]);
export const id = (field: number, value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
};
export const bytes = (field: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
export const text = (field: number, value: string): Uint8Array => bytes(field, Buffer.from(value));

const varint = (value: number): Uint8Array => {
  const digits: number[] = [];
  let rest = value;
  while (rest > 127) {
    digits.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...digits, rest]);
};

/** A connection of which only the bytes are known. */
export interface ByteClient {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  send(this: void, frame: Uint8Array | string): void;
  /** The next frame that has not been taken, in hex. */
  next(this: void): Promise<string>;
}

export const byteClient = async (url: string): Promise<ByteClient> => {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data) => {
    // With the default binary type a message is one Buffer.
    frames.push((data as Buffer).toString('hex'));
    wake();
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      resolve(code);
      wake();
    });
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  const next = async (): Promise<string> => {
    for (;;) {
      const frame = frames.shift();
      if (frame !== undefined) return frame;
      if (socket.readyState === WebSocket.CLOSED) throw new Error('the connection closed before it came');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const send = (frame: Uint8Array | string): void => {
    socket.send(frame);
  };
  return { socket, closed, send, next };
};
