import type { WebSocket } from 'ws';

/**
 * The library (8.23.0) takes the largest message as an option of the server and has no way to change it for a socket
 * that is open; hence this window into its receiver, which compares each frame with the bound when the frame's header
 * comes. The package is pinned to one version, and a test fails when the window no longer opens.
 *
 * Sets the largest message that is taken from the other end of this open socket, in bytes. A larger one closes the
 * socket with 1009.
 */
export const setMessageBytesMax = (socket: WebSocket, bytes: number): void => {
  const { _receiver: receiver } = socket as unknown as Inside; // See above.
  if (typeof receiver?._maxPayload !== 'number') throw new Error('this version of ws keeps its bound elsewhere');
  receiver._maxPayload = bytes;
};

type Inside = { readonly _receiver?: { _maxPayload?: unknown } | null };
