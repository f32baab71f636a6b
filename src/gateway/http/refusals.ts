import type { FastifyReply } from 'fastify';
import type { Rejection } from '../../kernel/decider.js';
import { isTemporary, type Reason } from '../../kernel/reasons.js';
import { rpcErrorOf } from '../contract/errors.js';

/** Says why, in the words of docs/errors.md, and when to ask again. */
export const refuse = (reply: FastifyReply, rejection: Rejection): FastifyReply => {
  const { rejected, retryAfterSeconds } = rejection;
  const { errorCode = 500, errorMessage } = rpcErrorOf(rejection);
  const status = isUnauthorized(rejected) ? 401 : errorCode;
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (isTemporary(rejected) && mayRetry.has(status)) {
    void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterSeconds ?? 1)).toString());
  }
  return reply.code(status).send({ error: errorMessage, reason: rejected });
};

/** HTTP has one status for both, where the protocol tells a wrong token from none. */
const isUnauthorized = (reason: Reason): boolean => reason === 'NOT_AUTHORIZED' || reason === 'INVALID_TOKEN';

const mayRetry: ReadonlySet<number> = new Set([429, 503]);
