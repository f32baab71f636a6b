import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRedis, type RedisClient } from '../../src/adapters/redis/client.js';
import { systemClock } from '../../src/adapters/system/clock.js';

const url = process.env['REDIS_URL'] ?? '';

/** Runs the tests on the Redis that `REDIS_URL` names; without one, skips them by this name. It may hold other things. */
export const onRedis = (name: string, work: (url: string) => void): void => {
  if (url !== '') {
    work(url);
    after(() => forgetAll(url));
  } else it(name, { skip: 'needs REDIS_URL; `node test/engines/redis/run.mjs` starts a Redis and prints its URL' });
};

export const openTestRedis = (at: string): Promise<RedisClient> => openRedis({ url: at, clock: systemClock });

const prefixes: string[] = [];

/** Runs can be repeated on one Redis, also side by side. */
export const freshPrefix = (): string => {
  const prefix = `test:${randomBytes(6).toString('hex')}:`;
  prefixes.push(prefix);
  return prefix;
};

/** Piece by piece, because it may be somebody else's Redis and hold much more. */
export const keysOf = async ({ commands }: RedisClient, prefix: string): Promise<readonly string[]> => {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const reply = await commands.send('SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
    const [next, keys] = reply as [string, readonly string[]]; // as Redis documents it
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found];
};

export const forget = async (redis: RedisClient, prefix: string): Promise<void> => {
  const keys = await keysOf(redis, prefix);
  if (keys.length > 0) await redis.commands.send('DEL', ...keys);
};

/** All of it would go by itself, but only in ten minutes. */
const forgetAll = async (at: string): Promise<void> => {
  const redis = await openTestRedis(at);
  for (const prefix of prefixes.splice(0)) await forget(redis, prefix);
  await redis.close();
};

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
