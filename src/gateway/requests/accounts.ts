import type { RpcName } from '../../gen/rpcs.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { boundedMap, type BoundedMap } from '../../kernel/boundedMap.js';
import type { Caller } from '../contract/call.js';
import { textBytesMax } from '../../wire/byteReader.js';
import { costs } from '../contract/meter.js';
import { isGuarded, rpcPolicy, type RpcPolicy, type SharedLimitName } from '../contract/rpcPolicy.js';
import { Bucket, budgetTable, lightShareMin, lightWork, welcomeUnits, type BudgetName } from './budgets.js';
import { networkOf } from './rateLimits.js';
import { standingMax, type SenderStanding } from './standingQueue.js';
import type { Line } from './turns.js';

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

/** The accounts of senders. One that is forgotten, because so many others were used since, begins anew. */
export interface Accounts {
  /**
   * Takes nothing yet, because a request may ask more than once. `now`, here and below: milliseconds of a clock that
   * never goes back.
   */
  bill(this: void, asker: Asker, asking: Asking, now: number): Bill;
  /** Those of its user, or of the connection while it has no session. */
  refusalsOf(this: void, asker: Asker, now: number): Refusals;
  /** Undefined for a user who asked for nothing here lately. */
  ofUser(this: void, user: string): Pick<UserAccount, 'units' | 'light'> | undefined;
}

export const accountsOf = (clock: () => number): Accounts => {
  const sessions = boundedMap<SessionId, SessionAccount>({ entriesMax: accountsMax });
  const users = boundedMap<string, UserAccount>({ entriesMax: accountsMax });
  const addresses = boundedMap<string, Bucket>({ entriesMax: accountsMax });

  const sessionOf = (id: SessionId, now: number): SessionAccount => known(sessions, id, () => newSession(now));
  const userOf = (id: UserId, now: number): UserAccount => known(users, id.toString(), () => newUser(now, clock));
  const addressOf = (address: string, now: number): Bucket =>
    known(addresses, networkOf(address), () => new Bucket(budgetTable.address, now));

  return {
    bill: (asker, asking, now) => {
      const account = (asker.account ??= new ConnectionAccount(now));
      if (asker.session === undefined) return billOfStranger(account, asking, addressOf(asker.address, now));
      const { user, session, bot } = asker.session.caller;
      const isBot = bot === true;
      return billOfUser({ account, session: sessionOf(session, now), user: userOf(user, now), isBot }, asking, now);
    },
    refusalsOf: (asker, now) => {
      const sender =
        asker.session === undefined
          ? (asker.account ??= new ConnectionAccount(now))
          : userOf(asker.session.caller.user, now);
      return sender.refusals;
    },
    ofUser: (user) => users.get(user),
  };
};

const billOfStranger = (account: ConnectionAccount, asking: Asking, address: Bucket): Bill => {
  const isServed = policyOf(asking)?.session === 'open';
  const { units, limit } = isServed ? priceOf(asking) : { units: refusalPrice(asking), limit: 'none' as const };
  // The hash of a password is paid for at the guard, by network, which keeps a share for those who are known there.
  const counted = isGuarded(limit) ? Math.min(units, guardedUnits) : units;
  const welcome = Math.min(counted, account.welcome);
  const beyondWelcome = counted - welcome;
  // Otherwise one neighbour who repeats Initialize would keep everybody behind the address from coming in.
  const isWelcome = limit === 'handshake' && beyondWelcome === 0;
  return {
    name: asking.name,
    items: [
      { budget: 'connection', bucket: account.units, amount: units },
      { budget: 'address', bucket: address, amount: beyondWelcome },
    ],
    units,
    refusal: refusalPrice(asking),
    account,
    welcome,
    line: beyondWelcome > 0 ? 'strangers' : undefined,
    light: undefined,
    standing: undefined,
    shared: isWelcome ? undefined : sharedOf(limit),
    refusals: account.refusals,
    long: undefined,
  };
};

type UserAccounts = {
  readonly account: ConnectionAccount;
  readonly session: SessionAccount;
  readonly user: UserAccount;
  readonly isBot: boolean;
};

const billOfUser = ({ account, session, user, isBot }: UserAccounts, asking: Asking, now: number): Bill => {
  const { units, limit } = priceOf(asking);
  const items: Item[] = [
    { budget: 'connection', bucket: account.units, amount: units },
    { budget: 'session', bucket: session.units, amount: units },
    { budget: 'user', bucket: user.units, amount: units },
  ];
  if (limit === 'messages' && isBot) {
    const bucket = (user.botMessages ??= new Bucket(budgetTable.botMessages, now));
    items.push({ budget: 'botMessages', bucket, amount: 1 });
  } else if (limit === 'lookups') {
    const bucket = (user.lookups ??= new Bucket(budgetTable.lookups, now));
    items.push({ budget: 'lookups', bucket, amount: 1 });
  } else if (limit === 'messages' || limit === 'typing') {
    items.push({ budget: limit, bucket: session[limit], amount: 1 });
  }
  const long = policyOf(asking)?.work === 'long' ? { reads: user.long, by: account } : undefined;
  const { light, standing, refusals } = user;
  const line = light.shareAt(now) >= lightShareMin ? 'light' : 'users';
  return {
    name: asking.name,
    items,
    units,
    refusal: refusalPrice(asking),
    account,
    welcome: 0,
    line,
    light,
    standing,
    shared: sharedOf(limit),
    refusals,
    long,
  };
};

/** A refusal costs as much as the cheapest request, besides the bytes of the request. */
export const refusalUnits = 1;

/** A message is long beyond so many bytes. These are paid for with the request, the others as they come. */
export const shortMessageBytesMax = 65_536;

/** The part of a try of a password that comes before its hash: it is looked up whose it is. */
export const guardedUnits = 5;

/** A wait that is shorter is none: the figures are rounded. */
const waitMillisMin = 1;

type Item = { readonly budget: BudgetName; readonly bucket: Bucket; readonly amount: number };

/** Everything that one request is taken from. */
export type Bill = {
  readonly name: AskedName;
  readonly items: readonly Item[];
  /** The price that is known beforehand. */
  readonly units: number;
  /** The price in its place when it is refused: its bytes were taken in all the same. */
  readonly refusal: number;
  readonly account: ConnectionAccount;
  /** As many of its units as the welcome of the connection covers. */
  readonly welcome: number;
  /** The line in which it waits for its turn. Undefined within the welcome of a connection. */
  readonly line: Line | undefined;
  readonly light: Bucket | undefined;
  /** Undefined without a session. */
  readonly standing: SenderStanding | undefined;
  readonly shared: SharedLimitName | undefined;
  readonly refusals: Refusals;
  readonly long: LongReading | undefined;
};

type LongReading = { readonly reads: LongReads; readonly by: LongReader };

export const slowestOf = ({ items }: Bill, now: number): { readonly limit: BudgetName; readonly millis: number } => {
  let slowest: { limit: BudgetName; millis: number } = { limit: 'connection', millis: 0 };
  for (const { budget, bucket, amount } of items) {
    // The welcome of a connection does not depend on its neighbours.
    if (amount === 0) continue;
    const millis = bucket.millisUntil(amount, now);
    if (millis > slowest.millis && millis >= waitMillisMin) slowest = { limit: budget, millis };
  }
  return slowest;
};

export const take = ({ items, light, units, account, welcome }: Bill): void => {
  for (const { bucket, amount } of items) bucket.take(amount);
  light?.take(units);
  account.welcome -= welcome;
};

export const giveBack = ({ items, light, units, account, welcome }: Bill): void => {
  for (const { bucket, amount } of items) bucket.giveBack(amount);
  light?.giveBack(units);
  account.welcome += welcome;
};

export const charge = ({ items, light }: Bill, units: number): void => {
  light?.take(units);
  for (const { budget, bucket } of items) if (budgetTable[budget].of === 'units') bucket.take(units);
};

export const chargeRequests = ({ items }: Bill, requests: number): void => {
  for (const { budget, bucket } of items) if (budgetTable[budget].of === 'requests') bucket.take(requests);
};

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
  /** It was woken because it is its turn there, and asks again. */
  turnIn: Line | undefined;
  /** The units that are left of those which do not count for the address. */
  welcome = welcomeUnits;

  constructor(now: number) {
    this.units = new Bucket(budgetTable.connection, now);
  }
}

type SessionAccount = { readonly units: Bucket; readonly messages: Bucket; readonly typing: Bucket };
type UserAccount = {
  readonly units: Bucket;
  readonly light: Bucket;
  /** By what is left of its light work. */
  readonly standing: SenderStanding;
  readonly refusals: Refusals;
  readonly long: LongReads;
  /** Once the user has looked somebody up. */
  lookups?: Bucket;
  /** Of bots only. */
  botMessages?: Bucket;
};

const newSession = (now: number): SessionAccount => ({
  units: new Bucket(budgetTable.session, now),
  messages: new Bucket(budgetTable.messages, now),
  typing: new Bucket(budgetTable.typing, now),
});

const newUser = (now: number, clock: () => number): UserAccount => {
  const light = new Bucket(lightWork, now);
  return {
    units: new Bucket(budgetTable.user, now),
    light,
    standing: () => light.shareAt(clock()) * standingMax,
    refusals: new Refusals(),
    long: new LongReads(),
  };
};

const known = <Key extends string | bigint, Account extends object>(
  accounts: BoundedMap<Key, Account>,
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
  return { units: units + bytesPrice(asking), limit };
};

const refusalPrice = (asking: Asking): number => refusalUnits + bytesPrice(asking);

const bytesPrice = ({ bytes }: Asking): number => unitsOfBytes(Math.min(bytes, shortMessageBytesMax));

/** Bytes that came in: they are read, put together and unmasked before anything is known of the request. */
export const unitsOfBytes = (bytes: number): number => costs.kibibyteAsked * (bytes / 1_024);

/** Bytes around the payload of what came in. The shortest frames have six. */
export const unitsOfFraming = (bytes: number): number => costs.kibibyteFramed * (bytes / 1_024);

/** Of bytes that get a request refused: none but a part of a file is longer than all texts of a request may be. */
export const unitsBeyond = ({ name, bytes }: Asking): number =>
  name === 'mediaUploadFilePart' ? 0 : costs.kibibyteBeyond * (Math.max(0, bytes - textBytesMax) / 1_024);

const sharedOf = (limit: RpcPolicy['limit']): SharedLimitName | undefined =>
  isOfNode(limit) || isGuarded(limit) ? undefined : limit;

const isOfNode = (limit: RpcPolicy['limit']): limit is 'none' | 'messages' | 'typing' | 'lookups' =>
  limit === 'none' || limit === 'messages' || limit === 'typing' || limit === 'lookups';
