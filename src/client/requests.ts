import { rpcPolicy, type RpcPolicy } from '../gateway/contract/rpcPolicy.js';
import type { RPCResult } from '../gen/core.js';
import { rpcNames, rpcTable, type ResultName, type RpcName, type RpcPath, type Rpcs } from '../gen/rpcs.js';
import { encodeRequest } from '../wire/envelope.js';
import { ConnectionLost, NotSent, RequestRefused, RequestTimedOut, WrongAnswer } from './errors.js';

/** Requests that are not answered yet, those that wait for a connection included. More are refused. */
export const unansweredMax = 10_000;
/** The same in bytes: they are kept until they are answered, because they may have to be sent again. */
export const unansweredBytesMax = 67_108_864;

/** Gives false when the connection is closing: then nothing was sent. */
export type Send = (frame: Uint8Array) => boolean;

/** Everything that has been asked and not been answered, in the order in which it was asked, over all connections. */
export interface Requests {
  /** Rejects with one of the errors in `errors.ts`, or with that of an encoder whose request has the wrong types. */
  ask(this: void, path: RpcPath, request: object): Promise<unknown>;
  /** False when nobody waits for it (any more). */
  answer(this: void, result: RPCResult): boolean;
  /** Sends the requests that wait, oldest first, and from here on each one that is asked. */
  connected(this: void, send: Send): void;
  /** Rejects what must not be sent twice. The rest waits for the next connection. */
  disconnected(this: void): void;
  /** The connection serves somebody else now, so a request sent before must not be repeated in their name. */
  changedHands(this: void): void;
  /** Rejects everything, now and from here on. */
  end(this: void, why: string): void;
}

export type RequestsNeeds = {
  /** How long an answer may take, the wait for a connection included. */
  readonly answerMillis: number;
  /** Ids that no other request of the same connection has. */
  readonly nextId: () => number;
};

type Pending = {
  readonly id: number;
  readonly path: RpcPath;
  readonly frame: Uint8Array;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  /** It may have reached a server, over this connection or an earlier one. */
  sent: boolean;
  repeatable: boolean;
};

export const requests = (needs: RequestsNeeds): Requests => {
  const unanswered = pendings();
  let send: Send = () => false;
  let ended: string | undefined;

  const fail = (pending: Pending, error: Error): void => {
    unanswered.remove(pending);
    pending.reject(error);
  };
  const hand = (pending: Pending): void => {
    // A request that may have been sent before stays marked as sent when it cannot be sent now.
    if (send(pending.frame)) pending.sent = true;
  };
  return {
    ask: (path, request) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) throw new NotSent(path, ended);
        const id = needs.nextId();
        const frame = frameOf(id, path, request);
        if (!unanswered.hasRoomFor(frame)) throw new NotSent(path, 'too much is waiting to be answered');
        const timer = setTimeout(() => {
          fail(pending, late(pending, needs.answerMillis));
        }, needs.answerMillis);
        const repeatable = policyOf(path).repeat !== 'never';
        const pending: Pending = { id, path, frame, resolve, reject, timer, sent: false, repeatable };
        unanswered.add(pending);
        hand(pending);
      }),
    answer: (result) => {
      const pending = unanswered.get(result.reqId);
      if (pending === undefined) return false;
      unanswered.remove(pending);
      settle(pending, result);
      return true;
    },
    connected: (newSend) => {
      send = newSend;
      for (const pending of unanswered.all()) hand(pending);
    },
    disconnected: () => {
      send = () => false;
      for (const pending of unanswered.all())
        if (pending.sent && !pending.repeatable) fail(pending, new ConnectionLost(pending.path));
    },
    changedHands: () => {
      for (const pending of unanswered.all()) if (pending.sent) pending.repeatable = false;
    },
    end: (why) => {
      ended = why;
      for (const pending of unanswered.all())
        fail(pending, pending.sent ? new ConnectionLost(pending.path) : new NotSent(pending.path, why));
    },
  };
};

const pendings = () => {
  // A Map keeps the order of insertion, which is that of asking; its keys are the same on every connection.
  const byId = new Map<number, Pending>();
  let bytes = 0;
  return {
    all: () => byId.values(),
    get: (id: number) => byId.get(id),
    hasRoomFor: (frame: Uint8Array): boolean => byId.size < unansweredMax && bytes + frame.length <= unansweredBytesMax,
    add: (pending: Pending): void => {
      byId.set(pending.id, pending);
      bytes += pending.frame.length;
    },
    remove: (pending: Pending): void => {
      clearTimeout(pending.timer);
      if (byId.delete(pending.id)) bytes -= pending.frame.length;
    },
  };
};

const settle = ({ path, resolve, reject }: Pending, result: RPCResult): void => {
  if (result.error !== undefined) {
    const { errorCode: code, errorMessage: message } = result.error;
    reject(new RequestRefused(path, { code, message, traceId: result.traceId }));
    return;
  }
  const member: ResultName | undefined = rpcTable[rpcNames[path]].result;
  const answer = member === undefined ? undefined : result[member];
  if (member !== undefined && answer === undefined) reject(new WrongAnswer(path));
  else resolve(answer);
};

const late = ({ path, sent }: Pending, millis: number): Error =>
  sent ? new RequestTimedOut(path, millis) : new NotSent(path, `there was no connection for ${millis.toString()} ms`);

const policyOf = (path: RpcPath): RpcPolicy => rpcPolicy[rpcNames[path]];

const frameOf = (id: number, path: RpcPath, request: object): Uint8Array => {
  const complete = policyOf(path).repeat === 'nonce' ? withNonce(request) : request;
  // The request was checked against its path where it was given.
  return encodeRequest(id, rpcNames[path], complete as Rpcs[RpcName]['requestInit']);
};

const withNonce = (request: { readonly clientId?: bigint | undefined }): object => ({
  ...request,
  clientId: request.clientId ?? randomNonce(),
});

const randomNonce = (): bigint => {
  const [nonce = 1n] = crypto.getRandomValues(new BigUint64Array(1));
  return nonce === 0n ? 1n : nonce;
};
