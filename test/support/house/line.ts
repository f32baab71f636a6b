import { EventEmitter } from 'node:events';
import type { Accepted } from '../../../src/gateway/sockets/connection.js';
import { readServerMessage, type ServerFrame } from '../../../src/wire/envelope.js';

/** A WebSocket without a network: the gateway has one end, and at the other are the frames themselves. */
export interface Line {
  /** The gateway's end. */
  readonly accepted: Accepted;
  /** Hands a frame over, in a later turn as a socket does. */
  send(frame: Uint8Array): void;
  close(): void;
}

const open = 1;
const closed = 3;

/** `received` is given each message of the gateway, in the call in which it is written. */
export const line = (received: (message: ServerFrame) => void): Line => {
  const wire = Object.assign(new EventEmitter(), {
    OPEN: open,
    readyState: open,
    pause: () => undefined,
    resume: () => undefined,
    terminate: () => {
      end();
    },
    close: () => {
      end();
    },
    // Bounds that a connection sets where the library keeps them; nothing that comes over a line is longer.
    _receiver: { _maxPayload: 0, _maxFragments: 0, _maxBufferedChunks: 0 },
  });
  const end = (): void => {
    if (wire.readyState === closed) return;
    wire.readyState = closed;
    setImmediate(() => wire.emit('close', 1000));
  };
  let corked: Uint8Array[] | undefined;
  const stream = Object.assign(new EventEmitter(), {
    writableLength: 0,
    cork: () => {
      corked = [];
    },
    uncork: () => {
      const written = Buffer.concat(corked ?? []);
      corked = undefined;
      stream.write(written);
    },
    write: (chunk: Uint8Array): boolean => {
      if (corked !== undefined) corked.push(chunk);
      // A copy, because the gateway writes the next frames into the same memory.
      else for (const frame of framesIn(Buffer.from(chunk))) received(readServerMessage(frame));
      return true;
    },
  });
  return {
    // These are the parts of a WebSocket and its stream that a connection uses.
    accepted: { socket: wire, stream, address: '127.0.0.1' } as unknown as Accepted,
    send: (frame) => {
      setImmediate(() => wire.emit('message', Buffer.from(frame), true));
    },
    close: end,
  };
};

/** The payloads of whole frames as a server writes them: binary, unmasked, one message each. */
function* framesIn(bytes: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const { length, size } = headerAt(bytes, at);
    yield bytes.subarray(at + size, at + size + length);
    at += size + length;
  }
}

const headerAt = (bytes: Buffer, at: number): { readonly length: number; readonly size: number } => {
  const short = bytes.readUInt8(at + 1);
  if (short === 126) return { length: bytes.readUInt16BE(at + 2), size: 4 };
  if (short === 127) return { length: Number(bytes.readBigUInt64BE(at + 2)), size: 10 };
  return { length: short, size: 2 };
};
