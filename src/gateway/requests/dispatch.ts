import { context, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { rpcsByNumber, type AnyRpc, type ResultInit, type RpcName } from '../../gen/rpcs.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import { isTemporary, type Reason } from '../../kernel/reasons.js';
import { decodeRequest, encodeResult, readClientMessage, type Body, type ClientFrame } from '../../wire/envelope.js';
import type { Asking } from './accounts.js';
import { RequestCall, type CallNeeds, type Peer } from './requestCall.js';
import { closeCode } from '../contract/closeCodes.js';
import { fitsFrame } from '../frames/outbox.js';
import { rejectionOf, rpcErrorOf, type IsAway } from '../contract/errors.js';
import type { OpenCall } from '../contract/call.js';
import { costs, freeMeter, type Meter } from '../contract/meter.js';
import type { HandlerTable } from '../contract/handlers.js';
import { rpcPolicy } from '../contract/rpcPolicy.js';
import type { RequestOrder } from './requestOrder.js';

export type DispatchNeeds = {
  readonly handlers: HandlerTable;
  readonly calls: CallNeeds;
  readonly log: Pick<Logger, 'error'>;
  readonly isAway: IsAway;
  /** One request has been answered. */
  readonly answered: (rpc: RpcName | 'unknown', outcome: 'OK' | Reason, seconds: number) => void;
};

export type Requester = Peer & {
  readonly order: RequestOrder;
  /** A request of this connection is well formed and allowed, and begins. */
  requestBegan(): void;
};

/** Every request is answered exactly once, in every case. Both resolve when it has been, and never reject. */
export interface Dispatch {
  /** Carries out a request that was admitted. Gives the reason with which it was answered. */
  answer(this: void, peer: Requester, request: ReceivedRequest, meter: Meter): Promise<'OK' | Reason>;
  /** Answers a request that was not admitted. */
  refuse(this: void, peer: Requester, request: ReceivedRequest, rejection: Rejection): Promise<unknown>;
}

/** A frame of a client that is to be answered. */
export type ReceivedRequest = Asking & {
  readonly message: Asked;
  readonly rpc: AnyRpc | undefined;
  /** Whether the connection may have another session once it is answered. */
  readonly mayChangeSession: boolean;
};

/** Undefined for a heartbeat, which is not answered. Never throws. */
export const readRequest = (frame: Uint8Array): ReceivedRequest | undefined => {
  const message = readClientMessage(frame);
  if (message.kind === 'heartbeat') return undefined;
  const rpc = message.kind === 'request' ? rpcsByNumber[message.number] : undefined;
  const name = message.kind === 'malformed' ? 'malformed' : (rpc?.name ?? 'unknown');
  return { message, rpc, name, bytes: frame.length, mayChangeSession: rpc !== undefined && signsIn(rpc.name) };
};

const signsIn = (name: RpcName): boolean => isOpen(name) && rpcPolicy[name].order === 'alone';

export const dispatcher = (needs: DispatchNeeds): Dispatch => ({
  answer: (peer, request, meter) => answer(needs, peer, { meter, ...request }, handled),
  refuse: (peer, request, rejection) =>
    answer(needs, peer, { meter: freeMeter, ...request }, () => Promise.resolve(rejection)),
});

type Asked = Exclude<ClientFrame, { readonly kind: 'heartbeat' }>;

type Handling = (needs: DispatchNeeds, request: Request) => Promise<ResultInit | Rejection>;

const answer = async (
  needs: DispatchNeeds,
  peer: Requester,
  { message, rpc, meter }: ReceivedRequest & { readonly meter: Meter },
  handling: Handling,
): Promise<'OK' | Reason> => {
  const started = performance.now();
  const name = rpc?.name ?? 'unknown';
  const span = needs.calls.tracer.startSpan(rpc?.path ?? 'unknown', { kind: SpanKind.SERVER });
  const call = new RequestCall(needs.calls, peer, { traceId: traceIdOf(needs.calls, span), span, meter });
  const outcome = await settled(needs, { peer, message, rpc, call, span }, handling);
  const { body, reason } = encoded(needs, outcome, { requestId: message.id ?? 0, name, traceId: call.traceId });
  meter.spend(costs.kibibyteAnswered * (body.length / 1_024));
  peer.outbox.send(body);
  call.answered();
  if (isHandshakeRefusedForNow(name, reason, peer)) peer.closeSoon(closeCode.tryAgainLater);
  if (reason !== 'OK') span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  span.end();
  needs.answered(name, reason, (performance.now() - started) / 1000);
  return reason;
};

// Some clients neither authorize again nor leave when they were refused for now, but all that come back begin anew.
const isHandshakeRefusedForNow = (rpc: RpcName | 'unknown', reason: 'OK' | Reason, { session }: Requester): boolean =>
  (rpc === 'authAuthorize' || (rpc === 'coreInitialize' && session === undefined)) &&
  reason !== 'OK' &&
  isTemporary(reason);

type Request = {
  readonly peer: Requester;
  readonly message: Asked;
  readonly rpc: AnyRpc | undefined;
  readonly call: RequestCall;
  readonly span: Span;
};

const settled = async (needs: DispatchNeeds, request: Request, handling: Handling): Promise<ResultInit | Rejection> => {
  try {
    return await handling(needs, request);
  } catch (error) {
    return failed(needs, error, { rpc: request.rpc?.path, traceId: request.call.traceId });
  }
};

// Not `async`, as the next one is not: a promise that is answered by another costs three turns of the microtasks.
const handled = (needs: DispatchNeeds, request: Request): Promise<ResultInit | Rejection> => {
  const { peer, message, rpc } = request;
  if (message.kind === 'malformed') return Promise.resolve(reject('MALFORMED'));
  if (rpc === undefined) return Promise.resolve(reject('NOT_IMPLEMENTED', `number ${message.number.toString()}`));
  return peer.order.take(rpcPolicy[rpc.name].order, () => served(needs, request, rpc, message.body));
};

const served = (
  needs: DispatchNeeds,
  request: Request,
  rpc: AnyRpc,
  body: Uint8Array,
): Promise<ResultInit | Rejection> => {
  if (!request.call.adoptSession() && !isOpen(rpc.name)) return Promise.resolve(reject('NOT_AUTHORIZED'));
  const decoded = decodeRequest<RpcName>(rpc, body);
  if (!decoded.ok) return Promise.resolve(reject(decodingFaults[decoded.fault], decoded.reason));
  request.peer.requestBegan();
  return handle(needs, request, rpc, decoded.value);
};

const decodingFaults = { malformed: 'MALFORMED', tooMany: 'TOO_MANY', tooLarge: 'TOO_LARGE' } as const;

const handle = (
  { handlers }: DispatchNeeds,
  { call, span }: Request,
  { name }: AnyRpc,
  value: unknown,
): Promise<ResultInit | Rejection> => {
  // The table pairs each name with its own request, and calls without a caller were refused above; the compiler
  // follows neither through a name that is only known at run time.
  const handler = handlers[name] as unknown as (request: unknown, call: OpenCall) => Promise<ResultInit | Rejection>;
  return context.with(trace.setSpan(context.active(), span), () => handler(value, call));
};

const isOpen = (name: RpcName): boolean => rpcPolicy[name].session === 'open';

type Answered = { readonly requestId: number; readonly name: string; readonly traceId: string };
type Encoded = { readonly body: Body; readonly reason: 'OK' | Reason };

const encoded = (needs: DispatchNeeds, outcome: ResultInit | Rejection, of: Answered): Encoded => {
  if (isRejection(outcome)) return refusal(outcome, of);
  try {
    const body = encodeResult(of.requestId, outcome);
    return fitsFrame(body.length)
      ? { body, reason: 'OK' }
      : refusal(reject('TOO_LARGE', 'its answer would be larger than a frame may be'), of);
  } catch (error) {
    return refusal(failed(needs, error, { rpc: of.name, traceId: of.traceId }), of);
  }
};

const refusal = (rejection: Rejection, { requestId, traceId }: Answered): Encoded => ({
  body: encodeResult(requestId, { error: rpcErrorOf(rejection) }, traceId),
  reason: rejection.rejected,
});

/** Bugs are logged here, once, and nowhere else. */
const failed = (
  { log, isAway }: DispatchNeeds,
  err: unknown,
  of: { readonly rpc: string | undefined; readonly traceId: string },
): Rejection => {
  const rejection = rejectionOf(err, isAway);
  if (rejection.rejected === 'INTERNAL') log.error({ err, ...of }, 'a request failed');
  return rejection;
};

const traceIdOf = ({ ids }: CallNeeds, span: Span): string => {
  const spanContext = span.spanContext();
  return trace.isSpanContextValid(spanContext) ? spanContext.traceId : ids.commandId().replaceAll('-', '');
};
