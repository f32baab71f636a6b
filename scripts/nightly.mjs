// Repeats the tests whose order is not given, until one fails: node scripts/nightly.mjs [--times 200] [part of a path]
// By default what two nodes tell of presence and typing, which needs MONGO_URL and REDIS_URL. It shows only on a busy
// machine what goes wrong once in many runs. Prints a line for each run, and all of one that fails. Ends with 1 then.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const outputBytesMax = 64 * 1024 * 1024;
const timesMax = 10_000;

const refuse = (problem) => {
  console.error(problem);
  process.exit(2);
};

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '200' } },
  allowPositionals: true,
});
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1 || times > timesMax) refuse(`--times is a number from 1 to ${timesMax}`);
for (const name of ['MONGO_URL', 'REDIS_URL']) {
  if (!process.env[name]) refuse(`${name} is not set, and without it the tests of two nodes are skipped`);
}
const parts = positionals.length > 0 ? positionals : ['system/updates'];

for (let run = 1; run <= times; run += 1) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', ...parts], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: outputBytesMax,
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} run ${run} of ${times} (${seconds} s)`);
  if (status === 0) continue;
  console.log(stdout + stderr);
  process.exit(1);
}
console.log(`${times} runs of ${parts.join(', ')}, and none failed`);
