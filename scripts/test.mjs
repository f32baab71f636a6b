// Runs the compiled tests: node scripts/test.mjs [part of a path ...] [--name=PATTERN] [--table] [--sample]
// Starts from the sources, so that what was compiled from a deleted file is never run, and a missing one is noticed.
import { existsSync, readdirSync } from 'node:fs';
import { spec } from 'node:test/reporters';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tableOf } from './table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** On two cores; files that wait for deadlines leave a third of them idle. */
const filesAtOnce = 3;
const fileMillisMax = 240_000;
/** A file that does not end although its tests have is ended with the run, and the run fails. */
const runMillisMax = 1_080_000;

const compiledSpecs = () =>
  readdirSync(`${root}test`, { recursive: true })
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => `dist/test/${file.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`)
    .sort();

const refuse = (problem) => {
  console.error(problem);
  process.exit(1);
};

/** Files with servers and processes of their own, many of which wait for each other's deadlines. */
const isSlow = (file) => /\/(system|cli)\/|\/eventLog\./.test(file);

/**
 * On the second version of Node a quarter of the files, and an eighth of those with servers and processes of their own, is
 * enough to find what differs there; the others take minutes.
 */
const sampleOf = (files) => {
  const [slow, quick] = [files.filter(isSlow), files.filter((file) => !isSlow(file))];
  return [...quick.filter((_, index) => index % 4 === 0), ...slow.filter((_, index) => index % 8 === 0)];
};

/** Slow files spread evenly over the others, so that the cores have work while they wait. */
const mixed = (files) => {
  const places = (group) => group.map((file, index) => ({ file, place: (index + 0.5) / group.length }));
  const groups = [files.filter(isSlow), files.filter((file) => !isSlow(file))];
  return groups
    .flatMap(places)
    .sort((one, other) => one.place - other.place)
    .map(({ file }) => file);
};

const chosenFiles = (filters) => {
  const specs = mixed(process.argv.includes('--sample') ? sampleOf(compiledSpecs()) : compiledSpecs());
  const files = specs.filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));
  const missing = files.filter((file) => !existsSync(root + file));
  if (missing.length > 0) {
    refuse(`not compiled: ${missing.join(', ')}\nRun npm run build; if that changes nothing, delete dist first.`);
  }
  if (files.length === 0) refuse(`no spec file matches ${filters.join(' or ')}`);
  return files;
};

/** Fails the run when a test failed, when a file holds no test, and when nothing ran that was not skipped. */
const judge = (stream, files, namePattern) => {
  const withoutTests = [];
  let ran = 0;
  const count = (event) => {
    // Node reports a file without tests as one test that has the name of the file.
    if (files.includes(event.name)) withoutTests.push(event.name);
    else if (event.details.type !== 'suite' && event.skip === undefined) ran += 1;
  };
  stream.on('test:pass', count);
  stream.on('test:fail', (event) => {
    if (event.todo !== undefined) return;
    ran += 1;
    process.exitCode = 1;
  });
  stream.on('end', () => {
    if (ran === 0) fail('No test ran.');
    if (namePattern === undefined && withoutTests.length > 0) fail(`No test in ${withoutTests.join(', ')}`);
  });
};

const fail = (problem) => {
  process.exitCode = 1;
  console.error(`\n${problem}`);
};

const namePattern = process.argv.find((argument) => argument.startsWith('--name='))?.slice('--name='.length);
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const files = chosenFiles(filters).map((file) => root + file);

process.chdir(root);
process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, '--enable-source-maps'].filter(Boolean).join(' ');
const stream = run({
  files,
  concurrency: filesAtOnce,
  timeout: fileMillisMax,
  signal: AbortSignal.timeout(runMillisMax),
  ...(namePattern === undefined ? {} : { testNamePatterns: [namePattern] }),
});
judge(stream, files, namePattern);
const table = process.argv.includes('--table') ? tableOf(stream) : undefined;
stream
  .compose(new spec())
  .on('end', () => {
    if (table !== undefined) console.log(`\n${table()}`);
  })
  .pipe(process.stdout);
