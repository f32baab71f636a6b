import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { answering } from './helper.js';
import type { Look, Memory } from './memory.js';
import type { ProbeCalls } from './memoryProbe.js';

/** The real server, as an operator would run it, in a process of its own. */
export interface ServerUnderTest {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process until it answered that it can serve. */
  readonly readyMillis: number;
  /** The value of a metric; that of all its lines together when it has labels. */
  metric(name: string): Promise<number>;
  /** Only of a server that was started with `probe`. */
  memory(look: Look): Promise<Memory>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export type ServerOptions = {
  readonly dataDir: string;
  /** Where its CPU profile goes; empty for none. */
  readonly profile?: string;
  /** Another build's `main.js`, to be measured in place of this one's. Empty for this one. */
  readonly main?: string;
  /** Whether requests are limited, as they are by default where nothing is measured. Default: off. */
  readonly rateLimits?: 'on' | 'off';
  /** How long it may take until it can serve. Default: `readyMillisMax`. */
  readonly readyWithinMillis?: number;
  /** `memory`: a module is loaded before the server that tells of its memory. Default: none. */
  readonly probe?: 'memory' | 'none';
  /** Variables besides those that every measured server gets. */
  readonly variables?: Readonly<Record<string, string>>;
};

const ownMain = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const memoryProbe = new URL('./memoryProbe.js', import.meta.url).href;
const probes = { none: [], memory: ['--import', memoryProbe] } as const;
const readyMillisMax = 300_000;
const pollMillis = 2;
const stopMillisMax = 8_000;

export const startServer = async ({
  dataDir,
  profile = '',
  main = '',
  rateLimits = 'off',
  readyWithinMillis = readyMillisMax,
  probe = 'none',
  variables = {},
}: ServerOptions): Promise<ServerUnderTest> => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const profiling = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const started = performance.now();
  const child = spawn(process.execPath, [...probes[probe], ...profiling, main === '' ? ownMain : resolve(main)], {
    stdio: ['ignore', 'ignore', 'inherit', probe === 'none' ? 'ignore' : 'ipc'],
    serialization: 'advanced',
    env: {
      ...process.env,
      OSMIUM_HOST: '127.0.0.1',
      OSMIUM_PORT: port.toString(),
      OSMIUM_ADMIN_PORT: adminPort.toString(),
      OSMIUM_DATA_DIR: dataDir,
      OSMIUM_RATE_LIMITS: rateLimits,
      OSMIUM_LOG_LEVEL: 'error',
      ...variables,
    },
  });
  const exited = once(child, 'exit');
  // An interrupted run may end before the server is ready, when nobody else knows of it yet.
  const killChild = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', killChild);
  void exited.then(() => process.off('exit', killChild));
  try {
    await ready(child, port, started + readyWithinMillis);
  } catch (error) {
    killChild();
    throw error;
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(child)) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMillisMax);
    await exited;
    clearTimeout(timer);
  };
  const { call } = answering<ProbeCalls>(child, 'the server');
  return {
    port,
    pid: child.pid ?? 0,
    readyMillis: performance.now() - started,
    metric: (name) => metricOf([adminPort, port], name),
    memory: (look) => call('memory', look),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP server that listens has one of this kind.
  server.close();
  await once(server, 'close');
  return port;
};

const ready = async (child: ChildProcess, port: number, until: number): Promise<void> => {
  while (!(await answers(port))) {
    if (hasEnded(child)) throw new Error('the server has ended before it was ready');
    if (performance.now() > until) throw new Error('the server does not become ready');
    await pause(pollMillis);
  }
};

const answers = async (port: number): Promise<boolean> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port.toString()}/readyz`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
};

/** A server of a former release has its metrics on the port of its clients. */
const metricsAt = async (ports: readonly number[]): Promise<string> => {
  for (const port of ports) {
    const answer = await fetch(`http://127.0.0.1:${port.toString()}/metrics`).catch(() => undefined);
    if (answer?.ok === true) return answer.text();
  }
  throw new Error('the server shows no metrics');
};

const metricOf = async (ports: readonly number[], name: string): Promise<number> => {
  const lines = (await metricsAt(ports)).split('\n').filter((line) => line.startsWith(name));
  const values = lines.filter((line) => /^[ {]/.test(line.slice(name.length)));
  if (values.length === 0) throw new Error(`the server has no metric ${name}`);
  return values.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
};
