import type { SessionDevice } from '../../domain/accounts/commands.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { Command, Decider, Rejection } from '../../kernel/decider.js';
import type { Event, Position } from '../../kernel/event.js';
import type { Asked, Cause, Done } from '../../kernel/execute.js';
import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Meter } from './meter.js';
import type { ProjectionName } from '../../projections/registry.js';

/** The description that core.Initialize gave of the application on the other end. */
export type Device = SessionDevice & {
  /** The connection wants results only, no updates. */
  readonly noSubscribe: boolean;
};

/** The part of it that is kept with the session. */
export const sessionDeviceOf = ({ clientId, deviceType, deviceVersion, appVersion }: Device): SessionDevice => ({
  clientId,
  deviceType,
  deviceVersion,
  appVersion,
});

/** `bot`: the user is one. */
export type Caller = { readonly user: UserId; readonly session: SessionId; readonly bot?: true };

/** The connection of a request: typing belongs to one, and ends with it. */
export interface Origin {
  /** The session that the connection has now. None once it is closed. */
  readonly session: { readonly caller: Caller } | undefined;
}

/** One request on a connection that need not be authorized. */
export interface OpenCall {
  /** Opaque; goes into RPCResult.trace_id of errors and into the events' correlation id. */
  readonly traceId: string;
  /** The other end's address, for limits. */
  readonly address: string;
  /** When it came, by the wall clock: to be stored or shown, or compared with a date that somebody chose. */
  readonly now: Millis;
  /** When it came, in milliseconds of the monotonic clock: to measure durations. */
  readonly monotonic: number;
  /** Counts the work of the request, for which its sender's budgets pay. */
  readonly meter: Meter;
  readonly device: Device | undefined;
  readonly caller: Caller | undefined;

  /** The device stated before is forgotten. A connection with a session is sent updates from here on, or no more. */
  initialize(device: Device): Promise<void>;

  /**
   * The connection belongs to this session from here on, and is sent all later updates, behind the answer to this call.
   * Its reads see all that its session wrote or was sent on any node, and all updates that it was not sent. Resolves
   * once the connection is in the hub and all that its user may see is in memory.
   */
  authorize(caller: Caller): Promise<void>;

  /** Closes the connection with this WebSocket close code, once the answer has had time to arrive. */
  closeSoon(code: number): void;

  /**
   * Runs a command in the name of this call, or several as one. Its position is remembered: later reads of this session
   * wait for it. Refused at the append when the caller's session was revoked meanwhile, and when the fan-out is behind.
   */
  run<C extends Command, State, E extends Event>(
    decider: Decider<C, State, E>,
    command: C | Asked<C | readonly C[]>,
    options?: RunOptions,
  ): Promise<Done<E> | Rejection>;

  /**
   * Waits until these read models hold all that this session wrote and was sent and, where no other node shares the log,
   * all that was acknowledged to anybody before the request began. Before every query, naming all that it reads: when
   * another one stands still, that is no reason to refuse.
   */
  upToDate(...readModels: readonly [ProjectionName, ...ProjectionName[]]): Promise<void>;

  /** The same for queries that read by key alone, never a range: these see what is folded, and need not wait for the disk. */
  keysUpToDate(...readModels: readonly [ProjectionName, ...ProjectionName[]]): Promise<void>;

  /** The same for all that is in the log now: for a connection that comes back and knows no position. */
  upToDateWithLog(...readModels: readonly [ProjectionName, ...ProjectionName[]]): Promise<void>;

  /** Up to where `upToDate` waits, for what follows the log besides the read models. */
  readsFrom(): Position;

  /** Waits until `Access` holds all of that from which rights follow; `undefined` when it does. Before every permission check. */
  accessUpToDate(): Promise<void> | undefined;

  /**
   * The same up to an event, or up to the end of the log as it is now. Undefined without a wait: `Access` is there, or
   * no other node writes to the log.
   */
  rightsAsOf(upTo: Position | 'end'): Promise<void> | undefined;
}

export type RunOptions = {
  /** Names the command when it is asked for again: `session.nonce`, `invite.user.joining`. Default: a random id. */
  readonly commandId?: string;
  /** Acts as this user where the call has no caller yet, as in a sign-up. */
  readonly actor?: UserId;
  /** Goes on while the fan-out is behind, because otherwise nobody could come to read. */
  readonly whileBehind?: true;
  /**
   * The command writes something into this chat, and depends on rights there. Where nodes share the log, that is written
   * with the event, and the command is refused when the right had gone before the event was in the log. `needs` are the
   * bits of these rights; by default those of a new message.
   */
  readonly rights?: { readonly chat: ChatKey; readonly slowmodeSeconds?: number; readonly needs?: bigint };
};

/** One request on an authorized connection. */
export interface Call extends OpenCall {
  readonly caller: Caller;
  readonly origin: Origin;
}

export type { Cause, Position };
