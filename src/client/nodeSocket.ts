import { WebSocket, type ClientOptions } from 'ws';
import { closeMillisMax } from './frameSocket.js';
import type { OpenSocket } from './socket.js';

/** For Node before version 22, which has no WebSocket of its own. */
export const nodeSocket: OpenSocket = (url) => new WebSocket(url, options);

// `closeTimeout` is newer than the library's types. Compression only costs time on short messages.
const options: ClientOptions & { readonly closeTimeout: number } = {
  perMessageDeflate: false,
  closeTimeout: closeMillisMax,
};
