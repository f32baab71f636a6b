import { nothing, type Nothing, type RpcName, type Rpcs } from '../../gen/rpcs.js';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import type { OpenCall, Call } from './call.js';

export type Handler<Name extends RpcName> = (
  request: Rpcs[Name]['request'],
  call: Name extends OpenRpc ? OpenCall : Call,
) => Promise<Rpcs[Name]['result'] | Rejection>;

/** One handler for every RPC: a missing one does not compile. */
export type HandlerTable = {
  readonly [Name in RpcName]: Handler<Name>;
};

/** The handlers of one protocol package that are built so far; the table names the rest one by one. */

export type Handlers<Name extends RpcName> = {
  readonly [N in Name]: Handler<N>;
};

/** RPCs that are answered before authorization. */
export type OpenRpc =
  | 'coreInitialize'
  | 'authLegacySignIn'
  | 'authSignUp'
  | 'authAuthorize'
  | 'authResetPassword'
  | 'authVerifyEmail'
  | 'authResendEmailVerification'
  | 'authLookupInvite';

/** The answer of an RPC that has nothing to say but whether it was done. */
export const done = (outcome: object | Rejection): Nothing | Rejection => (isRejection(outcome) ? outcome : nothing);
