/** A bucket that holds `burst` tokens and regains `perSecond` of them each second. */
export type Allowance = { readonly name: string; readonly burst: number; readonly perSecond: number };

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number };

/** Shared limits. Where the shared store is away, limits are kept per node. */
export interface RateLimit {
  /** Takes one token of the bucket `allowance.name` + `of`; a refusal takes none. May answer at once. */
  take(allowance: Allowance, of: string): Verdict | Promise<Verdict>;
  /** Puts a token back that was taken. A bucket never holds more than its burst. */
  giveBack(allowance: Allowance, of: string): void | Promise<void>;
  close(): Promise<void>;
}
