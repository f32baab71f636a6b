import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRedis, type RedisClient } from '../../src/adapters/redis/client.js';
import { systemClock } from '../../src/adapters/system/clock.js';

const url = process.env['REDIS_URL'] ?? '';

/** Runs the tests on the Redis that `REDIS_URL` names; without one, skips them by this name. */
export const onRedis = (name: string, work: (url: string) => void): void => {
  if (url !== '') work(url);
  else it(name, { skip: 'needs REDIS_URL; `node test/engines/redis/run.mjs` starts a Redis and prints its URL' });
};

export const openTestRedis = (at: string): Promise<RedisClient> => openRedis({ url: at, clock: systemClock });

/** Runs can be repeated on one Redis, also side by side. */
export const freshPrefix = (): string => `test:${randomBytes(6).toString('hex')}:`;

/** A Redis of the test's own, which may be stopped. */
export interface OwnRedis {
  readonly url: string;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Kills it. Nothing of what it had is left. */
  kill(): Promise<void>;
}

export const hasRedisServer = spawnSync('redis-server', ['--version']).status === 0;

/** As seen from dist/test/support. */
const script = fileURLToPath(new URL('../../../test/engines/redis/run.mjs', import.meta.url));

export const startRedis = async (port?: string): Promise<OwnRedis> => {
  const values = [script, ...(port === undefined ? [] : [port])];
  const runner = spawn(process.execPath, values, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface(runner.stdout)) if (lines.push(line) === 2) break;
  const [at = '', pid = ''] = lines;
  return {
    url: at,
    signal: (signal) => process.kill(Number(pid.replace('process ', '')), signal),
    kill: async () => {
      if (runner.exitCode !== null) return;
      const ended = once(runner, 'exit');
      runner.kill();
      await ended;
    },
  };
};
