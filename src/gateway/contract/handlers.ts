import { nothing, type Nothing, type RpcName, type Rpcs } from '../../gen/rpcs.js';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import type { OpenCall, Call } from './call.js';
import type { OpenRpc } from './rpcPolicy.js';

export type Handler<Name extends RpcName> = (
  request: Rpcs[Name]['request'],
  call: Name extends OpenRpc ? OpenCall : Call,
) => Promise<Rpcs[Name]['result'] | Rejection>;

/** One handler for every RPC: a missing one does not compile. */
export type HandlerTable = {
  readonly [Name in RpcName]: Handler<Name>;
};

/** The handlers of these RPCs. */
export type Handlers<Name extends RpcName> = {
  readonly [N in Name]: Handler<N>;
};

/** The answer of an RPC that has nothing to say but whether it was done. */
export const done = (outcome: object | Rejection): Nothing | Rejection => (isRejection(outcome) ? outcome : nothing);
