// Runs one benchmark: node scripts/bench.mjs NAME [--options]. Without a name it lists them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const names = () =>
  existsSync(`${root}bench`)
    ? readdirSync(`${root}bench`)
        .filter((file) => file.endsWith('.ts'))
        .map((file) => file.replace(/\.ts$/, ''))
        .sort()
    : [];

const [name, ...options] = process.argv.slice(2);
const compiled = `${root}dist/bench/${name}.js`;

if (name === undefined) {
  console.log(['npm run bench -- NAME [--options]', '', ...names().map((known) => `  ${known}`)].join('\n'));
} else if (!names().includes(name) || !existsSync(compiled)) {
  console.error(`no benchmark ${name}; there are ${names().join(', ') || 'none'}`);
  process.exitCode = 1;
} else {
  const node = ['--enable-source-maps', '--expose-gc', compiled];
  process.exitCode = spawnSync(process.execPath, [...node, ...options], { stdio: 'inherit' }).status ?? 1;
}
