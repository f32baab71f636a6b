import { SpanKind } from '@opentelemetry/api';
import { accounts, sessionInUse } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import type { OpenSession } from '../../domain/accounts/state.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import { pause } from '../../kernel/timing.js';
import type { SessionUses } from '../access/sessionUses.js';
import type { Call, Caller } from '../contract/call.js';
import type { Meter } from '../contract/meter.js';
import type { SignInGuard } from '../contract/signInGuard.js';
import { tokenOf, type Token } from '../packages/auth/tokens.js';
import type { Asker, Asking } from '../requests/accounts.js';
import type { Admission, Admitted } from '../requests/admission.js';
import { RequestCall, type CallNeeds, type Peer } from '../requests/requestCall.js';
import { Standpoint } from '../sessions/session.js';
import type { FileLink } from './fileLinks.js';
import type { Visit, Visitors } from './visitors.js';

/** The right that a request shows: its token, a link that was signed here, or nothing that is good for anything. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'link'; readonly link: FileLink }
  | { readonly kind: 'none'; readonly rejection: Rejection };

/** A request of somebody whose session is open. */
export type WebCall = {
  readonly call: Call;
  /** Sees to it that the session is still open, as of now, and that its budgets have what the work so far has cost. */
  readonly goOn: () => Promise<Rejection | undefined>;
  /** To be called once, when it is answered. */
  readonly end: () => void;
};

export interface WebCalls {
  /** Each request is paid for before anything is looked up for it. */
  open(this: void, from: Visit, credentials: Credentials): Promise<WebCall | Rejection>;
}

export type WebCallNeeds = {
  readonly admission: Pick<Admission, 'admit' | 'millisUntil'>;
  readonly calls: CallNeeds;
  readonly guard: Pick<SignInGuard, 'tokenRefused'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly uses: Pick<SessionUses, 'today' | 'came'>;
  readonly visitors: Visitors;
};

/** Tokens that were found good lately, by their hashes: one who shows such a token again is no stranger. */
export const knownTokensMax = 50_000;

/** The work that a download is of the kind of. */
const download: Asking = { name: 'mediaDownloadFilePart', bytes: 0 };
/** The price of a token that nobody here has seen yet. */
const authorization: Asking = { name: 'authAuthorize', bytes: 0 };
const strangers: Asking = { name: 'unknown', bytes: 0 };

export const webCalls = (needs: WebCallNeeds): WebCalls => {
  const known = boundedMap<string, Caller>({ entriesMax: knownTokensMax });
  const callers = callersOf(needs, (hash, caller) => {
    known.set(hash, caller);
  });
  const asks = async (from: Visit, credentials: Credentials): Promise<Asks | Rejection> => {
    if (credentials.kind === 'link') {
      const { user, session } = credentials.link;
      return { caller: { user, session }, token: undefined };
    }
    const token = credentials.kind === 'token' ? tokenOf(credentials.token) : undefined;
    const caller = token && known.get(token.hash);
    if (caller !== undefined) return { caller, token };
    const asking = token === undefined ? strangers : authorization;
    const admitted = await admittedOf(needs, needs.visitors.stranger(from), asking);
    if (isRejection(admitted)) return admitted;
    admitted.end();
    if (credentials.kind === 'none') return credentials.rejection;
    return token === undefined ? callers.refused(from) : { caller: token, token };
  };
  return {
    open: async (from, credentials) => {
      const asking = await asks(from, credentials);
      if (isRejection(asking)) return asking;
      const { caller, token } = asking;
      // One who shows a token for the first time has paid as a stranger, and is nobody else's burden.
      const isProven = token === undefined || known.has(token.hash);
      const first = isProven ? caller : await callers.of(from, caller, token);
      return isRejection(first) ? first : opened({ ...needs, callers }, from, { caller: first, token });
    },
  };
};

type Asks = { readonly caller: Caller; readonly token: Token | undefined };

interface Callers {
  /** The caller whose session this is, as of now; without a token for a link that was signed for the session. */
  of(this: void, from: Visit, asks: Caller, token: Token | undefined): Promise<Caller | Rejection>;
  refused(this: void, from: Visit): Rejection;
}

const callersOf = ({ streams, uses, guard }: WebCallNeeds, proven: (hash: string, caller: Caller) => void): Callers => {
  const refused = ({ address }: Visit): Rejection => {
    guard.tokenRefused({ address });
    return reject('INVALID_TOKEN');
  };
  const isShown = (open: OpenSession | undefined, token: Token | undefined): boolean =>
    open !== undefined && (token === undefined || open.tokenHash === token.hash);
  return {
    refused,
    of: async (from, { user, session }, token) => {
      const { state } = await streams.caughtUp(accountStream(user), accounts);
      const open = sessionInUse(state, session, uses.today());
      if (!isShown(open, token)) return token === undefined ? isOver(token) : refused(from);
      const isBot = state.status === 'registered' && state.bot !== undefined;
      const caller: Caller = { user, session, ...(isBot ? { bot: true } : {}) };
      if (token !== undefined) {
        proven(token.hash, caller);
        uses.came(caller);
      }
      return caller;
    },
  };
};

type Opening = WebCallNeeds & { readonly callers: Callers };

const opened = async (needs: Opening, from: Visit, { caller, token }: Asks): Promise<WebCall | Rejection> => {
  const left = needs.visitors.enter(caller.user);
  if (isRejection(left)) return left;
  let admitted: Admitted | undefined;
  const end = (): void => {
    admitted?.end();
    left();
  };
  const opening = async (): Promise<WebCall | Rejection> => {
    const asker = needs.visitors.member(from, caller);
    const verdict = await admittedOf(needs, asker, download);
    if (isRejection(verdict)) return verdict;
    admitted = verdict;
    const found = await needs.callers.of(from, caller, token);
    if (isRejection(found)) return found;
    const call = await callOf(needs, needs.visitors.member(from, found), verdict.meter);
    if (!isOfSession(call)) return isOver(token);
    const goOn = async (): Promise<Rejection | undefined> => {
      await withinBudgets(needs, asker);
      const still = await needs.callers.of(from, caller, token);
      if (isRejection(still)) return still;
      return isOfSession(call) ? undefined : isOver(token);
    };
    return { call, goOn, end };
  };
  try {
    const made = await opening();
    if (isRejection(made)) end();
    return made;
  } catch (error) {
    end();
    throw error;
  }
};

/** Whether it has the session that it shows: one that was just revoked is gone from it. */
const isOfSession = (call: RequestCall): call is RequestCall & Call => call.adoptSession();

/** Of what a link of a session that is over was for, nothing is told. */
const isOver = (token: Token | undefined): Rejection =>
  reject(token === undefined ? 'FILE_NOT_FOUND' : 'INVALID_TOKEN');

const withinBudgets = async ({ admission }: WebCallNeeds, asker: Asker): Promise<void> => {
  for (let wait = admission.millisUntil(asker, download); wait > 0; wait = admission.millisUntil(asker, download)) {
    await pause(wait);
  }
};

/** Waits as the frames of a connection do, and no longer. */
const admittedOf = async (
  { admission }: Pick<WebCallNeeds, 'admission'>,
  asker: Asker,
  asking: Asking,
): Promise<Admitted | Rejection> => {
  for (;;) {
    const verdict = await admission.admit(asker, asking);
    if (verdict.kind === 'busy') {
      await verdict.until;
      continue;
    }
    if (verdict.kind === 'refused') return verdict.rejection;
    if (verdict.afterMillis > 0) {
      await pause(verdict.afterMillis);
      await verdict.turn();
    }
    return verdict;
  }
};

/** Its reads see all that is in the log by now, from every session and node. */
const callOf = async ({ calls }: WebCallNeeds, asker: Asker, meter: Meter): Promise<RequestCall> => {
  const standpoint = new Standpoint();
  standpoint.wroteRules(await calls.end());
  const span = calls.tracer.startSpan('http.files', { kind: SpanKind.SERVER });
  span.end();
  const traceId = calls.ids.commandId().replaceAll('-', '');
  return new RequestCall(calls, peerOf(asker, standpoint), { traceId, span, meter });
};

/** Nothing is ever sent to it but the answer. */
const peerOf = ({ address, session }: Asker, standpoint: Standpoint): Peer => ({
  address,
  standpoint,
  device: undefined,
  subscribed: false,
  outbox: { send: nothing, broadcast: nothing, hold: nothing, release: nothing },
  session: session && { caller: session.caller, standpoint, connections: [], announced: false },
  joined: nothing,
  left: nothing,
  gone: false,
  heardAt: 0,
  closeSoon: nothing,
  giveWay: nothing,
});

const nothing = (): void => undefined;
