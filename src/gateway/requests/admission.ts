import { LRUCache } from 'lru-cache';
import { reject, type Rejection } from '../../kernel/decider.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';
import type { RpcName } from '../../gen/rpcs.js';
import type { Caller } from '../contract/call.js';
import { costs, slices, type Meter } from '../contract/meter.js';
import { isGuarded, rpcPolicy, type RpcPolicy, type SharedLimitName } from '../contract/rpcPolicy.js';
import { Bucket, budgetTable, lightWork, welcomeUnits, type BudgetName } from './budgets.js';
import { limitTable, networkOf } from './rateLimits.js';
import { turns, type Turns } from './turns.js';
import { noWriteBounds, type WriteBounds, type WriteRefusal } from './writeBounds.js';

/** A request that would be within its budgets in so many milliseconds waits for that instead of being refused. */
export const smoothMillisMax = 1_000;

/** So many requests of one user, or of one connection without a session, are refused within a minute. The next closes. */
export const refusalsMax = 100;
export const refusalsMillis = 60_000;

/** Users, sessions and addresses of which a node remembers the budgets: so many of each, those used last. */
export const accountsMax = 50_000;

/** A connection, as its requests are admitted. */
export interface Asker {
  readonly address: string;
  readonly session: { readonly caller: Caller } | undefined;
  /** Of the connection; made by the admission when it is first needed. */
  account: ConnectionAccount | undefined;
}

/** A request by its RPC; `malformed` and `unknown` ones are charged as well, and never closed for their form. */
export type AskedName = RpcName | 'malformed' | 'unknown';
export type Asking = { readonly name: AskedName; readonly bytes: number };

export type Admitted = {
  readonly kind: 'admitted';
  /** The request begins after so many milliseconds; nothing is read from its connection meanwhile. */
  readonly afterMillis: number;
  readonly meter: Meter;
  /** To be called once, when the request is answered, or when it never begins. */
  readonly end: () => void;
};

export type AdmissionVerdict =
  | Admitted
  /** A long read of the same user is under way, or it is not the turn of this request: ask again when this has settled. */
  | { readonly kind: 'busy'; readonly until: Promise<void> }
  | {
      readonly kind: 'refused';
      readonly rejection: Rejection;
      /** Nothing is read from the connection for so long. */
      readonly pauseMillis: number;
      /** The sender was refused too often, so its connection is closed. */
      readonly closes: boolean;
    };

/**
 * The one place where requests are admitted. Budgets of units are counted for the connection, and for the session and
 * the user, or for the address while there is no session. A request that will soon be within them waits; otherwise it is
 * refused, once, and nothing is read from the connection until it is within them again.
 */
export interface Admission {
  admit(this: void, asker: Asker, asking: Asking): AdmissionVerdict | Promise<AdmissionVerdict>;
  /**
   * A request that was admitted was refused as too much by what it came to: too many edits of one thing, or tries of a
   * password. It counts as a refusal of the admission does. True: the sender was refused too often.
   */
  refusedLater(this: void, asker: Asker): boolean;
  /** Updates about something that this user did were sent so many times. */
  delivered(this: void, user: string, deliveries: number): void;
  /** Events of so many bytes were appended for this user. */
  wrote(this: void, user: string, bytes: number): void;
}

export type LimitedBy = BudgetName | SharedLimitName | WriteRefusal['bound'];

/** One request that waited or was refused. */
export type Limited = {
  readonly limit: LimitedBy;
  readonly rpc: AskedName;
  readonly how: 'waited' | 'refused';
  readonly asker: Pick<Asker, 'address' | 'session'>;
};

export type AdmissionNeeds = {
  readonly timers: Pick<Timers, 'now'>;
  readonly shared: Pick<RateLimit, 'take'>;
  readonly limited: (limited: Limited) => void;
  /** Default: none. */
  readonly writes?: WriteBounds;
  /** Default: those of this node. */
  readonly turns?: Turns;
};

/**
 * For load tests: everything begins at once that does not write beyond the bounds. Long reads let others in all the same.
 */
export const noAdmission = (writes: WriteBounds = noWriteBounds): Admission => {
  const meter = slices();
  const admitted: AdmissionVerdict = { kind: 'admitted', afterMillis: 0, meter, end: () => undefined };
  return {
    admit: (asker, { name }) => {
      const refusal = writes.refusal(asker, name);
      return refusal === undefined ? admitted : { ...unpaused, rejection: refusal.rejection, closes: false };
    },
    refusedLater: () => false,
    delivered: () => undefined,
    wrote: writes.wrote,
  };
};

/** Only requests that write are refused, so the connection is read on. */
const unpaused = { kind: 'refused', pauseMillis: 0 } as const;

export const admission = (needs: AdmissionNeeds): Admission => {
  const { timers, shared, limited, writes = noWriteBounds, turns: inTurn = turns() } = needs;
  const accounts = accountsOf();
  const slice = slices();

  const { refused, refusedToWrite } = refusals(needs);

  const admitted = (asker: Asker, bill: Bill, waited: LimitReached): AdmissionVerdict => {
    if (waited.millis > 0) limited({ limit: waited.limit, rpc: bill.name, how: 'waited', asker });
    const end = bill.long?.reads.begin(bill.long.by) ?? ended;
    const spend = (units: number): void => {
      charge(bill, units);
      slice.spend(units);
      if (bill.isHeavy) inTurn.spend(units);
    };
    return { kind: 'admitted', afterMillis: waited.millis, meter: { spend, breath: slice.breath }, end };
  };

  return {
    admit: (asker, asking) => {
      const bill = accounts.bill(asker, asking, timers.now());
      const until = bill.long?.reads.until(bill.long.by);
      if (until !== undefined) return { kind: 'busy', until };
      const slowest = slowestOf(bill, timers.now());
      if (slowest.millis > smoothMillisMax) return refused(asker, bill, slowest);
      const refusal = writes.refusal(asker, asking.name);
      if (refusal !== undefined) return refusedToWrite(asker, bill, refusal);
      const turn = turnOf(bill, inTurn);
      if (turn !== undefined) return { kind: 'busy', until: turn };
      take(bill);
      const verdict = bill.shared && shared.take(limitTable[bill.shared].allowance, keyOf(bill.shared, asker));
      const settle = (taken: Verdict | undefined): AdmissionVerdict => {
        if (taken === undefined || taken.allowed) return admitted(asker, bill, slowest);
        giveBack(bill);
        return refused(asker, bill, { limit: bill.shared ?? 'handshake', millis: taken.retryAfterSeconds * 1_000 });
      };
      return verdict instanceof Promise ? verdict.then(settle) : settle(verdict);
    },
    wrote: writes.wrote,
    refusedLater: (asker) => {
      const [{ session }, now] = [asker, timers.now()];
      const account = (asker.account ??= new ConnectionAccount(now));
      const { refusals } = session === undefined ? account : accounts.userOf(session.caller.user, now);
      return refusals.isOneTooMany(now);
    },
    delivered: (user, deliveries) => {
      const account = accounts.ofUser(user);
      const units = (costs.hundredDeliveries * deliveries) / 100;
      account?.units.take(units);
      account?.light.take(units);
    },
  };
};

type LimitReached = { readonly limit: LimitedBy; readonly millis: number };

const refusals = ({ timers, limited }: AdmissionNeeds) => {
  const refused = (asker: Asker, bill: Bill, by: LimitReached): AdmissionVerdict => {
    const now = timers.now();
    limited({ limit: by.limit, rpc: bill.name, how: 'refused', asker });
    charge(bill, refusalUnits);
    return {
      kind: 'refused',
      rejection: { ...reject('RATE_LIMITED'), retryAfterSeconds: by.millis / 1_000 },
      // Of the shared limits each is for one kind of request, so the others go on.
      pauseMillis: by.limit in budgetTable ? by.millis : 0,
      closes: bill.refusals.isOneTooMany(now),
    };
  };

  const refusedToWrite = (asker: Asker, bill: Bill, { bound, rejection }: WriteRefusal): AdmissionVerdict => {
    limited({ limit: bound, rpc: bill.name, how: 'refused', asker });
    charge(bill, refusalUnits);
    // A full disk is nobody's fault.
    const closes = bound !== 'free_disk' && bill.refusals.isOneTooMany(timers.now());
    return { ...unpaused, rejection, closes };
  };

  return { refused, refusedToWrite };
};

const ended = (): void => undefined;

/** A refusal costs as much as the cheapest request. */
const refusalUnits = 1;

/** The part of a try of a password that comes before its hash: it is looked up whose it is. */
export const guardedUnits = 5;

/** A wait that is shorter is none: the figures are rounded. */
const waitMillisMin = 1;

/** Undefined when it may begin. A connection keeps the turn that it was given until a request of it begins. */
const turnOf = ({ isHeavy, account, units }: Bill, inTurn: Turns): Promise<void> | undefined => {
  if (!isHeavy || account.hasTurn) {
    account.hasTurn = false;
    return undefined;
  }
  return inTurn.until(units)?.then(() => {
    account.hasTurn = true;
  });
};

type Item = { readonly budget: BudgetName; readonly bucket: Bucket; readonly amount: number };

/** Everything that one request is taken from. */
type Bill = {
  readonly name: AskedName;
  readonly items: readonly Item[];
  /** The price that is known beforehand. */
  readonly units: number;
  readonly account: ConnectionAccount;
  /** Whether its sender has asked for much lately, or may be anybody. */
  readonly isHeavy: boolean;
  readonly light: Bucket | undefined;
  readonly shared: SharedLimitName | undefined;
  readonly refusals: Refusals;
  readonly long: LongReading | undefined;
};

type LongReading = { readonly reads: LongReads; readonly by: LongReader };

const slowestOf = ({ items }: Bill, now: number): { readonly limit: BudgetName; readonly millis: number } => {
  let slowest: { limit: BudgetName; millis: number } = { limit: 'connection', millis: 0 };
  for (const { budget, bucket, amount } of items) {
    // The welcome of a connection does not depend on its neighbours.
    if (amount === 0) continue;
    const millis = bucket.millisUntil(amount, now);
    if (millis > slowest.millis && millis >= waitMillisMin) slowest = { limit: budget, millis };
  }
  return slowest;
};

const take = ({ items, light, units }: Bill): void => {
  for (const { bucket, amount } of items) bucket.take(amount);
  light?.take(units);
};

const giveBack = ({ items, light, units }: Bill): void => {
  for (const { bucket, amount } of items) bucket.giveBack(amount);
  light?.giveBack(units);
};

const charge = ({ items, light }: Bill, units: number): void => {
  light?.take(units);
  for (const { budget, bucket } of items) if (budgetTable[budget].of === 'units') bucket.take(units);
};

const keyOf = (limit: SharedLimitName, { address, session }: Asker): string =>
  limitTable[limit].per === 'address' || session === undefined ? networkOf(address) : session.caller.session.toString();

/** The refusals of one sender within a minute. */
class Refusals {
  private since = 0;
  private count = 0;

  isOneTooMany(now: number): boolean {
    if (this.count === 0 || now - this.since >= refusalsMillis) [this.since, this.count] = [now, 0];
    this.count += 1;
    return this.count > refusalsMax;
  }
}

type LongReader = Pick<ConnectionAccount, 'longReadTicket'>;

/**
 * The long reads of a user: one is under way, and the connections that want to make another take turns. Otherwise the one
 * that has sent many at once would keep the user's others waiting until it has all its answers.
 */
class LongReads {
  private isUnderWay = false;
  private lastTicket = 0;
  private waiting: { readonly ticket: number; readonly wake: () => void }[] = [];

  /** Undefined when it may begin. A connection that asks again after it was woken keeps its ticket. */
  until(reader: LongReader): Promise<void> | undefined {
    if (!this.isUnderWay) return undefined;
    const ticket = (reader.longReadTicket ??= this.lastTicket += 1);
    return new Promise((wake) => this.waiting.push({ ticket, wake }));
  }

  begin(reader: LongReader): () => void {
    reader.longReadTicket = undefined;
    this.isUnderWay = true;
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      this.isUnderWay = false;
      // All are woken, since the first of them may be gone by now.
      for (const { wake } of this.waiting.splice(0).sort((one, other) => one.ticket - other.ticket)) wake();
    };
  }
}

/** The budgets of one connection. */
export class ConnectionAccount {
  readonly units: Bucket;
  readonly refusals = new Refusals();
  /** Its place among the connections of its user that wait for a long read. */
  longReadTicket: number | undefined;
  /** It was woken because it is its turn, and asks again. */
  hasTurn = false;
  private welcome = welcomeUnits;

  constructor(now: number) {
    this.units = new Bucket(budgetTable.connection, now);
  }

  /** The part of these units that counts for the address as well. */
  beyondWelcome(units: number): number {
    const beyond = Math.max(0, units - this.welcome);
    this.welcome -= units - beyond;
    return beyond;
  }
}

type SessionAccount = { readonly units: Bucket; readonly messages: Bucket; readonly typing: Bucket };
type UserAccount = {
  readonly units: Bucket;
  readonly light: Bucket;
  readonly refusals: Refusals;
  readonly long: LongReads;
};

/** The accounts of senders. One that is forgotten, because so many others were used since, begins anew. */
const accountsOf = () => {
  const sessions = new LRUCache<SessionId, SessionAccount>({ max: accountsMax });
  const users = new LRUCache<string, UserAccount>({ max: accountsMax });
  const addresses = new LRUCache<string, Bucket>({ max: accountsMax });

  const sessionOf = (id: SessionId, now: number): SessionAccount => known(sessions, id, () => newSession(now));
  const userOf = (id: UserId, now: number): UserAccount => known(users, id.toString(), () => newUser(now));
  const addressOf = (address: string, now: number): Bucket =>
    known(addresses, networkOf(address), () => new Bucket(budgetTable.address, now));

  const withoutSession = (asker: Asker, asking: Asking, now: number): Bill => {
    const account = (asker.account ??= new ConnectionAccount(now));
    const isServed = policyOf(asking)?.session === 'open';
    const { units, limit } = isServed ? priceOf(asking) : { units: refusalUnits, limit: 'none' as const };
    // The hash of a password is paid for at the guard, by network, which keeps a share for those who are known there.
    const beyondWelcome = account.beyondWelcome(isGuarded(limit) ? Math.min(units, guardedUnits) : units);
    // Otherwise one neighbour who repeats Initialize would keep everybody behind the address from coming in.
    const isWelcome = limit === 'handshake' && beyondWelcome === 0;
    return {
      name: asking.name,
      items: [
        { budget: 'connection', bucket: account.units, amount: units },
        { budget: 'address', bucket: addressOf(asker.address, now), amount: beyondWelcome },
      ],
      units,
      account,
      isHeavy: beyondWelcome > 0,
      light: undefined,
      shared: isWelcome ? undefined : sharedOf(limit),
      refusals: account.refusals,
      long: undefined,
    };
  };

  const withSession = (asker: Asker, caller: Caller, asking: Asking, now: number): Bill => {
    const account = (asker.account ??= new ConnectionAccount(now));
    const session = sessionOf(caller.session, now);
    const user = userOf(caller.user, now);
    const { units, limit } = priceOf(asking);
    const items: Item[] = [
      { budget: 'connection', bucket: account.units, amount: units },
      { budget: 'session', bucket: session.units, amount: units },
      { budget: 'user', bucket: user.units, amount: units },
    ];
    if (limit === 'messages' || limit === 'typing') items.push({ budget: limit, bucket: session[limit], amount: 1 });
    const long = policyOf(asking)?.work === 'long' ? { reads: user.long, by: account } : undefined;
    const { light, refusals } = user;
    const isHeavy = light.millisUntil(units, now) > 0;
    return { name: asking.name, items, units, account, isHeavy, light, shared: sharedOf(limit), refusals, long };
  };

  return {
    bill: (asker: Asker, asking: Asking, now: number): Bill =>
      asker.session === undefined
        ? withoutSession(asker, asking, now)
        : withSession(asker, asker.session.caller, asking, now),
    userOf,
    ofUser: (user: string): UserAccount | undefined => users.get(user),
  };
};

const newSession = (now: number): SessionAccount => ({
  units: new Bucket(budgetTable.session, now),
  messages: new Bucket(budgetTable.messages, now),
  typing: new Bucket(budgetTable.typing, now),
});

const newUser = (now: number): UserAccount => ({
  units: new Bucket(budgetTable.user, now),
  light: new Bucket(lightWork, now),
  refusals: new Refusals(),
  long: new LongReads(),
});

const known = <Key extends string | bigint, Account extends object>(
  accounts: LRUCache<Key, Account>,
  key: Key,
  make: () => Account,
): Account => {
  const before = accounts.get(key);
  if (before !== undefined) return before;
  const account = make();
  accounts.set(key, account);
  return account;
};

/** Undefined for what is no request of an RPC that is known. */
const policyOf = ({ name }: Asking): RpcPolicy | undefined =>
  name === 'malformed' || name === 'unknown' ? undefined : rpcPolicy[name];

const priceOf = (asking: Asking): { readonly units: number; readonly limit: RpcPolicy['limit'] } => {
  const { units, limit } = policyOf(asking) ?? { units: refusalUnits, limit: 'none' };
  return { units: units + costs.kibibyteAsked * (asking.bytes / 1_024), limit };
};

const sharedOf = (limit: RpcPolicy['limit']): SharedLimitName | undefined =>
  limit === 'none' || limit === 'messages' || limit === 'typing' || isGuarded(limit) ? undefined : limit;
