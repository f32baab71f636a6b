import type { Rejection } from '../../kernel/decider.js';
import type { UserId } from '../../kernel/ids.js';
import type { OpenCall } from './call.js';

/** Hashing in the queue that an attempt may use. */
export interface Hashing {
  hash(this: void, password: string): Promise<Uint8Array>;
  verify(this: void, password: string, hash: Uint8Array): Promise<boolean>;
}

export type SignInAttempt = {
  /** A key of the account, the same for one that does not exist: that of its e-mail address. */
  readonly account: string;
  /** Whether the account signed in before from the network of the call. */
  readonly isKnown: boolean;
};

/**
 * The only way to the hashing of passwords. It counts tries of passwords and second factors against the budgets of the
 * account and the network, and tells the operator of those that failed.
 */
export interface SignInGuard {
  /**
   * Does the work when there is a try left, else refuses with `RATE_LIMITED`. A result that is no rejection gives the try
   * back, and so does an exception, because neither told anybody that a guess was wrong.
   */
  attempt<T>(
    call: OpenCall,
    attempt: SignInAttempt,
    work: (hashing: Hashing) => Promise<T | Rejection>,
  ): Promise<T | Rejection>;

  /** The same for a request to sign up that is in order. An account that was made gives nothing back. */
  signUp<T>(call: OpenCall, work: (hashing: Hashing) => Promise<T | Rejection>): Promise<T | Rejection>;

  /** The answer to a request to sign up that is not in order. It takes nothing from those that are. */
  invalidSignUp(call: OpenCall, invalid: Rejection): Promise<Rejection>;

  /** A token was refused. */
  tokenRefused(call: Pick<OpenCall, 'address'>): void;

  /** A keyed hash of the call's network for this user, by which an account remembers it. */
  networkKey(call: OpenCall, user: UserId): string;
}
