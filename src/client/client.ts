import type { Authorization } from '../gen/auth.js';
import type { Nothing, RpcPath, RpcPaths, Rpcs } from '../gen/rpcs.js';
import type { RequestRefused } from './errors.js';
import { openLink, type LinkNeeds } from './link.js';
import { shielded } from './shielded.js';
import { platformSocket, type OpenSocket } from './socket.js';
import { updateSource, type UpdateFeed, type UpdateSource } from './updates.js';

export type Request<Path extends RpcPath> = Rpcs[RpcPaths[Path]]['requestInit'];
type Response<Path extends RpcPath> = Rpcs[RpcPaths[Path]]['response'];
/** The one member that answers, or `undefined` for an RPC without an answer. */
export type Answer<Path extends RpcPath> =
  Response<Path> extends Nothing ? undefined : Response<Path>[keyof Response<Path>];

export type ClientOptions = {
  /** `ws://` or `wss://`. */
  readonly url: string;
  /** Default: the platform's WebSocket. On Node before version 22 give `nodeSocket`. */
  readonly openSocket?: OpenSocket;
  /** The id of the application, as sessions show it. */
  readonly clientId?: number;
  readonly deviceType?: string;
  readonly deviceVersion?: string;
  readonly appVersion?: string;
  /** Results only, no updates. */
  readonly noSubscribe?: boolean;
  /** How long a request may take, the wait for a connection included. From 1 to `answerMillisMax`; default 60,000. */
  readonly answerMillis?: number;
  /** The connection is there, for the first time or again. Updates since it was lost have been missed: fetch anew. */
  readonly onConnected?: () => void;
  /** It is lost, with this WebSocket close code; 1006 when there was none. The client comes back by itself. */
  readonly onDisconnected?: (code: number) => void;
  /** The session was revoked while the connection was lost, or is why it was. The client is closed. */
  readonly onRefused?: (refusal: RequestRefused) => void;
};

/** Servers know a message that is sent again for ten minutes. None is sent again after this many milliseconds. */
export const answerMillisMax = 300_000;
export const answerMillisDefault = 60_000;

/** A connection to a server, which comes back by itself until `close`, with the same session. */
export interface Client {
  /**
   * Resolves with the answer. Rejects with `RequestRefused`; with `NotSent` when the request certainly never left; and
   * with `ConnectionLost` or `RequestTimedOut` when it is unknown whether it was carried out. Requests that only read,
   * and `messages.sendMessage`, which carries a nonce, are sent again on the next connection, before anything newer.
   */
  call<Path extends RpcPath>(this: void, path: Path, request: Request<Path>): Promise<Answer<Path>>;
  signUp(this: void, request: Request<'auth.signUp'>): Promise<Authorization>;
  signIn(this: void, request: Request<'auth.legacySignIn'>): Promise<Authorization>;
  /** Resumes the session of a token from a former sign-up or sign-in. */
  authorize(this: void, token: string): Promise<Authorization>;
  readonly updates: UpdateFeed;
  /** The token to come back with; undefined before sign-up, sign-in or authorize. */
  readonly token: string | undefined;
  /** Ends updates, rejects what is not answered, and resolves when the connection is closed. */
  close(this: void): Promise<void>;
}

/**
 * Connects and says who we are. Rejects when that fails, with `CannotConnect` or with the server's refusal; connections
 * after the first one are tried again for ever.
 */
export const connect = async (options: ClientOptions): Promise<Client> => {
  const updates = updateSource();
  const link = await openLink(needsOf(options, updates));
  // The link gives the member that follows from the path.
  const call: Client['call'] = async (path, request) => (await link.call(path, request)) as Answer<typeof path>;
  return {
    call,
    signUp: (request) => call('auth.signUp', request),
    signIn: (request) => call('auth.legacySignIn', request),
    authorize: (token) => call('auth.authorize', { token }),
    updates,
    get token() {
      return link.token();
    },
    close: async () => {
      updates.end();
      await link.close();
    },
  };
};

const needsOf = (options: ClientOptions, updates: UpdateSource): LinkNeeds => {
  const { answerMillis = answerMillisDefault } = options;
  if (!(answerMillis >= 1 && answerMillis <= answerMillisMax))
    throw new RangeError(`answerMillis is from 1 to ${answerMillisMax.toString()}, not ${answerMillis.toString()}`);
  return {
    url: options.url,
    openSocket: options.openSocket ?? platformSocket,
    answerMillis,
    initialize: {
      clientId: options.clientId ?? 0,
      deviceType: options.deviceType ?? 'client',
      deviceVersion: options.deviceVersion ?? '',
      appVersion: options.appVersion ?? '',
      noSubscribe: options.noSubscribe ?? false,
    },
    onUpdate: updates.emit,
    onConnected: () => shielded(() => options.onConnected?.()),
    onDisconnected: (code) => shielded(() => options.onDisconnected?.(code)),
    onRefused: (refusal) => {
      updates.end();
      shielded(() => options.onRefused?.(refusal));
    },
  };
};
