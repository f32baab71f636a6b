/** A bucket that holds so much and regains so much each second, for one connection, session, user or address. */
export type Budget = {
  readonly per: 'connection' | 'session' | 'user' | 'address';
  /** `units` of work, requests of one kind, or bytes that are written. */
  readonly of: 'units' | 'requests' | 'bytes';
  readonly burst: number;
  readonly perSecond: number;
};

/**
 * The work that clients may ask of this node. The thread has some 20,000 units a second. Each budget is counted in memory here, by
 * a clock that only goes forward. docs/operating.md has this table, made by `npm run docs`.
 *
 * A client that comes back asks for all that it shows: some 6,000 units where the user is in many communities. So bursts
 * are wide, and the rates keep one user from filling the thread.
 */
export const budgetTable = {
  connection: { per: 'connection', of: 'units', burst: 12_000, perSecond: 800 },
  session: { per: 'session', of: 'units', burst: 12_000, perSecond: 800 },
  user: { per: 'user', of: 'units', burst: 18_000, perSecond: 1_200 },
  /** While a connection has no session, and beyond its first `welcomeUnits`. */
  address: { per: 'address', of: 'units', burst: 40_000, perSecond: 2_000 },
  messages: { per: 'session', of: 'requests', burst: 60, perSecond: 10 },
  /** Of a bot, in the place of `messages`: over all connections that its token has. */
  botMessages: { per: 'user', of: 'requests', burst: 30, perSecond: 5 },
  /** Of usernames, so that nobody tries all that there may be. */
  lookups: { per: 'user', of: 'requests', burst: 60, perSecond: 1 },
  typing: { per: 'session', of: 'requests', burst: 30, perSecond: 5 },
} as const satisfies Readonly<Record<string, Budget>>;

export type BudgetName = keyof typeof budgetTable;

/**
 * The work of a user that is light: two hundredths of the thread. Nobody is refused beyond it. The requests of those go
 * first who have the most of it left, so that nobody is held up by the burst of another.
 */
export const lightWork: Budget = { per: 'user', of: 'units', burst: 600, perSecond: 400 };

/** A user who has so much of it left has hardly asked for anything lately. */
export const lightShareMin = 0.9375;

/**
 * The first units of a connection do not count for its address, nor does a handshake within them for the limit on
 * handshakes, so that none ever fails because of neighbours behind the same address. They are about as much as it costs
 * to accept the connection.
 */
export const welcomeUnits = 50;

/** One bucket. A class, because there is one for each connection and more for each session. */
export class Bucket {
  private readonly budget: Budget;
  private tokens: number;
  private at: number;

  constructor(budget: Budget, now: number) {
    this.budget = budget;
    this.tokens = budget.burst;
    this.at = now;
  }

  /** Milliseconds until so much is there; 0 when it is. */
  millisUntil(amount: number, now: number): number {
    this.regain(now);
    const { burst, perSecond } = this.budget;
    // Nothing is dearer than a full bucket.
    return Math.max(0, ((Math.min(amount, burst) - this.tokens) / perSecond) * 1_000);
  }

  /** The part of a full bucket that is there; below 0 in debt. */
  shareAt(now: number): number {
    this.regain(now);
    return this.tokens / this.budget.burst;
  }

  /** May take more than there is: then what comes next waits for that as well. */
  take(amount: number): void {
    this.tokens -= amount;
  }

  giveBack(amount: number): void {
    this.tokens += amount;
  }

  private regain(now: number): void {
    const { burst, perSecond } = this.budget;
    this.tokens = Math.min(burst, this.tokens + (Math.max(0, now - this.at) / 1_000) * perSecond);
    this.at = now;
  }
}
