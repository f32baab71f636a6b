// Kills a server in the middle of what two clients send, again and again: node scripts/crash.mjs [--rounds 50] [--messages 1000]
// Prints a line for each round. Ends with 1 on the first thing that is not as it must be, and keeps the data folder then.
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const roundsOf = new URL('../dist/test/system/crash/rounds.js', import.meta.url);

const numberOf = (name, text) => {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name}: "${text}" is no number of them`);
  process.exit(2);
};

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, messages: { type: 'string', default: '1000' } },
});
const rounds = numberOf('rounds', values.rounds);
const messages = 2 * Math.ceil(numberOf('messages', values.messages) / 2);
if (!existsSync(fileURLToPath(roundsOf))) {
  console.error('not compiled: run npm run build');
  process.exit(2);
}

const { crashRounds } = await import(roundsOf.href);
const cleanups = [];
let dataDir;
let failure;
const cleanUp = async () => {
  for (const work of cleanups.splice(0).reverse()) await work();
};
try {
  await crashRounds(
    { after: (work) => cleanups.push(work) },
    (folder) => {
      dataDir = folder;
    },
    { rounds, messages, say: (line) => console.log(line) },
  );
} catch (error) {
  failure = error;
}
await cleanUp();
if (failure === undefined) {
  rmSync(dataDir, { recursive: true, force: true });
  console.log(`${rounds} rounds, ${rounds * messages} messages, nothing lost, nothing twice, nothing out of order`);
} else {
  console.error(failure.name === 'Violation' ? `VIOLATION: ${failure.message}` : failure);
  console.error(`the data folder is kept: ${dataDir}`);
  process.exitCode = 1;
}
