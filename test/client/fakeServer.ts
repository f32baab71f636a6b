import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { connect, type Client, type ClientOptions } from '../../src/client/client.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { rpcsByNumber, type ResultInit, type RpcName, type Rpcs, type UpdateInit } from '../../src/gen/rpcs.js';
import { decodeRequest, encodeResult, encodeUpdate, frameOf, readClientMessage } from '../../src/wire/envelope.js';

/** A request as it came, and all the ways of not answering it properly. */
export interface Asked {
  readonly id: number;
  readonly name: RpcName;
  readonly path: string;
  readonly request: object;
  /** Which connection it came over: 1, 2, 3 … */
  readonly connection: number;
  /** Also more than once. */
  answer(result: ResultInit): void;
  update(update: UpdateInit): void;
  /** Any bytes, or a text frame. */
  send(data: Uint8Array | string): void;
  /** Ends the connection without a close. */
  drop(): void;
  close(code: number): void;
}

/** A server that does as it is told. */
export interface FakeServer {
  readonly url: string;
  /** The next request that nothing else answers, in the order of arrival. */
  asked(): Promise<Asked>;
  /** Answers such requests from here on by itself, instead of handing them to `asked`. */
  answering(answer: (asked: Asked) => void): void;
  /** How many times a client has connected. */
  connections(): number;
  /** The next close code that a client sends. */
  closed(): Promise<number>;
  /** On which connection the next heartbeat comes. */
  heartbeat(): Promise<number>;
}

export type FakeServerOptions = {
  /** Default: answers as it should. Others see each introduction before it is answered. */
  readonly introduced?: (asked: Asked) => void;
};

export const fakeServer = async (t: TestContext, options: FakeServerOptions = {}): Promise<FakeServer> => {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  const asked = queue<Asked>();
  const closed = queue<number>();
  const heartbeats = queue<number>();
  let connections = 0;
  let answer = asked.put;
  sockets.on('connection', (socket) => {
    connections += 1;
    const connection = connections;
    socket.on('close', closed.put);
    socket.on('message', (data) => {
      // With the default binary type a message is one Buffer.
      const frame = readClientMessage(data as Buffer);
      if (frame.kind === 'heartbeat') heartbeats.put(connection);
      if (frame.kind !== 'request') return;
      const one = askedOf(socket, connection, frame);
      if (isIntroduction(one)) (options.introduced ?? introduce)(one);
      else answer(one);
    });
  });
  // A server that listens on TCP has an address of this kind.
  const { port } = sockets.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port.toString()}`,
    asked: asked.take,
    answering: (newAnswer) => {
      answer = newAnswer;
    },
    connections: () => connections,
    closed: closed.take,
    heartbeat: heartbeats.take,
  };
};

const isIntroduction = ({ path }: Asked): boolean => path === 'core.initialize' || path === 'auth.authorize';

/** As a server should. Whoever comes is Ada, with the token they bring. */
export const introduce = (asked: Asked): void => {
  if (asked.path === 'core.initialize') asked.answer({ initialized: {} });
  else asked.answer({ authorization: { token: (asked.request as Rpcs['authAuthorize']['request']).token } });
};

const askedOf = (
  socket: WebSocket,
  connection: number,
  { id, number, body }: { readonly id: number; readonly number: number; readonly body: Uint8Array },
): Asked => {
  const rpc = rpcsByNumber[number];
  if (rpc === undefined) throw new Error(`there is no RPC ${number.toString()}`);
  const decoded = decodeRequest<RpcName>(rpc, body);
  if (!decoded.ok) throw new Error(decoded.reason);
  return {
    id,
    name: rpc.name,
    path: rpc.path,
    request: decoded.value,
    connection,
    answer: (result) => {
      socket.send(frameOf(1, encodeResult(id, result)));
    },
    update: (update) => {
      socket.send(frameOf(1, encodeUpdate(update)));
    },
    send: (data) => {
      socket.send(data);
    },
    drop: () => {
      socket.terminate();
    },
    close: (code) => {
      socket.close(code);
    },
  };
};

const queue = <T>() => {
  const values: T[] = [];
  const takers: ((value: T) => void)[] = [];
  return {
    put: (value: T): void => {
      const taker = takers.shift();
      if (taker === undefined) values.push(value);
      else taker(value);
    },
    take: (): Promise<T> =>
      new Promise((resolve) => {
        const value = values.shift();
        if (value === undefined) takers.push(resolve);
        else resolve(value);
      }),
  };
};

/** A promise, and what settles it. */
export const promised = <T>() => {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};

/** A client that is closed at the end of the test. */
export const clientOf = async (
  t: TestContext,
  { url }: { readonly url: string },
  options: Partial<ClientOptions> = {},
): Promise<Client> => {
  const client = await connect({ url, openSocket: nodeSocket, ...options });
  t.after(() => client.close());
  return client;
};
