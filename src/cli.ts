#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { configFrom, variables } from './config.js';
import type { openLogReader } from './logs.js';
import { logPlace, type LogPlace } from './cli/logPlace.js';

/** Of a call that makes no sense, as shells have it. */
const badUsageCode = 2;
const defaultUrl = 'ws://127.0.0.1:8080';

const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

const position = (text: string): bigint => BigInt(wholeNumber(text));

const place = (text: string): LogPlace => {
  const parsed = logPlace(text);
  if (parsed === undefined) throw new InvalidArgumentError('It must be lmdb:FOLDER, esdb://… or esdb+discover://….');
  return parsed;
};

const socketUrl = (text: string): string => {
  if (!/^wss?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('It must begin with ws:// or wss://.');
  return text;
};

// An empty variable is as good as none, as for the server.
const dataDirOption = (): Option =>
  new Option('--data-dir <folder>', 'the data folder')
    .env(variables.dataDir.name)
    .default(variables.dataDir.default)
    .argParser((text) => (text === '' ? variables.dataDir.default : text));

type DataDir = { readonly dataDir: string };
type Tail = DataDir & {
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly from?: bigint;
  readonly limit?: number;
};
type Chat = { readonly url: string; readonly name: string; readonly tokenFile?: string };

// Each command loads what it needs and no more: a chat has no use for a server.
const tail = async ({ dataDir, follow = false, json = false, ...options }: Tail): Promise<void> => {
  const { tailLog } = await import('./cli/log.js');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  await withLog(dataDir, (log) =>
    tailLog(log, { ...options, follow, json, output: process.stdout, signal: stopping.signal }),
  );
};

const stats = async ({ dataDir }: DataDir): Promise<void> => {
  const { logStats } = await import('./cli/log.js');
  await withLog(dataDir, (log) => {
    for (const line of logStats(log)) console.log(line);
  });
};

type Copy = { readonly from: LogPlace; readonly to: LogPlace };

const copy = async ({ from, to }: Copy): Promise<void> => {
  const [{ copyBetween }, { openEventLog }] = await Promise.all([
    import('./cli/logCopyCommand.js'),
    import('./logs.js'),
  ]);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  const { output, errors } = { output: process.stdout, errors: process.stderr };
  await copyBetween({ from, to, open: openEventLog, output, errors, signal: stopping.signal });
};

/** The server's own variables say where everything is. */
const goOnWith = (next: 'new' | 'keep') => async (): Promise<void> => {
  const { giveUpKeys } = await import('./container/deployment/giveUpKeys.js');
  const deployment = await giveUpKeys(configFrom(process.env), next);
  console.log(`The log goes on with ${next === 'new' ? 'a new vault' : 'this vault'}, as deployment ${deployment}.`);
  console.log('What was sealed before and does not open under its keys reads as erased from now on.');
};

type Log = ReturnType<typeof openLogReader>;

const withLog = async (dataDir: string, work: (log: Log) => Promise<void> | void): Promise<void> => {
  const { openLogReader } = await import('./logs.js');
  const log = openLogReader(dataDir);
  try {
    await work(log);
  } finally {
    await log.close();
  }
};

const chat = async (options: Chat): Promise<void> => {
  const { chat: begin } = await import('./cli/chat.js');
  await begin({ ...options, input: process.stdin, output: process.stdout });
};

const commandLine = (): Command => {
  const program = new Command('osmium')
    .description('A self-hosted server for the Osmium Chat Protocol.')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badUsageCode));
  program
    .command('serve')
    .description('Run the server. It is configured by the environment, see README.md.')
    .action(async () => {
      await import('./main.js');
    });
  program
    .command('chat')
    .description('Chat in the terminal.')
    .option('--url <url>', 'where the server is', socketUrl, defaultUrl)
    .option('--name <name>', 'the name of a new account', 'guest')
    .option('--token-file <file>', 'where to keep the session, to be the same person the next time')
    .action(chat);
  const log = program.command('log').description('Look into the log of a data folder, also while a server runs on it.');
  log
    .command('tail')
    .description('Print the last events, one per line. What is sealed stays sealed.')
    .addOption(dataDirOption())
    .option('--follow', 'go on with those that come')
    .option('--from <position>', 'begin after this position', position)
    .option('--limit <number>', 'how many; default 20, or all from the position', wholeNumber)
    .option('--json', 'one JSON object per line, with metadata')
    .action(tail);
  log
    .command('copy')
    .description(
      'Copy a log, verify the copy, and set its max counts. Goes on where it was stopped. Stop the servers first.',
    )
    .requiredOption('--from <log>', 'lmdb:FOLDER, the data folder, or esdb://…', place)
    .requiredOption('--to <log>', 'the same; it must be empty, or hold a part of this copy', place)
    .action(copy);
  log.command('stats').description('Count what is in the log.').addOption(dataDirOption()).action(stats);
  const vault = program
    .command('vault')
    .description('Go on when keys are lost. The server must be stopped; it is configured by the environment, as ever.');
  vault
    .command('new')
    .description('Go on with a new vault where the one of the log is missing or empty.')
    .requiredOption('--give-up-keys', 'what was sealed under the lost keys can never be read again')
    .action(goOnWith('new'));
  vault
    .command('keep')
    .description('Go on with the vault that is there although it is an older copy, or does not open all of the log.')
    .requiredOption('--give-up-keys', 'what was sealed under other keys can never be read again')
    .action(goOnWith('keep'));
  return program;
};

/** Errors that say all there is to say. Of others the place matters too. */
const plainErrors = new Set([
  'NoLog',
  'FolderInUse',
  'LogUnreachable',
  'OutcomeUnknown',
  'DamagedRecord',
  'CannotConnect',
  'RequestRefused',
  'PlainError',
  'BadConfig',
  'EngineUnavailable',
  'KeysNotGivenUp',
  'DamagedFile',
]);

const failed = (error: unknown): void => {
  console.error(error instanceof Error && plainErrors.has(error.name) ? `osmium: ${error.message}` : error);
  process.exitCode = 1;
};

// The reader of the output may have seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await commandLine().parseAsync().catch(failed);
