/**
 * The part of a WebSocket that the client uses. Browsers have it, Node has it from version 22 on, and the `ws` package
 * has it on older ones.
 */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  /** Browsers do not say what went wrong. */
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

/** Throws when the URL is none. */
export type OpenSocket = (url: string) => Socket;

/** `readyState` of a socket that can send. */
export const openState = 1;
/** `readyState` of a socket that is done with. */
export const closedState = 3;

/** Codes with which the client closes. Besides 1000, those from 4000 on are all that browsers let it choose from. */
export const clientCloseCode = {
  done: 1000,
  /** The server sent what is not of the protocol. */
  garbage: 4002,
  /** The server did not answer, and nothing else came either. */
  silence: 4008,
} as const;

/** The WebSocket of browsers and of Node from version 22 on. */
export const platformSocket: OpenSocket = (url) => {
  // Older versions of Node have none, and the types that this is compiled with are theirs.
  const { WebSocket } = globalThis as unknown as { readonly WebSocket?: new (url: string) => Socket };
  if (WebSocket === undefined) throw new Error('this platform has no WebSocket: pass openSocket: nodeSocket');
  return new WebSocket(url);
};
