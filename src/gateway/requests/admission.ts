import { reject, type Rejection } from '../../kernel/decider.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { RateLimit, Verdict } from '../../kernel/ports/rateLimit.js';
import { costs, sliceUnitsMax, type Meter, type WriteEnded } from '../contract/meter.js';
import type { SharedLimitName } from '../contract/rpcPolicy.js';
import {
  accountsOf,
  charge,
  chargeRequests,
  giveBack,
  slowestOf,
  take,
  type Accounts,
  type AskedName,
  type Asker,
  type Asking,
  type Bill,
} from './accounts.js';
import { budgetTable, type BudgetName } from './budgets.js';
import { limitTable, networkOf } from './rateLimits.js';
import { turnLines, turns, type Lines } from './turns.js';
import { underWay, type UnderWayNeeds } from './underWay.js';
import { noWriteBounds, type WriteBounds, type WriteRefusal } from './writeBounds.js';

/** A request that would be within its budgets in so many milliseconds waits for that instead of being refused. */
export const smoothMillisMax = 1_000;

export type Admitted = {
  readonly kind: 'admitted';
  /** The request begins after so many milliseconds; nothing is read from its connection meanwhile. */
  readonly afterMillis: number;
  /** To be asked after that. Undefined when it is its turn, otherwise resolves when it is. */
  readonly turn: () => Promise<void> | undefined;
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
   * So many units of a long message have come in, and are paid for before anything is known of the request in it. Gives
   * the milliseconds for which no more of the sender's long messages are to be read; 0 within all budgets.
   */
  tookIn(this: void, asker: Asker, units: number): number;
  /** Milliseconds until the sender is within all budgets, for work that goes on after it was admitted. Takes nothing. */
  millisUntil(this: void, asker: Asker, asking: Asking): number;
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

export type AdmissionNeeds = Pick<UnderWayNeeds, 'followed'> & {
  readonly timers: Pick<Timers, 'now' | 'later'>;
  readonly shared: Pick<RateLimit, 'take'>;
  readonly limited: (limited: Limited) => void;
  /** Default: none. */
  readonly writes?: WriteBounds;
  /** Default: those of this node. */
  readonly lines?: Lines;
};

/**
 * For load tests: everything begins at once that does not write beyond the bounds. Long reads let others in all the same.
 */
export const noAdmission = (writes: WriteBounds = noWriteBounds): Admission => {
  const slice = turns(sliceUnitsMax);
  const meter: Meter = { spend: slice.spend, turn: slice.until };
  const admitted: AdmissionVerdict = { kind: 'admitted', afterMillis: 0, turn: () => undefined, meter, end: ended };
  return {
    admit: (asker, { name }) => {
      const refusal = writes.refusal(asker, name);
      return refusal === undefined ? admitted : { ...unpaused, rejection: refusal.rejection, closes: false };
    },
    tookIn: () => 0,
    millisUntil: () => 0,
    refusedLater: () => false,
    delivered: () => undefined,
    wrote: writes.wrote,
  };
};

/** Only requests that write are refused, so the connection is read on. */
const unpaused = { kind: 'refused', pauseMillis: 0 } as const;

export const admission = (needs: AdmissionNeeds): Admission => {
  const { timers, shared, writes = noWriteBounds, lines = turnLines() } = needs;
  const accounts = accountsOf(timers.now);
  const { refused, refusedToWrite } = refusals(needs);

  const admitted = admissions(needs, lines);

  return {
    admit: (asker, asking) => {
      const bill = accounts.bill(asker, asking, timers.now());
      const until = bill.long?.reads.until(bill.long.by);
      if (until !== undefined) return { kind: 'busy', until };
      const slowest = slowestOf(bill, timers.now());
      if (slowest.millis > smoothMillisMax) return refused(asker, bill, slowest);
      const refusal = writes.refusal(asker, asking.name);
      if (refusal !== undefined) return refusedToWrite(asker, bill, refusal);
      // One that waits asks for its turn after that.
      const turn = slowest.millis > 0 ? undefined : turnOf(bill, lines);
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
    ...beside(needs, accounts),
    wrote: writes.wrote,
  };
};

/** Gives the verdict for a request that is within its budgets, or will be soon. */
const admissions = (needs: AdmissionNeeds, lines: Lines) => {
  const slice = turns(sliceUnitsMax);

  return (asker: Asker, bill: Bill, waited: LimitReached): AdmissionVerdict => {
    if (waited.millis > 0) needs.limited({ limit: waited.limit, rpc: bill.name, how: 'waited', asker });
    const end = bill.long?.reads.begin(bill.long.by) ?? ended;
    let spent = bill.units;
    const charged = (units: number): void => {
      charge(bill, units);
      if (bill.line !== undefined) lines[bill.line].spend(units);
      spent += units;
    };
    const spend = (units: number): void => {
      charged(units);
      slice.spend(units);
    };
    const turn = (units: number): Promise<void> | undefined => {
      charged(units);
      return slice.until(units, bill.standing);
    };
    const alsoCounts = (requests: number): void => {
      chargeRequests(bill, requests);
    };
    const writing = bill.line === 'users' ? (): WriteEnded => underWay(lines.users, needs, spent) : undefined;
    const meter: Meter = { spend, turn, alsoCounts, writing };
    const ownTurn = (): Promise<void> | undefined => bill.line && lines[bill.line].until(bill.units, bill.standing);
    return { kind: 'admitted', afterMillis: waited.millis, turn: ownTurn, meter, end };
  };
};

/** The counts where nothing is admitted. */
const beside = (
  { timers, limited }: AdmissionNeeds,
  accounts: Accounts,
): Pick<Admission, 'tookIn' | 'millisUntil' | 'refusedLater' | 'delivered'> => ({
  tookIn: (asker, units) => {
    const now = timers.now();
    const bill = accounts.bill(asker, unknownYet, now);
    charge(bill, units);
    const { limit, millis } = slowestOf(bill, now);
    if (millis > 0) limited({ limit, rpc: bill.name, how: 'waited', asker });
    return millis;
  },
  millisUntil: (asker, asking) => {
    const now = timers.now();
    return slowestOf(accounts.bill(asker, asking, now), now).millis;
  },
  refusedLater: (asker) => {
    const now = timers.now();
    return accounts.refusalsOf(asker, now).isOneTooMany(now);
  },
  delivered: (user, deliveries) => {
    const account = accounts.ofUser(user);
    const units = (costs.hundredDeliveries * deliveries) / 100;
    account?.units.take(units);
    account?.light.take(units);
  },
});

/** A message that is not complete. */
const unknownYet: Asking = { name: 'unknown', bytes: 0 };

type LimitReached = { readonly limit: LimitedBy; readonly millis: number };

const refusals = ({ timers, limited }: AdmissionNeeds) => {
  const refused = (asker: Asker, bill: Bill, by: LimitReached): AdmissionVerdict => {
    const now = timers.now();
    limited({ limit: by.limit, rpc: bill.name, how: 'refused', asker });
    charge(bill, bill.refusal);
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
    charge(bill, bill.refusal);
    // A full disk is nobody's fault.
    const closes = bound !== 'free_disk' && bill.refusals.isOneTooMany(timers.now());
    return { ...unpaused, rejection, closes };
  };

  return { refused, refusedToWrite };
};

const ended = (): void => undefined;

/**
 * Undefined when it may begin. A connection keeps the turn that it was given until a request of it begins, but for one in
 * a line in which its sender would not wait any more.
 */
const turnOf = ({ line, account, units, standing }: Bill, lines: Lines): Promise<void> | undefined => {
  const isItsTurn = line === undefined || account.turnIn === line;
  account.turnIn = undefined;
  if (isItsTurn) return undefined;
  return lines[line].until(units, standing)?.then(() => {
    account.turnIn = line;
  });
};

const keyOf = (limit: SharedLimitName, { address, session }: Asker): string =>
  limitTable[limit].per === 'address' || session === undefined ? networkOf(address) : session.caller.session.toString();
