import type { Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { EventCodec } from '../kernel/codec.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import type { Execute } from '../kernel/execute.js';
import type { Trouble } from '../kernel/outages.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import type { Presence } from '../kernel/ports/presence.js';
import type { PubSub } from '../kernel/ports/pubSub.js';
import type { Sealer } from '../kernel/ports/sealer.js';
import type { Timers } from '../kernel/ports/leases.js';
import type { Clock, Ids } from '../kernel/ports/system.js';
import type { ActJudge } from './contract/judge.js';
import type { Acknowledged, ReadModels } from './contract/readModels.js';
import { foldingPace } from './updates/foldingPace.js';
import type { CallNeeds } from './requests/requestCall.js';
import { lagWatch, type LagWatch } from './updates/lagWatch.js';
import type { ChangesUnderWay } from './contract/enforcement.js';
import { dispatcher } from './requests/dispatch.js';
import { fanOut, type FanOut, type FanOutNeeds } from './updates/fanOut.js';
import { flusher } from './frames/flusher.js';
import { hub, type Hub, type HubNeeds } from './sessions/hub.js';
import type { RosterBounds } from './sessions/roster.js';
import { schedule as systemSchedule, type Schedule } from './presence/schedule.js';
import type { Admission } from './requests/admission.js';
import type { Metrics } from './operations/metrics.js';
import type { IsAway } from './contract/errors.js';
import { interactions, lookMillisMax, type Interactions } from './presence/interactions.js';
import { presences, type Presences } from './presence/presence.js';
import type { HandlerTable } from './contract/handlers.js';
import { connections, type SocketBounds, type Connections, type ConnectionsNeeds } from './sockets/connections.js';
import { sharedAddresses, type SharedAddresses } from './sockets/sharedAddresses.js';
import { typing, type Typing } from './presence/typing.js';
import type { Statuses } from './presence/statuses.js';
import type { Access, AccessChanges } from './contract/viewerPermissions.js';
import type { UpdateRenderer } from './contract/updateView.js';

export type GatewayNeeds = {
  readonly log: EventLog;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly execute: Execute;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly pubSub: PubSub;
  readonly presence: Presence;
  readonly statuses: Pick<Statuses, 'changed'>;
  readonly admission: Admission;
  readonly renderer: UpdateRenderer;
  readonly access: Pick<Access, 'now' | 'load' | 'statusAudience'> & AccessChanges;
  readonly documents: ReadModels;
  readonly judge?: ActJudge;
  readonly unfolded?: ChangesUnderWay;
  /** As for requests: absent where other nodes share the log. */
  readonly acknowledged?: Acknowledged;
  /** The handlers of RPCs, which in turn need what is ephemeral. */
  readonly handlers: (live: Live) => HandlerTable;
  /** Default: no failure ever passes. */
  readonly isAway?: IsAway;
  /** Called with each event of the log that comes by. */
  readonly passed?: NonNullable<FanOutNeeds['passed']>;
  readonly metrics: Pick<Metrics, 'answered' | 'count' | 'reached'>;
  readonly logger: Logger;
  /** Something failed for now and is tried again, or was left out. */
  readonly troubled: (trouble: Trouble) => void;
  readonly tracer: Tracer;
  /** Default: the system's timers. */
  readonly schedule?: Schedule;
  readonly bounds?: GatewayBounds;
};

/** Bounds that a setting gives, or a test. */
export type GatewayBounds = SocketBounds & RosterBounds;

/** Ephemeral: sent to clients, and never stored. */
export type Live = { readonly presences: Presences; readonly typing: Typing; readonly interactions: Interactions };

/** Everything between sockets and the log. */
export interface Gateway {
  readonly sockets: Connections;
  readonly hub: Hub;
  readonly fanOut: FanOut;
  readonly lag: LagWatch;
  readonly presences: Presences;
  /** By which requests are carried out, also those that come over plain HTTP. */
  readonly calls: CallNeeds;
  /** Begins to send updates. */
  start(): Promise<void>;
  /** Close the sockets first. */
  close(): Promise<void>;
}

export const gateway = (needs: GatewayNeeds): Gateway => {
  const { metrics } = needs;
  const flushing = flusher();
  const hearing = hub({
    ...(needs.bounds === undefined ? {} : { bounds: needs.bounds }),
    renderer: needs.renderer,
    came: (caller) => {
      live.presences.came(caller);
    },
    went: (caller) => {
      live.presences.went(caller);
    },
    left: (connection, { user }) => {
      live.typing.left(connection, user);
      live.interactions.left(connection, user);
    },
    alarm: alarmOf(needs),
  });
  const live = liveOf(needs, hearing);
  const telling = fanOut({
    ...needs,
    hub: hearing,
    flushed: flushing.settled,
    count: metrics.count,
    delivered: needs.admission.delivered,
  });
  const lag = lagWatch({ ...needs, fanOut: telling });
  const calls = { ...needs, ...paceOf(needs), hub: hearing, rules: telling, lag, end: () => needs.log.end() };
  const open = openConnections(needs, { live, hearing, calls, flushing });

  return {
    sockets: returning(open, live),
    hub: hearing,
    fanOut: telling,
    lag,
    presences: live.presences,
    calls,
    start: async () => {
      await live.typing.start();
      await live.interactions.start();
      await live.presences.start(hearing.sessions);
      await telling.start();
      lag.start();
    },
    close: async () => {
      lag.close();
      await telling.close();
      await live.typing.close();
      await live.interactions.close();
      await live.presences.close();
    },
  };
};

type Parts = {
  readonly live: Live;
  readonly hearing: Hub;
  readonly calls: CallNeeds;
  readonly flushing: ReturnType<typeof flusher>;
};

const openConnections = (needs: GatewayNeeds, { live, hearing, calls, flushing }: Parts): Connections => {
  const { metrics } = needs;
  const dispatch = dispatcher({
    handlers: needs.handlers(live),
    calls,
    log: needs.logger,
    isAway: needs.isAway ?? (() => false),
    answered: metrics.answered,
  });
  return connections({
    dispatch,
    admission: needs.admission,
    timers: needs.timers,
    flusher: flushing,
    closed: hearing.leave,
    sharedAddresses: sharedAddressesOf(needs),
    cut: cutOf(needs),
    gaveWay: () => {
      metrics.count('gave_way', 1);
    },
    reached: metrics.reached,
    makeRoom: hearing.makeRoom,
    refused: () => {
      metrics.count('refusal_closes', 1);
    },
    ...(needs.bounds === undefined ? {} : { bounds: needs.bounds }),
  });
};

const paceOf = ({ acknowledged, documents, timers }: GatewayNeeds): Pick<CallNeeds, 'pace'> =>
  acknowledged === undefined ? {} : { pace: foldingPace({ acknowledged, folded: documents.folded, timers }) };

/** Clients are told to come back when the sockets close, so nobody is told that they are gone. */
const returning = (sockets: Connections, { presences, interactions: pressed }: Live): Connections => ({
  ...sockets,
  close: () => {
    presences.stopping();
    pressed.stopping();
    return sockets.close();
  },
});

const alarmOf =
  ({ metrics, logger }: GatewayNeeds): HubNeeds['alarm'] =>
  (message, details) => {
    logger.error(details, message);
    metrics.count('alarms', 1);
  };

const sharedAddressesOf = ({ logger }: GatewayNeeds): SharedAddresses =>
  sharedAddresses({
    warn: (details, message) => {
      logger.warn(details, message);
    },
    now: () => performance.now(),
  });

const cutOf =
  ({ metrics, logger }: GatewayNeeds): ConnectionsNeeds['cut'] =>
  ({ session, outbox }) => {
    metrics.count('cuts', 1);
    logger.info({ session: session?.caller.session.toString(), bytes: outbox.bufferedBytes }, 'a slow client was cut');
  };

const liveOf = (needs: GatewayNeeds, { deliver }: Hub): Live => {
  const failed = (error: unknown): void => {
    needs.troubled({ doing: 'telling presence and typing', error });
  };
  const ephemeral = { ...needs, deliver, failed, schedule: needs.schedule ?? systemSchedule };
  const lookMillis = needs.acknowledged === undefined ? lookMillisMax : 0;
  return {
    presences: presences(ephemeral),
    typing: typing(ephemeral),
    interactions: interactions({ ...ephemeral, lookMillis }),
  };
};
