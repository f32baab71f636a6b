import type { WebSocket } from 'ws';

/** Bounds on a message from the other end while it is not complete. Beyond one of them the library closes the socket. */
export type MessageBounds = {
  /** Of the whole message; the socket closes with 1009. */
  readonly maxPayload: number;
  /** Frames of one message, each of which keeps the read that it came in; the socket closes with 1008. */
  readonly maxFragments: number;
  /** Reads that one frame is put together from, which takes time with the square of their number; 1008 as well. */
  readonly maxBufferedChunks: number;
};

/**
 * The library (8.23.0) takes these bounds as options of the server and has no way to change them for a socket that is
 * open; hence this window into its receiver, which compares each frame with them. The package is pinned to one version,
 * and a test fails when the window no longer opens.
 */
export const setMessageBounds = (socket: WebSocket, bounds: MessageBounds): void => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  const { _maxPayload, _maxFragments, _maxBufferedChunks } = receiver ?? {};
  const isAsKnown = [_maxPayload, _maxFragments, _maxBufferedChunks].every((bound) => typeof bound === 'number');
  if (receiver === undefined || receiver === null || !isAsKnown) {
    throw new Error('this version of ws keeps its bounds elsewhere');
  }
  receiver._maxPayload = bounds.maxPayload;
  receiver._maxFragments = bounds.maxFragments;
  receiver._maxBufferedChunks = bounds.maxBufferedChunks;
};

/**
 * Whether the bytes read last end within a message, or a frame, so that the library keeps them. The library tells nobody
 * of a message before it is complete.
 */
export const isWithinMessage = (socket: WebSocket): boolean => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  return (receiver?._bufferedBytes ?? 0) > 0 || (receiver?._totalPayloadLength ?? 0) > 0;
};

/** Bytes of the payload of a message that is not complete, with the header of a frame whose payload has not come. */
export const keptBytes = (socket: WebSocket): number => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  return (receiver?._bufferedBytes ?? 0) + (receiver?._messageLength ?? 0);
};

/**
 * The bytes that the message under way will have: those of its frame. One in fragments may have as many as a message may, since only the
 * last of them says that it is the last. 0 before the length was read.
 */
export const announcedBytes = (socket: WebSocket): number => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  const { _fragmented: fragmented = 0, _totalPayloadLength: bytes = 0, _maxPayload: bytesMax } = receiver ?? {};
  return fragmented > 0 && typeof bytesMax === 'number' ? bytesMax : bytes;
};

/** Bytes that are still to come of the payload of a frame whose head has come; 0 between frames and within a head. */
export const awaitedPayloadBytes = (socket: WebSocket): number => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  const { _mask: mask, _payloadLength: bytes = 0, _bufferedBytes: come = 0 } = receiver ?? {};
  // Every client masks, and the library forgets the mask with the payload.
  return mask === undefined ? 0 : Math.max(0, bytes - come);
};

type Inside = {
  readonly _receiver?: {
    _maxPayload?: unknown;
    _maxFragments?: unknown;
    _maxBufferedChunks?: unknown;
    readonly _bufferedBytes?: number;
    readonly _fragmented?: number;
    readonly _totalPayloadLength?: number;
    readonly _messageLength?: number;
    readonly _payloadLength?: number;
    readonly _mask?: unknown;
  } | null;
};
