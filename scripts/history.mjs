// Lets clients write and read at random, and judges what they were told and read by the guarantees of docs/architecture.md:
// node scripts/history.mjs [--seconds 60] [--clients 20] [--nodes 1|2] [--runs 10] [--seed 1]
// Two nodes need MONGO_URL and REDIS_URL; one of them is killed half-way. Prints a line for each run. Ends with 1 on the
// first one in which a promise was broken, and says which. The next run has the next seed.
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const runsOf = new URL('../dist/test/system/history/runs.js', import.meta.url);
const toldMax = 20;

const refuse = (problem) => {
  console.error(problem);
  process.exit(2);
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const bounds = { seconds: [1, 3_600], clients: [2, 200], nodes: [1, 2], runs: [1, 1_000], seed: [0, 1_000_000] };
const given = Object.fromEntries(
  Object.entries(bounds).map(([name, [least, most]]) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least || number > most) {
      refuse(`--${name} is a whole number from ${least} to ${most}`);
    }
    return [name, number];
  }),
);
const { seconds, clients, nodes, runs } = given;
if (clients % 2 !== 0) refuse('--clients is an even number, because two by two they write to each other');
if (!existsSync(fileURLToPath(runsOf))) refuse('not compiled: run npm run build');
for (const name of nodes === 2 ? ['MONGO_URL', 'REDIS_URL'] : []) {
  if (!process.env[name]) refuse(`${name} is not set, and two nodes need it`);
}

const { onOneNode, onTwoNodes } = await import(runsOf.href);
const during = () => pause((seconds * 1000) / 2);
let isSound = true;
for (let run = 0; run < runs && isSound; run += 1) {
  const seed = given.seed + run;
  const { history, violations } = await (nodes === 2 ? onTwoNodes : onOneNode)({ clients, seed, during });
  const { written, seen, counted, told } = history;
  const counts = `${written.length} writes, ${seen.length + counted.length} reads, ${told.length} updates`;
  console.log(`${violations.length === 0 ? 'ok    ' : 'FAILED'} run ${run + 1} of ${runs}, seed ${seed}: ${counts}`);
  for (const { kind, says } of violations.slice(0, toldMax)) console.log(`  ${kind}: ${says}`);
  if (violations.length > toldMax) console.log(`  and ${violations.length - toldMax} more`);
  isSound = violations.length === 0;
}
process.exit(isSound ? 0 : 1);
