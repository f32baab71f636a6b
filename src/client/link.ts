import { pause } from '../kernel/timing.js';
import type { InitializeInit, RPCResult } from '../gen/core.js';
import type { RpcPath } from '../gen/rpcs.js';
import type { Update } from '../gen/updates.js';
import { openConnection, type ServerConnection } from './connection.js';
import { RequestRefused } from './errors.js';
import { requests } from './requests.js';
import type { OpenSocket } from './socket.js';

export type LinkNeeds = {
  readonly url: string;
  readonly openSocket: OpenSocket;
  readonly initialize: InitializeInit;
  readonly answerMillis: number;
  readonly onUpdate: (update: Update) => void;
  readonly onConnected: () => void;
  readonly onDisconnected: (code: number) => void;
  /** The server does not take the token any more: the link has ended by itself. */
  readonly onRefused: (refusal: RequestRefused) => void;
};

/** One connection after the other, over which requests are asked and answered. */
export interface Link {
  call(this: void, path: RpcPath, request: object): Promise<unknown>;
  /** Of the last authorization; a new connection resumes its session before anything else is asked. */
  token(this: void): string | undefined;
  close(this: void): Promise<void>;
}

/** The pause before the first attempt to come back; it doubles until a connection was of use. */
export const reconnectMillisMin = 200;
export const reconnectMillisMax = 30_000;

/** Rejects when the first connection fails. */
export const openLink = async (needs: LinkNeeds): Promise<Link> => {
  const nextId = counter();
  const asked = requests({ answerMillis: needs.answerMillis, nextId });
  const ending = new AbortController();
  let token: string | undefined;

  const onResult = (result: RPCResult): void => {
    // Before the caller hears of it, because the connection may be lost in between.
    if (result.authorization !== undefined) signedIn(result.authorization.token);
    asked.answer(result);
  };
  const signedIn = (newToken: string): void => {
    if (token !== undefined && token !== newToken) asked.changedHands();
    token = newToken;
  };
  const open = (): Promise<ServerConnection> =>
    openConnection({ ...needs, token, nextId, onResult, signal: ending.signal });

  const isEnding = (): boolean => ending.signal.aborted;

  let connection = await open();
  const pauses = growingPauses();
  const follow = async (): Promise<void> => {
    for (let next: ServerConnection | undefined = connection; next !== undefined && !isEnding();) {
      connection = next;
      asked.connected(connection.send);
      needs.onConnected();
      const code = await connection.lost;
      if (isEnding()) return;
      asked.disconnected();
      needs.onDisconnected(code);
      if (connection.wasUseful()) pauses.startOver();
      next = await comeBack({ open, pauses, signal: ending.signal }, (refusal) => {
        asked.end('the session is over');
        needs.onRefused(refusal);
      });
    }
  };
  const following = follow();
  return {
    call: asked.ask,
    token: () => token,
    close: async () => {
      ending.abort();
      asked.end('the client is closed');
      await connection.close();
      await following;
    },
  };
};

type ComingBack = {
  readonly open: () => Promise<ServerConnection>;
  readonly pauses: Pauses;
  readonly signal: AbortSignal;
};

/** Tries for ever; gives nothing when it was ended, or when the server refuses the token. */
const comeBack = async (
  { open, pauses, signal }: ComingBack,
  onRefused: (refusal: RequestRefused) => void,
): Promise<ServerConnection | undefined> => {
  while (!signal.aborted) {
    await pause(pauses.next(), signal);
    try {
      return await open();
    } catch (error) {
      if (!isRefusedToken(error)) continue;
      onRefused(error);
      return undefined;
    }
  }
  return undefined;
};

const isRefusedToken = (error: unknown): error is RequestRefused =>
  error instanceof RequestRefused && error.path === 'auth.authorize' && error.code === 403;

interface Pauses {
  /** In milliseconds. */
  next(this: void): number;
  startOver(this: void): void;
}

const growingPauses = (): Pauses => {
  let millis = reconnectMillisMin;
  return {
    next: () => {
      const most = millis;
      millis = Math.min(millis * 2, reconnectMillisMax);
      // Half of it is chance, so that the clients of a server that restarts do not all come at once.
      return most * (0.5 + Math.random() / 2);
    },
    startOver: () => {
      millis = reconnectMillisMin;
    },
  };
};

const idMax = 0xffff_ffff;

const counter = (): (() => number) => {
  let last = 0;
  return () => {
    last = last === idMax ? 1 : last + 1;
    return last;
  };
};
