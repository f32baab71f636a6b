import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import { watchedAppends } from '../../kernel/watchedAppends.js';
import type { Reason } from '../../kernel/reasons.js';

/** The values that are read when somebody asks for the metrics. */
export type Gauges = {
  readonly connections: () => number;
  readonly signedOut: () => number;
  readonly users: () => number;
  readonly bufferedBytes: () => number;
  readonly receivedBytes: () => number;
  /** Undefined where nothing is on a disk of this machine. */
  readonly freeDiskBytes: () => number | undefined;
  /** Whether there is room for what can be made again, and for files. */
  readonly mayBuild: () => boolean;
  readonly lags: () => Promise<readonly Lag[]>;
  /** The generations of read models that this node has open. */
  readonly generations: () => Promise<readonly GenerationLag[]>;
  readonly own: () => Promise<readonly OwnReport[]>;
  /** Whether this node writes the read models, for itself or for all. */
  readonly projects: () => boolean;
  /** Undefined while it has none. */
  readonly nodeNumber: () => number | undefined;
  /** Other nodes are not heard. */
  readonly alone: () => boolean;
  /** This node is too far behind the log to write. */
  readonly writesRefused: () => boolean;
};

/** How far something is behind the log: in positions, which are no counts of events, and in seconds. */
export type Lag = { readonly of: string; readonly positions: number; readonly seconds: number };

/** How far a generation of read models is, and how far behind the log. */
export type GenerationLag = {
  readonly name: string;
  readonly isServing: boolean;
  readonly position: string;
  readonly positions: number;
};

/** A projection of the operator's own: how far it is, and why it has stopped. */
export type OwnReport = {
  readonly name: string;
  readonly generation: string | null;
  readonly position: string | null;
  readonly stopped: string | null;
};

export interface Metrics {
  answered(this: void, rpc: string, outcome: 'OK' | Reason, seconds: number): void;
  count(this: void, what: CounterName, by: number): void;
  /** One request waited for a limit, or was refused by it. */
  limited(this: void, of: { readonly limit: string; readonly rpc: string; readonly how: 'waited' | 'refused' }): void;
  /** One of the bounds over all was reached. */
  reached(this: void, bound: string): void;
  /** A picture was made, or why it was not. */
  pictures(this: void, outcome: string): void;
  /** How a file was judged, or that it was not. */
  scans(this: void, outcome: string): void;
  /** How the log got into difficulties and out of them again, by kind. */
  logTroubles(this: void, kind: string, by: number): void;
  /** Values that are asked for when the metrics are. */
  watch(gauges: Gauges): void;
  /** The Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

const counters = {
  appends: 'Appends that are durable',
  appended_events: 'Events in those appends',
  deliveries: 'Updates put on their way to a connection',
  failures: 'Events that could not be told to clients',
  resubscriptions: 'Times that the fan-out lost its subscription',
  cuts: 'Connections that were cut because they did not read',
  gave_way: 'Connections that were closed for a newer one',
  refusal_closes: 'Connections that were closed because their clients were refused too often',
  wrong_passwords: 'Sign-ins with an unknown address or a wrong password',
  refused_tokens: 'Session tokens that were refused',
  limited_sign_ins: 'Sign-ins and sign-ups that were refused because there had been too many',
  alarms: 'Things that should never happen; the log says what',
} as const;
export type CounterName = keyof typeof counters;

/** Seconds. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const metrics = (): Metrics => {
  const registry = new Registry();
  // Memory, processor time and the delay of the event loop.
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const durations = new Histogram({
    name: 'osmium_rpc_seconds',
    help: 'From the frame to the answer, by RPC',
    labelNames: ['rpc'],
    buckets: latencyBuckets,
    registers,
  });
  const outcomes = new Counter({
    name: 'osmium_rpcs_total',
    help: 'Requests answered, by RPC and outcome',
    labelNames: ['rpc', 'outcome'],
    registers,
  });
  const counted = new Map(
    Object.entries(counters).map(([name, help]) => [
      name,
      new Counter({ name: `osmium_${name}_total`, help, registers }),
    ]),
  );
  const labelled = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name: `osmium_${name}_total`, help, labelNames, registers });
  const limitedHelp = 'Requests that waited for a limit or were refused by it, by limit and RPC';
  const limited = labelled('limited', limitedHelp, ['limit', 'rpc', 'how']);
  const boundsHelp = 'Times that a bound over all was reached, and something gave way, waited or was refused, by bound';
  const bounds = labelled('bounds', boundsHelp, ['bound']);
  const pictures = labelled('pictures', 'Pictures that were made, and those of which none could be, by why', [
    'outcome',
  ]);
  const scans = labelled('scans', 'Files that the scanner judged, and those that it did not, by outcome', ['outcome']);
  const troublesHelp = 'Calls to the log that went wrong and were made again, by kind';
  const troubles = labelled('log_troubles', troublesHelp, ['kind']);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    answered: (rpc, outcome, seconds) => {
      durations.observe({ rpc }, seconds);
      outcomes.inc({ rpc, outcome });
    },
    count: (what, by) => {
      counted.get(what)?.inc(by);
    },
    limited: ({ limit, rpc, how }) => {
      limited.inc({ limit, rpc, how });
    },
    reached: countedBy(bounds, 'bound'),
    pictures: countedBy(pictures, 'outcome'),
    scans: countedBy(scans, 'outcome'),
    logTroubles: (kind, by) => {
      troubles.inc({ kind }, by);
    },
    watch: (gauges) => {
      watch(registers, gauges);
    },
  };
};

const countedBy =
  (counter: Counter, label: string) =>
  (value: string): void => {
    counter.inc({ [label]: value });
  };

const watch = (registers: Registry[], gauges: Gauges): void => {
  const simple = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  simple('osmium_connections', 'Open connections', gauges.connections);
  simple('osmium_signed_out', 'Open connections without a session', gauges.signedOut);
  simple('osmium_users', 'Users with an authorized connection', gauges.users);
  simple('osmium_buffered_bytes', 'Bytes that clients have not taken yet', gauges.bufferedBytes);
  simple('osmium_received_bytes', 'Bytes of requests that are not answered yet', gauges.receivedBytes);
  simple(
    'osmium_free_disk_bytes',
    'Free on the disk of the data folder, -1 where nothing is on it',
    () => gauges.freeDiskBytes() ?? -1,
  );
  simple('osmium_may_build', '1 while the disk has room to build read models', () => Number(gauges.mayBuild()));
  simple('osmium_projects', '1 on the node that writes the read models', () => Number(gauges.projects()));
  simple('osmium_node_number', 'The number in ids made here, -1 while there is none', () => gauges.nodeNumber() ?? -1);
  simple('osmium_alone', '1 while nothing is heard of other nodes', () => Number(gauges.alone()));
  simple('osmium_writes_refused', '1 while this node is too far behind the log to write', () =>
    Number(gauges.writesRefused()),
  );

  watchGenerations(registers, gauges.generations);
  watchOwn(registers, gauges.own);
  const labelNames = ['of'];
  const seconds = new Gauge({ name: 'osmium_lag_seconds', help: 'Behind the log', labelNames, registers });
  new Gauge({
    name: 'osmium_lag_positions',
    help: 'Behind the log, in positions, which are not dense',
    labelNames,
    registers,
    async collect() {
      for (const lag of await gauges.lags()) {
        this.set({ of: lag.of }, lag.positions);
        seconds.set({ of: lag.of }, lag.seconds);
      }
    },
  });
};

/** Named anew each time, because generations come and go. */
const watchGenerations = (registers: Registry[], generations: Gauges['generations']): void => {
  const labelNames = ['generation'];
  const serves = new Gauge({
    name: 'osmium_generation_serves',
    help: '1 for the generation of read models that serves, 0 for those that are kept up to date beside it',
    labelNames,
    registers,
  });
  new Gauge({
    name: 'osmium_generation_lag_positions',
    help: 'How far a generation is behind the log, in positions',
    labelNames,
    registers,
    async collect() {
      const found = await generations();
      this.reset();
      serves.reset();
      for (const { name: generation, isServing, positions } of found) {
        this.set({ generation }, positions);
        serves.set({ generation }, Number(isServing));
      }
    },
  });
};

const watchOwn = (registers: Registry[], own: Gauges['own']): void => {
  new Gauge({
    name: 'osmium_own_projection_stopped',
    help: '1 for a projection of your own that has stopped, 0 for one that follows the log',
    labelNames: ['projection'],
    registers,
    async collect() {
      const found = await own();
      this.reset();
      for (const { name: projection, stopped } of found) this.set({ projection }, Number(stopped !== null));
    },
  });
};

/** The log, with its appends counted, once for each stream. */
export const countingAppends = (log: EventLog, count: Metrics['count']): EventLog =>
  watchedAppends(log, ({ events }, appending) => {
    void appending.then(
      () => {
        count('appends', 1);
        count('appended_events', events.length);
      },
      () => undefined,
    );
  });
