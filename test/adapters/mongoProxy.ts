import type { Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';
import { primaryOf, throughAddress } from '../support/mongoServer.js';
import { proxyServer, type ProxyServer } from '../support/proxyServer.js';

/** What happens to a command instead of being answered. */
export type Fault =
  /** The connection is cut; the server never sees the command. */
  | 'cut before'
  /** The connection is cut once the server has answered. */
  | 'cut after'
  /** Nothing ever comes back, though the server does it. */
  | 'silence'
  /** This is answered; the server never sees the command. */
  | { readonly answer: Document };

export type MongoProxyOptions = {
  /** The server behind it, or the servers, of which it is the primary. Without TLS, or it would see nothing. */
  readonly url: string;
  /**
   * Claims to be the primary of a replica set when the server is on its own. What begins, ends and marks a transaction
   * does not reach such a server, so the client's side of transactions is real and their effect is not.
   */
  readonly replicaSet?: 'claimed';
};

/** Stands between a client and a MongoDB server, sees every command, and can let each of them go wrong. */
export interface MongoProxy extends ProxyServer {
  readonly url: string;
  /** The commands so far, without those by which drivers look after their connections. */
  readonly commands: readonly Document[];
  /** Asked for each command; nothing goes wrong before it is set. */
  fault: (command: Document) => Fault | undefined;
}

export const mongoProxy = async ({ url, replicaSet }: MongoProxyOptions): Promise<MongoProxy> => {
  const commands: Document[] = [];
  const server = await proxyServer({
    target: await primaryOf(url),
    relay: (client, upstream, address) => {
      relay({ client, upstream, claims: replicaSet === 'claimed', address, seen });
    },
  });
  const seen = (command: Document): Fault | undefined => {
    if (housekeeping.has(nameOf(command))) return undefined;
    commands.push(command);
    return proxy.fault(command);
  };
  const proxy: MongoProxy = {
    ...server,
    url: throughAddress(url, server.address),
    commands,
    fault: () => undefined,
  };
  return proxy;
};

export const nameOf = (command: Document): string => Object.keys(command)[0] ?? '';

/** That of a primary that has just stepped down. */
export const steppedDown: Document = {
  ok: 0,
  code: 10_107,
  codeName: 'NotWritablePrimary',
  errmsg: 'not primary',
  errorLabels: ['RetryableWriteError'],
};

const housekeeping = new Set(['hello', 'isMaster', 'ismaster', 'ping', 'endSessions', 'saslStart', 'saslContinue']);

type Relay = {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly claims: boolean;
  readonly address: string;
  readonly seen: (command: Document) => Fault | undefined;
};

const relay = ({ client, upstream, address, seen, ...options }: Relay): void => {
  const afterAnswer: (Fault | undefined)[] = [];
  let { claims } = options;
  eachMessage(client, (message) => {
    const command = commandIn(message);
    const fault = command === undefined ? undefined : seen(command);
    if (fault === 'cut before') client.destroy();
    else if (typeof fault === 'object') client.write(answering(message, fault.answer));
    else if (claims && command !== undefined && endsTransaction(command)) client.write(answering(message, { ok: 1 }));
    else {
      afterAnswer.push(fault);
      upstream.write(claims && command !== undefined ? withoutTransaction(message, command) : message);
    }
  });
  eachMessage(upstream, (message) => {
    const fault = afterAnswer.shift();
    // A member of a real one needs no claims, and what it is told of transactions is meant.
    if (namesItsSet(message)) claims = false;
    if (fault === 'cut after') client.destroy();
    else if (fault !== 'silence') client.write(withHost(message, { claims, address }));
  });
};

const headerBytes = 16;
const commandMessage = 2013;
const legacyReply = 1;
const legacyReplyBytes = 36;
const bodyAt = headerBytes + 5;

const eachMessage = (socket: Socket, take: (message: Buffer) => void): void => {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= headerBytes && pending.length >= pending.readInt32LE(0)) {
      const length = pending.readInt32LE(0);
      take(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
  });
};

const opcodeOf = (message: Buffer): number => message.readInt32LE(12);
const bodyBytes = (message: Buffer, at: number): Buffer => message.subarray(at, at + message.readInt32LE(at));

/** The body comes first in what drivers send; longer lists follow in sections of their own. */
const commandIn = (message: Buffer): Document | undefined =>
  opcodeOf(message) === commandMessage
    ? BSON.deserialize(bodyBytes(message, bodyAt), { useBigInt64: true })
    : undefined;

const endsTransaction = (command: Document): boolean =>
  nameOf(command) === 'commitTransaction' || nameOf(command) === 'abortTransaction';

const withoutTransaction = (message: Buffer, command: Document): Buffer => {
  const { txnNumber, startTransaction, autocommit, readConcern, ...rest } = command;
  const marks = [txnNumber, startTransaction, autocommit, readConcern];
  return marks.every((mark) => mark === undefined) ? message : withBody(message, bodyAt, rest);
};

const withBody = (message: Buffer, at: number, body: Document): Buffer => {
  const rest = message.subarray(at + bodyBytes(message, at).length);
  const changed = Buffer.concat([message.subarray(0, at), BSON.serialize(body), rest]);
  changed.writeInt32LE(changed.length, 0);
  return changed;
};

const answering = (request: Buffer, answer: Document): Buffer => {
  const body = BSON.serialize(answer);
  const head = Buffer.alloc(bodyAt);
  head.writeInt32LE(bodyAt + body.length, 0);
  request.copy(head, 8, 4, 8);
  head.writeInt32LE(commandMessage, 12);
  return Buffer.concat([head, body]);
};

const answerIn = (message: Buffer): Document =>
  rawDocument(bodyBytes(message, opcodeOf(message) === legacyReply ? legacyReplyBytes : bodyAt));

/** As each member does in the first answer of a connection. */
const namesItsSet = (message: Buffer): boolean => {
  const { maxWireVersion, setName } = answerIn(message);
  return maxWireVersion !== undefined && setName !== undefined;
};

/** A replica set tells its clients where its members are: that has to be here. */
const withHost = (message: Buffer, { claims, address }: Pick<Relay, 'claims' | 'address'>): Buffer => {
  const at = opcodeOf(message) === legacyReply ? legacyReplyBytes : bodyAt;
  const body = answerIn(message);
  if (body['maxWireVersion'] === undefined) return message;
  if (!claims && body['setName'] === undefined) return message;
  const member = { setName: 'claimed', setVersion: 1, ...body, hosts: [address], primary: address, me: address };
  return withBody(message, at, { ...member, passives: [], arbiters: [] });
};

const keepTypes = { promoteValues: false } as const;
const rawDocument = (bytes: Buffer): Document => BSON.deserialize(bytes, keepTypes);
