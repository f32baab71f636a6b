import { deferred } from '../kernel/timing.js';
import { readServerMessage, type ServerFrame } from '../wire/envelope.js';
import { CannotConnect } from './errors.js';
import type { Send } from './requests.js';
import { clientCloseCode, closedState, openState, type OpenSocket, type Socket } from './socket.js';

/** A socket that speaks in frames, and that ends exactly once. */
export interface FrameSocket {
  /** Rejects with `CannotConnect`, at the latest after `openMillisMax`. */
  readonly opened: Promise<void>;
  /** Resolves with the close code. Nothing comes after that. */
  readonly lost: Promise<number>;
  readonly send: Send;
  /** Ends it without waiting for the other side. */
  drop(this: void, code: number): void;
  /** Resolves when the other side has closed too, or after `closeMillisMax`. */
  close(this: void): Promise<void>;
}

export const openMillisMax = 15_000;
export const closeMillisMax = 3_000;

/** Throws when the URL is none. */
export const frameSocket = (
  url: string,
  openSocket: OpenSocket,
  onFrame: (frame: ServerFrame) => void,
): FrameSocket => {
  const socket = openSocket(url);
  socket.binaryType = 'arraybuffer';
  const { promise: opened, resolve: succeed, reject: refuse } = deferred<undefined>();
  const { promise: lost, resolve: lose } = deferred<number>();
  let isOver = false;

  const over = (code: number, why: string): void => {
    isOver = true;
    clearTimeout(opening);
    refuse(new CannotConnect(url, why));
    lose(code);
  };
  const drop = (code: number): void => {
    socket.close(code);
    over(code, `the client closed with ${code.toString()}`);
  };
  const opening = setTimeout(() => {
    drop(clientCloseCode.silence);
  }, openMillisMax);

  socket.addEventListener('open', () => {
    clearTimeout(opening);
    succeed(undefined);
  });
  socket.addEventListener('message', ({ data }) => {
    if (isOver) return;
    const frame = data instanceof ArrayBuffer ? readServerMessage(new Uint8Array(data)) : undefined;
    if (frame === undefined || frame.kind === 'malformed') drop(clientCloseCode.garbage);
    else onFrame(frame);
  });
  socket.addEventListener('error', ({ message = 'the socket failed' }) => {
    over(abnormalClosure, message);
  });
  socket.addEventListener('close', ({ code }) => {
    over(code, `it closed with ${code.toString()}`);
  });

  return {
    opened,
    lost,
    send: (frame) => {
      if (isOver || socket.readyState !== openState) return false;
      // Our own writer makes it, never on shared memory.
      socket.send(frame as Uint8Array<ArrayBuffer>);
      return true;
    },
    drop,
    close: async () => {
      if (socket.readyState === closedState) return;
      const closed = whenClosed(socket);
      drop(clientCloseCode.done);
      await closed;
    },
  };
};

const whenClosed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, closeMillisMax);
    socket.addEventListener('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** The close code that browsers give when there was no close at all. */
const abnormalClosure = 1006;
