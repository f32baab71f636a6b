import { withDeadline } from '../../kernel/timing.js';
import { context, trace, SpanStatusCode, type Span, type Tracer } from '@opentelemetry/api';
import { accountStream } from '../../domain/accounts/events.js';
import { affectsPermissions } from '../../domain/registry.js';
import { defined } from '../../kernel/defined.js';
import { isRejection, reject, type Command, type Decider, type Rejection } from '../../kernel/decider.js';
import { rightsTaken } from '../../domain/messages/attached.js';
import { beginsMessage, type BegunMessage } from '../../domain/messages/events.js';
import { beforeAll, type Event, type Position } from '../../kernel/event.js';
import type { Asked, Cause, Done, Execute } from '../../kernel/execute.js';
import type { Millis } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { Clock, Ids } from '../../kernel/ports/system.js';
import type { Hub } from '../sessions/hub.js';
import type { ChangesUnderWay, EnforcementLag, FoldingPace } from '../contract/enforcement.js';
import type { ActJudge } from '../contract/judge.js';
import type { ProjectionName } from '../../projections/registry.js';
import { Unavailable } from '../contract/errors.js';
import type { Caller, Device, OpenCall, Origin, RunOptions } from '../contract/call.js';
import type { Listener, Standpoint } from '../sessions/session.js';
import { costs, type Meter } from '../contract/meter.js';
import type { Acknowledged, Follower, ReadModels } from '../contract/readModels.js';

/** A connection, as the requests on it see it. */
export interface Peer extends Listener {
  readonly address: string;
  device: Device | undefined;
  /** Where the connection stands before it has a session. */
  readonly standpoint: Standpoint;
}

export type CallNeeds = {
  readonly execute: Execute;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly clock: Clock;
  readonly timers: Pick<Timers, 'now'>;
  readonly hub: Pick<Hub, 'join' | 'isRevoked'>;
  readonly documents: ReadModels;
  /** The fan-out: it folds `Access`, and sends updates. */
  readonly rules: Follower;
  readonly lag: EnforcementLag;
  /** Without it the node is taken to append nothing. */
  readonly unfolded?: ChangesUnderWay;
  /** Absent where other nodes share the log: there a session's reads see what it wrote and was sent. */
  readonly acknowledged?: Acknowledged;
  /** Absent where other nodes share the log, and their reads do not wait for what others wrote. */
  readonly pace?: FoldingPace;
  /** Only where nodes share the log, and rights may be changed elsewhere at any moment. */
  readonly judge?: ActJudge;
  readonly end: () => Promise<Position>;
  readonly tracer: Tracer;
};

/** A request that waits longer for a read model is answered that the server cannot serve this now. */
export const waitMillisMax = 10_000;

type Traced = { readonly traceId: string; readonly span: Span; readonly meter: Meter };

/** The type says which event it is. */
const needsOfBegun = (bits: bigint, { type, data }: Event): bigint =>
  beginsMessage(type) ? bits | rightsTaken(data as BegunMessage['data']) : bits;

/** A class, because one is made for each request and most of its methods are not called. */
export class RequestCall implements OpenCall {
  readonly traceId: string;
  readonly now: Millis;
  readonly monotonic: number;
  readonly meter: Meter;
  private readonly needs: CallNeeds;
  private readonly peer: Peer;
  private readonly span: Span;
  private standpoint: Standpoint;
  private authorized: Caller | undefined;
  private holdsUpdates = false;
  /** Where the fan-out was when it was last asked for all that a command of this request depends on. */
  private rightsFrom: Position;
  /** All that was acknowledged to anybody when the request began. */
  private acknowledged: Promised;

  constructor(needs: CallNeeds, peer: Peer, of: Traced) {
    this.needs = needs;
    this.peer = peer;
    this.traceId = of.traceId;
    this.span = of.span;
    this.meter = of.meter;
    this.now = needs.clock.now();
    this.monotonic = needs.timers.now();
    this.rightsFrom = needs.rules.position();
    this.acknowledged = promisedNow(needs);
    // Kept, because the connection may close or change hands while the request is under way.
    this.authorized = peer.session?.caller;
    this.standpoint = peer.session?.standpoint ?? peer.standpoint;
  }

  get address(): string {
    return this.peer.address;
  }

  get origin(): Origin {
    return this.peer;
  }

  get device(): Device | undefined {
    return this.peer.device;
  }

  get caller(): Caller | undefined {
    return this.authorized;
  }

  /**
   * The session that the connection has now, when it is the request's turn: requests before it may have opened one, and
   * it may have been revoked. Requests that a client sent before it went away are still carried out, unless the session
   * was revoked since. False when there is none.
   */
  adoptSession(): boolean {
    this.rightsFrom = this.needs.rules.position();
    this.acknowledged = promisedNow(this.needs);
    if (!this.peer.gone) {
      this.authorized = this.peer.session?.caller;
      this.standpoint = this.peer.session?.standpoint ?? this.standpoint;
    }
    if (this.authorized !== undefined && this.needs.hub.isRevoked(this.authorized.session)) this.authorized = undefined;
    return this.authorized !== undefined;
  }

  async initialize(device: Device): Promise<void> {
    const { subscribed, device: before } = this.peer;
    this.peer.device = device;
    if (this.authorized === undefined || this.peer.subscribed === subscribed) return;
    try {
      await this.authorize(this.authorized);
    } catch (error) {
      // Otherwise it would be for nothing to ask for the same again.
      this.peer.device = before;
      throw error;
    }
  }

  async authorize(caller: Caller): Promise<void> {
    // All that this session has written and been sent elsewhere, on this node or another, is in the log by now.
    this.standpoint.wroteRules(await this.needs.end());
    this.holdUpdates();
    await this.needs.hub.join(this.peer, caller, this.standpoint);
    this.adoptSession();
    this.authorized = caller;
    // Updates that others were sent while this connection was let in will not be sent to it, so its reads must have
    // them.
    this.standpoint.wrote(this.needs.rules.position());
  }

  /** The answer is on its way, so updates may follow. */
  answered(): void {
    if (this.holdsUpdates) this.peer.outbox.release();
    this.holdsUpdates = false;
  }

  closeSoon(code: number): void {
    this.peer.closeSoon(code);
  }

  async run<C extends Command, State, E extends Event>(
    decider: Decider<C, State, E>,
    command: C | Asked<C | readonly C[]>,
    options: RunOptions = {},
  ): Promise<Done<E> | Rejection> {
    const paced = options.whileBehind === true ? undefined : this.needs.pace?.ready();
    if (paced !== undefined) await paced;
    const written = this.meter.writing?.();
    let upTo: Position | undefined;
    const span = this.needs.tracer.startSpan('execute', {}, trace.setSpan(context.active(), this.span));
    try {
      const done = await this.needs.execute(decider, this.guarded(command, options), this.causeOf(options, span));
      if (isRejection(done)) return done;
      if (done.events.length > 0) upTo = done.position;
      this.wrote(done);
      this.meter.spend(costs.event * done.events.length);
      if (done.refused !== undefined) return done.refused;
      const refused = await this.refusedAfter(done, options);
      return refused === undefined ? done : reject(refused);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      written?.(upTo);
      span.end();
    }
  }

  async upToDate(...readModels: readonly ProjectionName[]): Promise<void> {
    await arrival(this.needs.documents.reached(this.readsFrom(), readModels));
  }

  async keysUpToDate(...readModels: readonly ProjectionName[]): Promise<void> {
    await arrival(this.needs.documents.folded.reached(this.readsFrom(), readModels));
  }

  async upToDateWithLog(...readModels: readonly ProjectionName[]): Promise<void> {
    await arrival(this.needs.documents.reached(await this.needs.end(), readModels));
  }

  accessUpToDate(): Promise<void> | undefined {
    return arrival(this.needs.rules.reached(later(this.standpoint.rulesAt, this.acknowledged.rights)));
  }

  rightsAsOf(upTo: Position | 'end'): Promise<void> | undefined {
    const { judge, rules, end } = this.needs;
    if (upTo !== 'end') return arrival(rules.reached(upTo));
    return judge === undefined ? undefined : end().then((position) => arrival(rules.reached(position)));
  }

  readsFrom(): Position {
    return later(this.standpoint.position, this.acknowledged.events);
  }

  /** Asked in the tick of the append, because the session may be revoked while the command waits. */
  private guarded<C extends Command>(
    command: C | Asked<C | readonly C[]>,
    options: RunOptions,
  ): Asked<C | readonly C[]> {
    const make = typeof command === 'function' ? command : () => command;
    return (decidedOn) => {
      const refused = this.refusedNow(options);
      if (refused !== undefined) return refused;
      // The rights are those of this tick; in slow mode the answer also depends on what was read since the request began.
      if (options.rights?.slowmodeSeconds === undefined) this.rightsFrom = this.needs.rules.position();
      return make(decidedOn);
    };
  }

  private refusedNow({ actor, whileBehind }: RunOptions): Rejection | Promise<void> | undefined {
    const { hub, lag, unfolded } = this.needs;
    if (whileBehind !== true && lag.isBehind()) return reject('UNAVAILABLE', 'it is behind with what happened lately');
    const caller = this.authorized;
    if (caller === undefined || actor !== undefined) return undefined;
    const folding = unfolded?.folded([accountStream(caller.user)]);
    if (folding !== undefined) return folding;
    return hub.isRevoked(caller.session) ? reject('NOT_AUTHORIZED') : undefined;
  }

  /** The event is there, but every node finds that it must not be, and it will be taken back. */
  private refusedAfter({ events, position }: Done<Event>, { rights }: RunOptions): ReturnType<ActJudge['refusalOf']> {
    const { judge, clock } = this.needs;
    const caller = this.authorized;
    if (judge === undefined || rights === undefined || caller === undefined || events.length === 0) return undefined;
    const { asOf, slowmodeSeconds: seconds } = decidedOn(rights, () => this.rightsFrom);
    const slowmode = seconds === undefined ? {} : { slowmode: seconds.toString() };
    const metadata = { asOf: asOf().toString(), session: caller.session.toString(), ...slowmode };
    const needs = rights.needs ?? events.reduce(needsOfBegun, 0n);
    return judge.refusalOf({ chat: rights.chat, actor: caller.user, position, at: clock.now(), needs, metadata });
  }

  private holdUpdates(): void {
    if (!this.holdsUpdates) this.peer.outbox.hold();
    this.holdsUpdates = true;
  }

  private wrote({ events, position }: Done<Event>): void {
    // Without events the wish was fulfilled before, at this position or earlier, by an event of any kind.
    if (events.length === 0 || events.some(affectsPermissions)) this.standpoint.wroteRules(position);
    else this.standpoint.wrote(position);
  }

  private causeOf({ commandId, actor, rights }: RunOptions, span: Span): Cause {
    const user = actor ?? this.authorized?.user;
    const session = this.authorized?.session;
    const traceparent = traceparentOf(span);
    return {
      commandId: commandId ?? this.needs.ids.commandId(),
      correlationId: this.traceId,
      ...(user === undefined ? {} : { actor: user.toString() }),
      ...(session === undefined ? {} : { session: session.toString() }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(rights === undefined || this.needs.judge === undefined ? {} : decidedOn(rights, () => this.rightsFrom)),
    };
  }
}

const arrival = (reached: Promise<void> | undefined): Promise<void> | undefined =>
  reached && withDeadline(reached, waitMillisMax, () => new Unavailable('the read models are behind'));

/** Reads of this request see all events up to here. */
type Promised = Readonly<Record<keyof Acknowledged, Position>>;

const nothingPromised: Promised = { events: beforeAll, rights: beforeAll };

const promisedNow = ({ acknowledged, rules, documents }: CallNeeds): Promised =>
  acknowledged === undefined
    ? nothingPromised
    : {
        // On a server, the log may tell of an append before it acknowledges it; somebody may have read it already.
        events: later(acknowledged.events(), later(rules.position(), documents.folded.position())),
        rights: acknowledged.rights(),
      };

const later = (one: Position, other: Position): Position => (one > other ? one : other);

type Rights = NonNullable<RunOptions['rights']>;

const decidedOn = ({ slowmodeSeconds, needs }: Rights, asOf: () => Position) => ({
  asOf,
  ...defined({ slowmodeSeconds, needs }),
});

/** The W3C form of the span; nothing when nobody traces. */
const traceparentOf = (span: Span): string | undefined => {
  const spanContext = span.spanContext();
  if (!trace.isSpanContextValid(spanContext)) return undefined;
  const flags = spanContext.traceFlags.toString(16).padStart(2, '0');
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`;
};
