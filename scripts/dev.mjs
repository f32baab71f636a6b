// Generates, compiles on every change and restarts the server with what was compiled. Arguments go to the server.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const tsc = 'node_modules/typescript/bin/tsc';
const settleMillis = 200;

const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;
const children = [];
const keep = (...args) => children.push(spawn(process.execPath, args, { stdio: 'inherit' }));

if (!node('scripts/generate.mjs')) process.exit(1);
// The first compilation is awaited, so that the server does not start on what an earlier run left behind.
if (!node(tsc, '-p', 'tsconfig.json')) console.error('Compiled with errors: the server restarts when they are gone.');
if (!existsSync('dist/src/main.js')) process.exit(1);

keep(tsc, '-p', 'tsconfig.json', '--watch', '--preserveWatchOutput');
keep('--enable-source-maps', '--watch', 'dist/src/main.js', ...process.argv.slice(2));

let pending;
watch('proto', () => {
  clearTimeout(pending);
  pending = setTimeout(() => node('scripts/generate.mjs'), settleMillis);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill('SIGTERM');
    process.exit(0);
  });
}
