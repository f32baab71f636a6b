import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { awaitedPayloadBytes } from './webSocketInside.js';

/**
 * Bytes of a read that are looked at in one piece. They are 128 of the shortest frames, each of which is parsed by itself: an
 * eighth of a millisecond, and ten times as much before the code is compiled.
 */
export const pieceBytesMax = 1_024;

/**
 * From here on the library is given what comes from the socket in pieces, so that a pause counts from the next piece on. Node reads up
 * to 64 KiB at a time, which may be eight thousand frames. Bytes behind a pause wait in the stream's own buffer, and Node
 * reads no further then. Payload that a frame is known to have is one piece with all that has come of it: it is only kept.
 *
 * Node pushes what it reads into the stream (20 to 24) by the method that is replaced here; a test fails when it does not.
 */
export const readInPieces = (stream: Socket, socket: WebSocket): void => {
  Object.assign(stream, { [readerOf]: socket, push: pushPieces }).prependListener('close', dropRest);
};

const readerOf = Symbol('webSocket');
type Read = Socket & { readonly [readerOf]: WebSocket };

// Functions of their own would take each connection a hundred bytes more.
function pushPieces(this: Read, read: Buffer | null): boolean {
  if (read === null || read.length <= pieceBytesMax) return pushWhole(this, read);
  let wantsMore = true;
  for (let at = 0; at < read.length;) {
    // Before this comes all that waits in the stream already.
    const bytes = Math.max(pieceBytesMax, awaitedPayloadBytes(this[readerOf]) - this.readableLength);
    wantsMore = pushWhole(this, read.subarray(at, at + bytes));
    at += bytes;
  }
  return wantsMore;
}

const pushWhole = (stream: Duplex, read: Buffer | null): boolean => Duplex.prototype.push.call(stream, read);

/** The library would look at all that waits, in one piece, when the socket is destroyed. */
function dropRest(this: Read): void {
  this.read(this.readableLength);
}
