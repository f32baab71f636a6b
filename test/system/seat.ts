import type { Authorization } from '../../src/gen/auth.js';
import type { RPCResult } from '../../src/gen/core.js';
import { rpcTable, type ResultName, type RpcName, type Rpcs } from '../../src/gen/rpcs.js';
import type { Update } from '../../src/gen/updates.js';
import type { SessionId, UserId } from '../../src/kernel/ids.js';
import { initialize, rawClient, type RawClient } from '../gateway/rig/rawClient.js';

type Request<Name extends RpcName> = Rpcs[Name]['requestInit'];
type Response<Name extends RpcName> = Rpcs[Name]['response'];

/** One connection, and all that came over it. */
export interface Connected {
  readonly raw: RawClient;
  /** Whatever the answer is. */
  ask<Name extends RpcName>(name: Name, request: Request<Name>): Promise<RPCResult>;
  /** Throws when it is refused. */
  do<Name extends RpcName>(name: Name, request: Request<Name>): Promise<Response<Name>[keyof Response<Name>]>;
  /** All updates so far, in order. */
  updates(): readonly Update[];
  /** The first update that fits, come or coming. */
  update(fits: (update: Update) => boolean): Promise<Update>;
}

/** The connection of somebody who has a session. */
export interface Seat extends Connected {
  readonly user: UserId;
  readonly session: SessionId;
  readonly token: string;
}

export type SeatOptions = { readonly noSubscribe?: boolean };

/** A connection without a session. */
export const guest = async (url: string, { noSubscribe = false }: SeatOptions = {}): Promise<Connected> => {
  const raw = await rawClient(url);
  let lastId = 0;
  const ask: Connected['ask'] = (name, request) => {
    lastId += 1;
    raw.ask(lastId, name, request);
    return raw.result(lastId);
  };
  const connected: Connected = {
    raw,
    ask,
    do: async (name, request) => answerOf(name, await ask(name, request)),
    updates: () => raw.received.flatMap(({ update }) => update ?? []),
    update: async (fits) => {
      const found = await raw.find(({ update }) => update !== undefined && fits(update));
      if (found.update === undefined) throw new Error('what was found is no update');
      return found.update;
    },
  };
  await connected.do('coreInitialize', { ...initialize, noSubscribe });
  return connected;
};

export const signUp = async (url: string, name: string, options?: SeatOptions): Promise<Seat> => {
  const connected = await guest(url, options);
  return seated(connected, await connected.do('authSignUp', { name }));
};

/** Another connection of the same session. */
export const resume = async (url: string, token: string, options?: SeatOptions): Promise<Seat> => {
  const connected = await guest(url, options);
  return seated(connected, await connected.do('authAuthorize', { token }));
};

export type Credentials = { readonly email: string; readonly password: string };

export const signUpWith = async (url: string, name: string, credentials: Credentials): Promise<Seat> => {
  const connected = await guest(url);
  return seated(connected, await connected.do('authSignUp', { name, ...credentials }));
};

/** Another session of the same user. */
export const signIn = async (url: string, credentials: Credentials, options?: SeatOptions): Promise<Seat> => {
  const connected = await guest(url, options);
  return seated(connected, await connected.do('authLegacySignIn', credentials));
};

/** The member of the result, `()` when it has none, or the code of the error. */
export const outcomeOf = (result: RPCResult): string | number => {
  if (result.error !== undefined) return result.error.errorCode;
  const members = Object.keys(result).filter((name) => name !== 'reqId');
  return members.length === 0 ? '()' : members.join();
};

const seated = (connected: Connected, { user, sessionId, token }: Authorization): Seat => {
  if (user === undefined) throw new Error('the authorization names no user');
  return { ...connected, user: user.id, session: sessionId, token };
};

const answerOf = <Name extends RpcName>(name: Name, result: RPCResult): Response<Name>[keyof Response<Name>] => {
  const { error } = result;
  if (error !== undefined) throw new Error(`${name}: ${error.errorMessage} (${error.errorCode.toString()})`);
  const member: ResultName | undefined = rpcTable[name].result;
  // The table says which member answers which RPC.
  return (member === undefined ? undefined : result[member]) as Response<Name>[keyof Response<Name>];
};
