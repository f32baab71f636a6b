import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { RPCResult } from '../../../src/gen/core.js';
import { rpcTable, type RpcName, type Rpcs } from '../../../src/gen/rpcs.js';
import type { Update } from '../../../src/gen/updates.js';
import { encodeHeartbeat, encodeRequest, readServerMessage } from '../../../src/wire/envelope.js';
import { unknownRequest } from '../../support/unknownRequest.js';
import { checkFormerReading, formerFrame, type AnyRequest } from '../../wire/formerProtocol.js';

export type Received =
  | { readonly id: number; readonly result: RPCResult; readonly update?: undefined }
  | { readonly id: number; readonly update: Update; readonly result?: undefined };

/** A client that sends what a test tells it to, sound or not, and keeps all that comes. */
export interface RawClient {
  readonly socket: WebSocket;
  readonly received: readonly Received[];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  send(frame: Uint8Array | string): void;
  ask<Name extends RpcName>(id: number, name: Name, request: Rpcs[Name]['requestInit']): void;
  heartbeat(): void;
  /** The first result for this request id, come or coming. */
  result(id: number): Promise<RPCResult>;
  /** The first message that fits, come or coming. */
  find(fits: (message: Received) => boolean): Promise<Received>;
  /** Resolves when all that was sent before has been read by the server, and answered if it is to be. */
  settled(): Promise<void>;
  leave(): Promise<void>;
}

/** Request ids from here on are `settled`'s own. */
const probeIdMin = 4_000_000_000;

export const rawClient = async (url: string): Promise<RawClient> => {
  const socket = new WebSocket(url);
  const { received, closed, find } = inboxOf(socket);
  let probes = probeIdMin;
  await once(socket, 'open');

  const result = async (id: number): Promise<RPCResult> => {
    const found = await find((message) => message.result?.reqId === id);
    if (found.result === undefined) throw new Error('what was found is no result');
    return found.result;
  };
  return {
    socket,
    received,
    closed,
    find,
    result,
    send: (frame) => {
      socket.send(frame);
    },
    ask: (id, name, request) => {
      socket.send(requestFrame({ id, name, request }));
    },
    heartbeat: () => {
      socket.send(encodeHeartbeat());
    },
    settled: async () => {
      probes += 1;
      // A number that no RPC has: answered in turn, whatever the handlers do.
      socket.send(unknownRequest(probes));
      await result(probes);
    },
    leave: async () => {
      socket.close();
      await closed;
    },
  };
};

/** Sent as clients of before send it, if they can. The newer definitions have to make the same bytes of it. */
const requestFrame = ({ id, name, request }: AnyRequest): Uint8Array => {
  const [frame, former] = [encodeRequest(id, name, request), formerFrame({ id, name, request })];
  if (former !== undefined) assert.deepEqual(Buffer.from(frame), Buffer.from(former));
  return former ?? frame;
};

/** What a socket has received, and a way to wait for what is still to come. */
const inboxOf = (socket: WebSocket): Pick<RawClient, 'received' | 'closed' | 'find'> => {
  const received: Received[] = [];
  let looking: (() => void)[] = [];
  const look = (): void => {
    const now = looking;
    looking = [];
    for (const lookAgain of now) lookAgain();
  };
  socket.on('message', (data) => {
    // With the default binary type a message is one Buffer.
    const message = readServerMessage(data as Buffer);
    checkFormerReading(data as Buffer, message);
    if (message.kind === 'result') received.push({ id: message.id, result: message.result });
    else if (message.kind === 'update') received.push({ id: message.id, update: message.update });
    else throw new Error(`the server sent what is ${message.kind}`);
    look();
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      resolve(code);
      look();
    });
  });
  socket.on('error', () => undefined);
  const find = async (fits: (message: Received) => boolean): Promise<Received> => {
    for (;;) {
      const found = received.find(fits);
      if (found !== undefined) return found;
      if (socket.readyState === WebSocket.CLOSED) throw new Error('the connection closed before it came');
      await new Promise<void>((resolve) => looking.push(resolve));
    }
  };
  return { received, closed, find };
};

export const initialize: Rpcs['coreInitialize']['requestInit'] = {
  clientId: 1,
  deviceType: 'test',
  deviceVersion: '1',
  appVersion: '1',
};

export const pathOf = (name: RpcName): string => rpcTable[name].path;
