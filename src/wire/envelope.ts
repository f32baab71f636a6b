/**
 * The envelopes around every message: ClientMessage one way, ServerMessage the other. They are read and written here
 * field by field, because their oneofs have so many members that the generated code would spend more time on the
 * envelope than on what is inside.
 *
 * A ServerMessage is `08 <id>` followed by one field that holds the update or the result. That field is encoded once,
 * tag and length included, and is the same for every connection; only the id in front differs.
 */
import { ServerMessage, type RPCResult } from '../gen/core.js';
import {
  rpcTable,
  resultTable,
  updateTable,
  type Member,
  type ResultInit,
  type ResultName,
  type Rpc,
  type RpcName,
  type Rpcs,
  type UpdateInit,
  type UpdateName,
} from '../gen/rpcs.js';
import type { Update } from '../gen/updates.js';
import { ByteReader, wireType } from './byteReader.js';
import { ByteWriter, varintSize, writeVarint } from './byteWriter.js';
import { decode, decodeBounded, type Decoded } from './codec.js';

const idTag = 0x08;
export const updateTag = 0x12;
const resultTag = 0x1a;

/** RPCResult.req_id and RPCResult.trace_id. */
const requestIdTag = 0x08;
const traceIdTag = 37 * 8 + wireType.delimited;

/** A ServerMessage without its id: one field, ready to be sent to any number of connections. */
export type Body = Uint8Array;

/** The id that clients give a message with nothing in it. An answer could be taken for that of another request. */
const heartbeatId = 1;

/** A frame of a client. `number` may be one that no RPC has, which the server then refuses. */
export type ClientFrame =
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'request'; readonly id: number; readonly number: number; readonly body: Uint8Array }
  | { readonly kind: 'malformed'; readonly id: number | undefined };

/**
 * Never throws. `body` is a view into `frame`. A malformed frame has the id that was read before the damage, if any, so
 * that it can be answered. So is one with no request in it, unless it is a heartbeat: somebody may wait for the answer.
 */
export const readClientMessage = (frame: Uint8Array): ClientFrame => {
  const reader = new ByteReader(frame);
  let id: number | undefined;
  let number = 0;
  let body: Uint8Array | undefined;
  try {
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === idTag) id = reader.uint32();
      else if (tag >>> 3 <= 1 || (tag & 7) !== wireType.delimited) reader.skipField(tag);
      else {
        // The last one wins, as in every oneof.
        number = tag >>> 3;
        body = reader.bytes();
      }
    }
  } catch {
    return { kind: 'malformed', id };
  }
  if (body !== undefined) return { kind: 'request', id: id ?? 0, number, body };
  return id === heartbeatId ? { kind: 'heartbeat' } : { kind: 'malformed', id };
};

/**
 * The request of an RPC. Text must be valid UTF-8, and lists must keep to their bounds. Never throws on bad bytes; byte
 * fields are views into `body`.
 */
export const decodeRequest = <Name extends RpcName>(
  rpc: Pick<Rpc<Name>, 'request'>,
  body: Uint8Array,
): Decoded<Rpcs[Name]['request']> => decodeBounded(rpc.request, body);

/** The answer to the request with this id. An error is a result too: `{ error: { errorCode, errorMessage } }`. */
export const encodeResult = (requestId: number, result: ResultInit, traceId?: string): Body => {
  const writer = new ByteWriter();
  writer.uint32(resultTag);
  writer.message({ requestId, result, traceId }, writeResult);
  return writer.finish();
};

type ResultParts = {
  readonly requestId: number;
  readonly result: ResultInit;
  readonly traceId: string | undefined;
};

const writeResult = ({ requestId, result, traceId }: ResultParts, writer: ByteWriter): void => {
  if (requestId !== 0) {
    writer.uint32(requestIdTag);
    writer.uint32(requestId);
  }
  for (const [name, value] of Object.entries(result)) writeMember(resultTable[name as ResultName], value, writer);
  if (traceId !== undefined) {
    writer.uint32(traceIdTag);
    writer.string(traceId);
  }
};

/** An update as everybody gets it. For one that differs by viewer see `spliceable.ts`. */
export const encodeUpdate = (update: UpdateInit): Body => {
  const writer = new ByteWriter();
  writer.uint32(updateTag);
  writer.message(update, writeUpdate);
  return writer.finish();
};

const writeUpdate = (update: UpdateInit, writer: ByteWriter): void => {
  for (const [name, value] of Object.entries(update)) writeMember(updateTable[name as UpdateName], value, writer);
};

// The name of a member and its value are checked together at the callers' types, which Object.entries forgets.
type AnyMember = Member<{ readonly value: unknown; readonly init: never }>;

const writeMember = ({ number, codec }: AnyMember, value: unknown, writer: ByteWriter): void => {
  writer.uint32(number * 8 + wireType.delimited);
  writer.message(value as never, codec.write);
};

/** The size of the ServerMessage that `writeFrame` writes, in bytes. */
export const frameSize = (id: number, body: Body): number => 1 + varintSize(id) + body.length;

/** Writes a ServerMessage into `target` from `at` on and returns where it ends. Ids run from 1 to 2^32 - 1. */
export const writeFrame = (target: Uint8Array, at: number, id: number, body: Body): number => {
  const start = writeFrameId(target, at, id);
  target.set(body, start);
  return start + body.length;
};

/** The first field of every ServerMessage. */
export const writeFrameId = (target: Uint8Array, at: number, id: number): number => {
  target[at] = idTag;
  return writeVarint(target, at + 1, id);
};

/** A ServerMessage of its own. */
export const frameOf = (id: number, body: Body): Uint8Array => {
  const frame = new Uint8Array(frameSize(id, body));
  writeFrame(frame, 0, id, body);
  return frame;
};

/** A ClientMessage with a request. */
export const encodeRequest = <Name extends RpcName>(
  id: number,
  name: Name,
  request: Rpcs[Name]['requestInit'],
): Uint8Array => {
  const writer = new ByteWriter();
  writeClientId(id, writer);
  const rpc: Rpc<Name> = rpcTable[name];
  writer.uint32(rpc.number * 8 + wireType.delimited);
  writer.message(request, rpc.request.write);
  return writer.finish();
};

/** A ClientMessage with nothing in it. It keeps the connection alive and is never answered. */
export const encodeHeartbeat = (): Uint8Array => Uint8Array.of(idTag, heartbeatId);

const writeClientId = (id: number, writer: ByteWriter): void => {
  if (id === 0) return;
  writer.uint32(idTag);
  writer.uint32(id);
};

/** A frame of a server. An update that is newer than this code is an update without members. */
export type ServerFrame =
  | { readonly kind: 'update'; readonly id: number; readonly update: Update }
  | { readonly kind: 'result'; readonly id: number; readonly result: RPCResult }
  | { readonly kind: 'empty'; readonly id: number }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Never throws on bad bytes. */
export const readServerMessage = (frame: Uint8Array): ServerFrame => {
  const envelope = decode(ServerMessage, frame);
  if (!envelope.ok) return { kind: 'malformed', reason: envelope.reason };
  const { id, update, result } = envelope.value;
  if (result !== undefined) return { kind: 'result', id, result };
  return update === undefined ? { kind: 'empty', id } : { kind: 'update', id, update };
};
