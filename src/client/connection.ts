import type { InitializeInit, RPCResult } from '../gen/core.js';
import type { Update } from '../gen/updates.js';
import { encodeHeartbeat } from '../wire/envelope.js';
import { RequestTimedOut } from './errors.js';
import { frameSocket, type FrameSocket } from './frameSocket.js';
import { requests, type Requests, type Send } from './requests.js';
import { clientCloseCode, type OpenSocket } from './socket.js';

export type ServerConnectionNeeds = {
  readonly url: string;
  readonly openSocket: OpenSocket;
  readonly initialize: InitializeInit;
  /** Whose session to resume before anything else is asked. */
  readonly token: string | undefined;
  readonly nextId: () => number;
  readonly onUpdate: (update: Update) => void;
  /** The answer to what was sent by `send`. */
  readonly onResult: (result: RPCResult) => void;
  /** Ends the connection, and the attempt to make it. */
  readonly signal: AbortSignal;
};

/** One WebSocket, over which we have said who we are. */
export interface ServerConnection extends Pick<FrameSocket, 'lost' | 'close'> {
  readonly send: Send;
  /** Whether anything came over it after the introduction. */
  wasUseful(this: void): boolean;
}

/** A heartbeat is sent this often; where nothing came since the last one, a question that must be answered. */
export const heartbeatMillis = 30_000;
/** How long an answer may take for which the connection itself waits. */
export const ownAnswerMillisMax = 15_000;

/**
 * Rejects with `CannotConnect`, or with what came in the place of the answers to `core.initialize` and
 * `auth.authorize`; then the socket is closed again.
 */
export const openConnection = async (needs: ServerConnectionNeeds): Promise<ServerConnection> => {
  needs.signal.throwIfAborted();
  const own = requests({ answerMillis: ownAnswerMillisMax, nextId: needs.nextId });
  let frames = 0;
  const socket = frameSocket(needs.url, needs.openSocket, (frame) => {
    frames += 1;
    if (frame.kind === 'update') needs.onUpdate(frame.update);
    if (frame.kind === 'result' && !own.answer(frame.result)) needs.onResult(frame.result);
  });
  const end = (): void => {
    socket.drop(clientCloseCode.done);
  };
  needs.signal.addEventListener('abort', end);
  void socket.lost.then(() => {
    needs.signal.removeEventListener('abort', end);
    own.end('the connection is gone');
  });
  await introduce(needs, socket, own);
  const framesBefore = frames;
  beat(needs, socket, { own, frames: () => frames });
  return { send: socket.send, lost: socket.lost, close: socket.close, wasUseful: () => frames > framesBefore };
};

const introduce = async (
  { initialize, token }: ServerConnectionNeeds,
  socket: FrameSocket,
  own: Requests,
): Promise<void> => {
  try {
    await socket.opened;
    own.connected(socket.send);
    await own.ask('core.initialize', initialize);
    if (token !== undefined) await own.ask('auth.authorize', { token });
  } catch (error) {
    socket.drop(clientCloseCode.done);
    throw error;
  }
};

type Hearing = { readonly own: Requests; readonly frames: () => number };

const beat = ({ initialize }: ServerConnectionNeeds, socket: FrameSocket, { own, frames }: Hearing): void => {
  let framesBefore = frames();
  const test = async (): Promise<void> => {
    try {
      // Heartbeats are not answered, and browsers cannot ping. This is answered always, and changes nothing.
      await own.ask('core.initialize', initialize);
    } catch (error) {
      // A refusal is an answer too.
      if (error instanceof RequestTimedOut && frames() === framesBefore) socket.drop(clientCloseCode.silence);
    }
  };
  const timer = setInterval(() => {
    if (frames() > framesBefore) socket.send(encodeHeartbeat());
    else void test();
    framesBefore = frames();
  }, heartbeatMillis);
  void socket.lost.then(() => {
    clearInterval(timer);
  });
};
