#!/usr/bin/env node
import { resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { objectionTo, type ArgumentSpec } from './admin/arguments.js';
import { verbs } from './admin/registry.js';
import type { CommandSide, StoppedServer, Verb } from './admin/verb.js';
import { configFrom, variables } from './config.js';
import type { openLogReader } from './logs.js';

/** Of a call that makes no sense, as shells have it. */
const badUsageCode = 2;
const defaultUrl = 'ws://127.0.0.1:8080';

const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

const position = (text: string): bigint => BigInt(wholeNumber(text));

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

const backups = async (dataDir: string) => {
  const { backupCommands } = await import('./container/backup/command.js');
  return backupCommands(configFrom({ ...process.env, [variables.dataDir.name]: dataDir }));
};

/** Each loads what it needs when it is called, because most verbs need none of it. */
const sides = (dataDir: string): StoppedServer & CommandSide => ({
  giveUpKeys: async (next) => {
    const { giveUpKeys } = await import('./container/deployment/giveUpKeys.js');
    return giveUpKeys(configFrom(process.env), next);
  },
  copyLog: async (places, call) => {
    const [{ copyBetween }, { openEventLog }] = await Promise.all([
      import('./cli/logCopyCommand.js'),
      import('./logs.js'),
    ]);
    return copyBetween({ ...places, ...call, open: openEventLog });
  },
  takeBackup: async (folder, call) => (await backups(dataDir)).takeBackup(folder, call),
  restoreBackup: async (wish, call) => (await backups(dataDir)).restoreBackup(wish, call),
  sealBackup: async (wish, call) => (await backups(dataDir)).sealBackup(wish, call),
  verifyBackup: async (wish, call) => (await backups(dataDir)).verifyBackup(wish, call),
  build: async (wishes, call) => {
    const { buildGeneration } = await import('./container/generations/build.js');
    return buildGeneration(configFrom(process.env), wishes, call);
  },
  projections: {
    status: async () => (await projectionsAdmin()).status(),
    drop: async (name) => (await projectionsAdmin()).drop(name),
    verify: async (name, call) => (await projectionsAdmin()).verify(name, call),
    switchTo: async (name, call) => (await projectionsAdmin()).switchTo(name, call),
    back: async (call, projection) => (await projectionsAdmin()).back(call, projection),
  },
  readOwn: async (wish, call) => {
    const { readWhileStopped } = await import('./container/own/stoppedReading.js');
    return readWhileStopped(configFrom(process.env), wish, call);
  },
});

const projectionsAdmin = async (): Promise<StoppedServer['projections']> => {
  const { stoppedAdmin } = await import('./container/generations/stoppedAdmin.js');
  return stoppedAdmin(configFrom(process.env));
};

type Given = Readonly<Record<string, unknown>>;

const carryOut = async (verb: Verb, { dataDir, ...given }: Given): Promise<void> => {
  const [{ runVerb }, { connectInFolder }] = await Promise.all([
    import('./cli/verbs.js'),
    import('./container/door/connect.js'),
  ]);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
  const { stdout: output, stderr: errors } = process;
  const folders = foldersOf(verb, given, dataDir);
  process.exitCode = await runVerb({
    ...{ verb, given, folders, output, errors },
    connect: connectInFolder,
    sides: sides(String(dataDir)),
    signal: stopping.signal,
  });
};

const foldersOf = ({ folders }: Verb, given: Given, dataDir: unknown): readonly string[] => {
  if (folders === 'option') return [String(dataDir)];
  return folders === 'environment' ? [configFrom(process.env).dataDir] : folders(given);
};

type Log = ReturnType<typeof openLogReader>;

const withLog = async (dataDir: string, work: (log: Log) => Promise<void> | void): Promise<void> => {
  const { openLogReader } = await import('./logs.js');
  await tellOtherRelease(dataDir);
  const log = openLogReader(dataDir);
  try {
    await work(log);
  } finally {
    await log.close();
  }
};

const tellOtherRelease = async (folder: string): Promise<void> => {
  const [{ otherRelease }, { connectInFolder: connect }, { version }] = await Promise.all([
    import('./cli/release.js'),
    import('./container/door/connect.js'),
    import('./container/version.js'),
  ]);
  const other = await otherRelease({ folder, connect, version });
  if (other !== undefined) console.error(`osmium: ${other}`);
};

const chat = async (options: Chat): Promise<void> => {
  const { chat: begin } = await import('./cli/chat.js');
  await begin({ ...options, input: process.stdin, output: process.stdout });
};

/** `giveUpKeys` is typed as `--give-up-keys`. */
const optionFor = (name: string, spec: ArgumentSpec): Option => {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const flags = { flag, text: `${flag} <${spec.kind === 'text' ? spec.placeholder : ''}>`, number: `${flag} <number>` };
  const option = new Option(flags[spec.kind], spec.says).makeOptionMandatory(spec.required === true);
  return spec.kind === 'flag' ? option : option.argParser((text) => valueOf(spec, text));
};

const valueOf = (spec: ArgumentSpec, text: string): string | number => {
  const value = spec.kind === 'number' ? wholeNumber(text) : spec.kind === 'text' && spec.isPath ? resolve(text) : text;
  const objection = objectionTo(spec, value);
  if (objection !== undefined) throw new InvalidArgumentError(objection);
  return value;
};

const addVerb = (program: Command, verb: Verb): void => {
  const words = verb.name.split(' ');
  const group = words.length < 2 ? program : program.commands.find((command) => command.name() === words[0]);
  if (group === undefined) throw new Error(`there is no group of commands for the verb ${verb.name}`);
  const command = group.command(words.at(-1) ?? verb.name).description(verb.says);
  const specs = Object.entries(verb.arguments);
  const operands = specs.filter(([, spec]) => isOperand(spec));
  for (const [, spec] of operands) command.addArgument(operandFor(spec));
  for (const [name, spec] of specs) if (!isOperand(spec)) command.addOption(optionFor(name, spec));
  if (verb.folders === 'option') command.addOption(dataDirOption());
  command.action(() => {
    const named = operands.map(([name], index) => [name, command.processedArgs[index]] as const);
    return carryOut(verb, { ...command.opts<Given>(), ...Object.fromEntries(named) });
  });
};

const isOperand = (spec: ArgumentSpec): boolean => spec.kind === 'text' && spec.isOperand === true;

const operandFor = (spec: ArgumentSpec): Argument =>
  new Argument(spec.kind === 'text' ? `<${spec.placeholder}>` : '<value>', spec.says).argParser((text) =>
    valueOf(spec, text),
  );

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
  log.command('stats').description('Count what is in the log.').addOption(dataDirOption()).action(stats);
  program
    .command('vault')
    .description('Go on when keys are lost. The server must be stopped; it is configured by the environment, as ever.');
  program
    .command('projections')
    .description('Look after the generations of read models. It is configured by the environment of the server.');
  program.command('bot').description('Make and end bots. The server must be running.');
  program.command('user').description('Look after people. The server must be running.');
  program
    .command('files')
    .description('Count the files in the store, and look for unused ones. The server must be running.');
  for (const verb of verbs) addVerb(program, verb);
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
  'DoorClosed',
  'DoorUnanswered',
  'SocketPathTooLong',
  'SocketInTheWay',
  'OpenToOthers',
  'RestoreCutShort',
  'DanglingLink',
  'BackupRefused',
  'BuildStopped',
  'ModuleFailed',
  'GenerationInUse',
  'GenerationRefused',
  'NewerLayout',
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

// Everything that is made from here on is for its owner alone.
process.umask(0o077);

await commandLine().parseAsync().catch(failed);
