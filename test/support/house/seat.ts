import type { Gateway } from '../../../src/gateway/gateway.js';
import type { RPCResult } from '../../../src/gen/core.js';
import type { RpcName, Rpcs } from '../../../src/gen/rpcs.js';
import type { Update } from '../../../src/gen/updates.js';
import { reject, type Rejection } from '../../../src/kernel/decider.js';
import { reasons, type Reason } from '../../../src/kernel/reasons.js';
import { encodeRequest } from '../../../src/wire/envelope.js';
import { unknownRequest } from '../unknownRequest.js';
import { line } from './line.js';

export type Answer<Name extends RpcName> = Rpcs[Name]['response'] | Rejection;

/** A client in this process: what it asks and hears goes through real frames and the whole gateway. */
export interface Seat {
  ask<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<Answer<Name>>;
  /** Updates since the last time this was asked. */
  heard(): readonly Update[];
  /** Resolves when all updates that were sent before have been heard. Does not wait for requests under way. */
  settled(): Promise<void>;
  close(): void;
}

export const seatAt = (sockets: Gateway['sockets']): Seat => {
  const waiting = new Map<number, { resolve(result: RPCResult): void; reject(error: Error): void }>();
  let updates: Update[] = [];
  let requests = 0;
  const end = line((message) => {
    if (message.kind === 'update') updates.push(message.update);
    else if (message.kind === 'result') waiting.get(message.result.reqId)?.resolve(message.result);
    else throw new Error(`the gateway sent what is ${message.kind}`);
  });
  end.accepted.socket.on('close', () => {
    for (const { reject: fail } of waiting.values()) fail(new Error('the connection closed before the answer came'));
  });
  sockets.accept(end.accepted);

  const asked = (frameOf: (id: number) => Uint8Array): Promise<RPCResult> => {
    const id = (requests += 1);
    const answered = new Promise<RPCResult>((resolve, fail) => waiting.set(id, { resolve, reject: fail }));
    end.send(frameOf(id));
    return answered.finally(() => waiting.delete(id));
  };
  return {
    ask: async (name, request) => answerOf(await asked((id) => encodeRequest(id, name, request))),
    heard: () => {
      const since = updates;
      updates = [];
      return since;
    },
    settled: async () => {
      // One that waits for an answer hears all before it; and this would wait behind it.
      if (waiting.size === 0) await asked(unknownRequest);
    },
    close: () => {
      end.close();
    },
  };
};

/** What remains of the result without its envelope. */
const answerOf = <Name extends RpcName>({ error, ...result }: RPCResult): Answer<Name> => {
  if (error !== undefined) return rejectionOf(error);
  const members = Object.fromEntries(Object.entries(result).filter(([name]) => !envelope.has(name)));
  // The table pairs each name with its own member; results of other RPCs would fail the tests that read them.
  return members as Answer<Name>;
};
const envelope: ReadonlySet<string> = new Set<keyof RPCResult>(['reqId', 'traceId']);

const rejectionOf = ({ errorCode, errorMessage }: NonNullable<RPCResult['error']>): Rejection => {
  const [said = '', ...detail] = errorMessage.replace(/ \(retry after \d+ s\)$/, '').split(': ');
  const reason = reasonsByText.get(`${errorCode.toString()} ${said}`);
  if (reason === undefined) throw new Error(`no reason is ${errorCode.toString()} "${errorMessage}"`);
  const retryAfterSeconds = / \(retry after (\d+) s\)$/.exec(errorMessage)?.[1];
  return {
    ...reject(reason, ...(detail.length === 0 ? [] : [detail.join(': ')])),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: Number(retryAfterSeconds) }),
  };
};

// The keys of the table are its reasons.
const reasonsByText = new Map(
  Object.entries(reasons).map(([reason, { code, says }]) => [`${code.toString()} ${says}`, reason as Reason]),
);
