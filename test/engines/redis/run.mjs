// A Redis for tests: node test/engines/redis/run.mjs [port]
// Prints its URL when it answers. Keeps nothing, listens on the loopback alone, and ends with whoever started it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';

const startMillisMax = 10_000;
const lookMillis = 250;

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
};

const answers = (port) =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(lookMillis, () => socket.destroy());
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });

const folder = mkdtempSync(join(tmpdir(), 'osmium-redis-'));
const port = Number(process.argv[2] ?? (await freePort()));
const options = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
// Also when this process is killed and cannot see to it any more.
const withParent = spawnSync('setpriv', ['--version']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : [];
const [command, ...parts] = [...withParent, 'redis-server', ...options.map(String)];
const redis = spawn(command, parts, { stdio: ['ignore', 'ignore', 'inherit'] });

const end = (code) => {
  process.exitCode = code;
  if (!redis.kill('SIGKILL')) process.exit();
};
redis.once('error', ({ message }) => {
  console.error(`${message}\nOn Debian: apt-get install redis-server`);
  process.exit(1);
});
redis.once('exit', (code) => process.exit(process.exitCode ?? code ?? 1));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGTERM', () => end(0));
process.once('SIGINT', () => end(0));
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) end(0);
}, lookMillis);

const started = performance.now();
while (!(await answers(port))) {
  if (performance.now() - started > startMillisMax) end(1);
  await wait(20);
}
console.log(`redis://127.0.0.1:${port}`);
console.log(`process ${redis.pid}`);
