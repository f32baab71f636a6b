import type { Socket } from 'node:net';
import { boundedMap } from '../../kernel/boundedMap.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { reject, type Rejection } from '../../kernel/decider.js';
import type { Caller } from '../contract/call.js';
import { accountsMax, ConnectionAccount, type Asker } from '../requests/accounts.js';

/** Requests over HTTP that one user has under way at a time. A browser has six to one server. */
export const requestsPerUserMax = 16;

/** Requests of one connection that have come and are not answered. Browsers wait for each answer before they ask again. */
export const requestsPerConnectionMax = 16;

/** Those who ask over plain HTTP, as their requests are counted. */
export interface Visitors {
  /** Somebody without a session. */
  stranger(this: void, from: Visit): Asker;
  /** The session has one account, however many connections it comes over: some of them are a proxy's. */
  member(this: void, from: Visit, caller: Caller): Asker;
  /** Carries out the requests of one connection one after the other, and no more than a user may have at a time. */
  inOrder(this: void, from: Visit, work: () => Promise<void>): Promise<void> | Rejection;
  /** Refused beyond `requestsPerUserMax`; otherwise gives what is to be called when the request is answered. */
  enter(this: void, user: UserId): (() => void) | Rejection;
}

/** Where a request comes from. */
export type Visit = { readonly socket: Socket; readonly address: string };

type Connection = { readonly address: string; readonly account: ConnectionAccount };
type Line = { waiting: number; last: Promise<void> };

export const visitors = (now: () => number): Visitors => {
  const strangers = new WeakMap<Socket, Connection>();
  const lines = new WeakMap<Socket, Line>();
  const sessions = boundedMap<SessionId, ConnectionAccount>({ entriesMax: accountsMax });
  const underWay = new Map<UserId, number>();
  return {
    stranger: ({ socket, address }) => {
      const known = strangers.get(socket);
      const account = known?.address === address ? known.account : new ConnectionAccount(now());
      // The connections of a proxy carry many addresses; only the first of each is welcome as that of a connection is.
      if (known !== undefined && known.address !== address) account.welcome = 0;
      strangers.set(socket, { address, account });
      return { address, session: undefined, account };
    },
    member: ({ address }, caller) => {
      const account = sessions.get(caller.session) ?? new ConnectionAccount(now());
      sessions.set(caller.session, account);
      return { address, session: { caller }, account };
    },
    inOrder: ({ socket }, work) => {
      const line = lines.get(socket) ?? { waiting: 0, last: Promise.resolve() };
      if (line.waiting >= requestsPerConnectionMax) return tooManyAtOnce;
      lines.set(socket, line);
      line.waiting += 1;
      line.last = line.last.then(work).finally(() => {
        line.waiting -= 1;
      });
      return line.last;
    },
    enter: (user) => {
      const before = underWay.get(user) ?? 0;
      if (before >= requestsPerUserMax) return tooManyAtOnce;
      underWay.set(user, before + 1);
      return () => {
        const left = (underWay.get(user) ?? 1) - 1;
        if (left > 0) underWay.set(user, left);
        else underWay.delete(user);
      };
    },
  };
};

const tooManyAtOnce: Rejection = { ...reject('RATE_LIMITED', 'too many at once'), retryAfterSeconds: 1 };
