import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { modulesMax } from './kernel/ports/projectionModule.js';

/** Everything that can be set from outside. Frozen; read once, at the start. */
export type Config = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Where the operator's port listens. */
  readonly adminHost: string;
  /** 0 takes a free one. Absent: there is none, and the operator's door gives the same. */
  readonly adminPort: number | undefined;
  /** Addresses and networks of proxies that may say for whom they connect. */
  readonly trustedProxies: readonly string[];
  /** Origins of web pages that may connect besides the server's own, as browsers write them; `*` stands for all. */
  readonly origins: readonly string[];
  /** Absolute. Everything embedded lives below it. */
  readonly dataDir: string;
  readonly eventLog: Engine<'lmdb'>;
  readonly documents: Engine<'lmdb'>;
  /** Default: with the documents, in a database of its own. */
  readonly vault: Engine<'lmdb'>;
  readonly pubSub: Engine<'local'>;
  /** Absolute. Absent: a key is made in the data folder. */
  readonly masterKeyFile: string | undefined;
  /** The bytes of files. A `file:` address is a folder that nodes share. */
  readonly blobs: Engine<'files'>;
  /** Bytes of one file. */
  readonly fileBytesMax: number;
  /** Bytes of parts of files that a user may send in a day, to each node. */
  readonly uploadedBytesPerUserAndDay: number;
  /** The program that judges what is uploaded, and its arguments. Absent: everything passes. */
  readonly scanCommand: readonly [program: string, ...args: readonly string[]] | undefined;
  readonly rateLimits: boolean;
  /** Whether the server asks the pages that messages link to what they say of themselves. */
  readonly embeds: boolean;
  /** Connections without a session that one address may have; any number where `rateLimits` is false. */
  readonly signedOutPerAddress: number;
  /** Connections of the process, with a session and without. */
  readonly connectionsMax: number;
  /** Connections of one session and of one user; any number where `rateLimits` is false. */
  readonly connectionsPerSession: number;
  readonly connectionsPerUser: number;
  /** Bytes that may wait for clients to take them, over all and for those of one user. */
  readonly waitingBytesMax: number;
  readonly waitingBytesPerUser: number;
  /** Bytes that were taken in and are not answered yet, over all and of one connection. */
  readonly receivedBytesMax: number;
  readonly receivedBytesPerConnection: number;
  /** Below this, or below 5 % of the disk where that is less, writes are refused; 0 refuses none. */
  readonly freeDiskBytesMin: number;
  /** Bytes of events that a user may have written in a day. */
  readonly writtenBytesPerUserAndDay: number;
  /** Absolute: the files of projections of the operator's own. */
  readonly projectionModules: readonly string[];
  /** The names of those that are given personal fields open. */
  readonly openProjections: readonly string[];
  readonly logLevel: LogLevel;
};

/** A built-in engine, by its name, or a server elsewhere. */
export type Engine<BuiltIn extends string> = BuiltIn | ServerAddress;
/** Its address. Carries a password, so it is for the driver alone: for eyes there is `withoutSecrets`. */
export type ServerAddress = { readonly url: string };
export const isServer = (engine: string | ServerAddress): engine is ServerAddress => typeof engine !== 'string';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

type Variable<T> = {
  readonly name: string;
  /** As in the documentation. */
  readonly default: string;
  readonly meaning: string;
  readonly allowed: string;
  /** From the text in the environment; an empty text is as good as none. */
  readonly schema: z.ZodType<T>;
  /** It may hold a password, so it can be in a file, which the variable with `_FILE` behind its name names. */
  readonly isSecret?: true;
};

export const fileVariableOf = ({ name }: Variable<unknown>): string => `${name}_FILE`;

/**
 * `*`, `null`, or a scheme and a name without a path. An http or https origin must be spelt as browsers spell it, because
 * origins are compared as a whole.
 */
const isOrigin = (text: string): boolean => {
  if (text === '*' || text === 'null') return true;
  if (/^https?:/i.test(text)) return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]+$/.test(text);
};

/** An address, or a network as an address and the number of its leading bits. */
const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const bitsMax = { 4: 32, 6: 128 }[isIP(address)];
  if (bitsMax === undefined || rest.length > 0 || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax);
};

const hostName = z.string().regex(/^[A-Za-z0-9.:_%-]{1,255}$/);

const portNumber = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.number().max(65_535));

const listOf = (isItem: (text: string) => boolean): z.ZodType<readonly string[]> =>
  z
    .string()
    .transform((list) => list.split(',').map((item) => item.trim()))
    .pipe(z.array(z.string().refine(isItem)))
    .default([]);

const listOfAtMost = <T>(itemsMax: number, item: z.ZodType<T, string>): z.ZodType<readonly T[]> =>
  z
    .string()
    .transform((list) => [...new Set(list.split(',').map((text) => text.trim()))])
    .pipe(z.array(item).max(itemsMax))
    .default([]);

const path = z.string().transform((value) => resolve(value));

const engine = <BuiltIn extends string>(builtIn: BuiltIn, address: RegExp): z.ZodType<Engine<BuiltIn>> =>
  z.union([
    z.literal(builtIn),
    z
      .string()
      .regex(address)
      .transform((url) => ({ url })),
  ]);
const wholeNumber = (min: number, max: number): Pick<Variable<number>, 'allowed' | 'schema'> => ({
  allowed: `a whole number from ${min.toString()} to ${max.toString()}`,
  schema: z
    .string()
    .regex(/^\d{1,7}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max)),
});

const mebibyte = 1_048_576;

/** Read as bytes. */
const mebibytes = (min: number, max: number): Pick<Variable<number>, 'allowed' | 'schema'> => {
  const { allowed, schema } = wholeNumber(min, max);
  return { allowed: `${allowed}, in MiB`, schema: schema.transform((count) => count * mebibyte) };
};

const mongo = /^mongodb(\+srv)?:\/\/\S+$/;

/** The variables one by one, before one of them gives another its default. */
type Read = Omit<Config, 'vault'> & { readonly vault: Config['vault'] | undefined };

/** Every variable that the server reads. The table in the README is held to this one by a test. */
export const variables: { readonly [Key in keyof Read]: Variable<Read[Key]> } = {
  host: {
    name: 'OSMIUM_HOST',
    default: '127.0.0.1',
    meaning: 'address to listen on',
    allowed: 'a host name or an IP address',
    schema: hostName,
  },
  port: {
    name: 'OSMIUM_PORT',
    default: '8080',
    meaning: 'WebSocket on / and /api/v1/gateway, files, and /healthz and /readyz without details',
    allowed: 'a whole number from 0 to 65535, where 0 takes a free port',
    schema: portNumber,
  },
  adminHost: {
    name: 'OSMIUM_ADMIN_HOST',
    default: '127.0.0.1',
    meaning: 'address of the operator’s port',
    allowed: 'a host name or an IP address',
    schema: hostName,
  },
  adminPort: {
    name: 'OSMIUM_ADMIN_PORT',
    default: '',
    meaning:
      '/readyz with details and /metrics; without it there is no such port, see osmium status and osmium metrics',
    allowed: 'a whole number from 0 to 65535, where 0 takes a free port',
    schema: portNumber.optional(),
  },
  trustedProxies: {
    name: 'OSMIUM_TRUSTED_PROXIES',
    default: '',
    meaning:
      'proxies that may say for whom they connect, by the PROXY protocol or X-Forwarded-For, separated by commas',
    allowed: 'IP addresses and networks such as 10.0.0.0/8, separated by commas',
    schema: listOf(isNetwork),
  },
  origins: {
    name: 'OSMIUM_ORIGINS',
    default: '',
    meaning: 'web pages that may connect besides those of the server’s own host, separated by commas',
    allowed:
      'origins as browsers write them, separated by commas: https://chat.example (lower case, no path, no usual port), ' +
      'app://name, "null", or "*" for all',
    schema: listOf(isOrigin),
  },
  dataDir: {
    name: 'OSMIUM_DATA_DIR',
    default: './data',
    meaning: 'everything embedded lives below this folder',
    allowed: 'a path',
    schema: path,
  },
  eventLog: {
    name: 'OSMIUM_EVENT_LOG',
    default: 'lmdb',
    meaning: 'where the log is kept',
    allowed: '"lmdb", esdb://… or esdb+discover://…',
    schema: engine('lmdb', /^esdb(\+discover)?:\/\/\S+$/),
    isSecret: true,
  },
  documents: {
    name: 'OSMIUM_DOCUMENTS',
    default: 'lmdb',
    meaning: 'where the read models are kept',
    allowed: '"lmdb", mongodb://… or mongodb+srv://…',
    schema: engine('lmdb', mongo),
    isSecret: true,
  },
  vault: {
    name: 'OSMIUM_VAULT',
    default: '',
    meaning: 'where the keys are kept',
    allowed: '"lmdb", mongodb://… or mongodb+srv://…',
    schema: engine('lmdb', mongo).optional(),
    isSecret: true,
  },
  pubSub: {
    name: 'OSMIUM_PUBSUB',
    default: 'local',
    meaning: 'what carries typing, presence and limits between nodes',
    allowed: '"local", redis://… or rediss://…',
    schema: engine('local', /^rediss?:\/\/\S+$/),
    isSecret: true,
  },
  masterKeyFile: {
    name: 'OSMIUM_MASTER_KEY_FILE',
    default: '',
    meaning: 'wraps the keys of the vault; without it a key is made in the data folder, mode 0600',
    allowed: 'a path',
    schema: path.optional(),
  },
  blobs: {
    name: 'OSMIUM_BLOBS',
    default: 'files',
    meaning: 'where the bytes of files are kept, sealed: below the data folder, in a folder that nodes share, or in S3',
    allowed: '"files", file:///… or s3://BUCKET?endpoint=…',
    schema: engine('files', /^(file:\/\/\/|s3:\/\/)\S+$/),
    isSecret: true,
  },
  fileBytesMax: {
    name: 'OSMIUM_FILE_MIB',
    default: '100',
    meaning: 'MiB of one file',
    ...mebibytes(1, 4_096),
  },
  uploadedBytesPerUserAndDay: {
    name: 'OSMIUM_UPLOADED_PER_USER_MIB',
    default: '4096',
    meaning: 'MiB of files that one user may upload in a day; a part counts as 4 KiB at least',
    ...mebibytes(1, 9_999_999),
  },
  scanCommand: {
    name: 'OSMIUM_SCAN_COMMAND',
    default: '',
    meaning: 'a program that judges the bytes of each file by its exit code: 0 lets it pass, 1 refuses it',
    allowed: 'a program, by its absolute path or by a name that PATH finds, and its arguments, separated by blanks',
    schema: z
      .string()
      .trim()
      .regex(/^(\/|[^\s/]+(\s|$))/)
      .transform((text): Config['scanCommand'] => {
        const [program = '', ...args] = text.split(/\s+/);
        return [program, ...args];
      })
      .optional(),
  },
  rateLimits: {
    name: 'OSMIUM_RATE_LIMITS',
    default: 'on',
    meaning:
      '"off" switches the limits on requests and on connections off, for load tests; bounds on memory and disk stay',
    allowed: '"on" or "off"',
    schema: z.enum(['on', 'off']).transform((value) => value === 'on'),
  },
  embeds: {
    name: 'OSMIUM_EMBEDS',
    default: 'on',
    meaning: '"off" for sealed servers: no link is followed, and so there are no previews of links',
    allowed: '"on" or "off"',
    schema: z.enum(['on', 'off']).transform((value) => value === 'on'),
  },
  signedOutPerAddress: {
    name: 'OSMIUM_SIGNED_OUT_PER_ADDRESS',
    default: '1000',
    meaning: 'connections without a session that one address, or one /64 of IPv6 addresses, may have',
    ...wholeNumber(1, 50_000),
  },
  connectionsMax: {
    name: 'OSMIUM_CONNECTIONS',
    default: '50000',
    meaning: 'connections of the process',
    ...wholeNumber(1, 1_000_000),
  },
  connectionsPerSession: {
    name: 'OSMIUM_CONNECTIONS_PER_SESSION',
    default: '8',
    meaning: 'connections of one session',
    ...wholeNumber(1, 1_000_000),
  },
  connectionsPerUser: {
    name: 'OSMIUM_CONNECTIONS_PER_USER',
    default: '50',
    meaning: 'connections of one user',
    ...wholeNumber(1, 1_000_000),
  },
  waitingBytesMax: {
    name: 'OSMIUM_WAITING_MIB',
    default: '128',
    meaning: 'MiB that may wait for all clients that read slowly',
    ...mebibytes(1, 1_000_000),
  },
  waitingBytesPerUser: {
    name: 'OSMIUM_WAITING_PER_USER_MIB',
    default: '16',
    meaning: 'MiB that may wait for the clients of one user',
    ...mebibytes(1, 1_000_000),
  },
  receivedBytesMax: {
    name: 'OSMIUM_RECEIVED_MIB',
    default: '64',
    meaning: 'MiB of requests of all clients that have come and are not answered yet',
    ...mebibytes(2, 1_000_000),
  },
  receivedBytesPerConnection: {
    name: 'OSMIUM_RECEIVED_PER_CONNECTION_MIB',
    default: '4',
    meaning: 'MiB of requests of one connection that have come and are not answered yet',
    ...mebibytes(2, 1_000_000),
  },
  freeDiskBytesMin: {
    name: 'OSMIUM_FREE_DISK_MIB',
    default: '1024',
    meaning: 'MiB of the disk that stay free, or 5 % of it where that is less',
    ...mebibytes(0, 9_999_999),
  },
  writtenBytesPerUserAndDay: {
    name: 'OSMIUM_WRITTEN_PER_USER_MIB',
    default: '1024',
    meaning: 'MiB of events that one user may write in a day',
    ...mebibytes(1, 9_999_999),
  },
  projectionModules: {
    name: 'OSMIUM_PROJECTIONS',
    default: '',
    meaning: 'files with projections of your own, separated by commas, see docs/projections.md',
    allowed: `paths of modules, separated by commas, ${modulesMax.toString()} at most`,
    schema: listOfAtMost(
      modulesMax,
      z
        .string()
        .min(1)
        .transform((value) => resolve(value)),
    ),
  },
  openProjections: {
    name: 'OSMIUM_PROJECTIONS_OPEN',
    default: '',
    meaning: 'names of those that are given personal content open, separated by commas; their documents are sealed',
    allowed: 'names of projections of your own, separated by commas',
    schema: listOfAtMost(modulesMax, z.string().regex(/^[a-z][A-Za-z0-9]*$/)),
  },
  logLevel: {
    name: 'OSMIUM_LOG_LEVEL',
    default: 'info',
    meaning: 'JSON lines; readable ones when standard output is a terminal',
    allowed: logLevels.map((level) => `"${level}"`).join(', '),
    schema: z.enum(logLevels),
  },
};

/** One line for each bad value, or values that do not go together: its variable, the value, and what is allowed. */
export class BadConfig extends Error {
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.name = 'BadConfig';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `BadConfig`. */
export const configFrom = (environment: Environment): Config => {
  const problems: string[] = [];
  const read = Object.entries(variables).map(([key, variable]) => {
    const text = textOf(variable, environment, problems);
    if (text === undefined) return [key, undefined] as const;
    const given = text === '' ? variable.default : text;
    const parsed = variable.schema.safeParse(given === '' ? undefined : given);
    if (!parsed.success) problems.push(problemOf(variable, shownOf(variable, given, environment)));
    return [key, parsed.data] as const;
  });
  if (problems.length > 0) throw new BadConfig(problems);
  // Every key of the table was read with the schema of its own value.
  const values = Object.fromEntries(read) as Read;
  const config: Config = { ...values, vault: values.vault ?? values.documents };
  const contradictions = contradictionsIn(config);
  if (contradictions.length > 0) throw new BadConfig(contradictions);
  return Object.freeze(config);
};

/** Empty when it is not set; undefined with a problem when its file is none. */
const textOf = (variable: Variable<unknown>, environment: Environment, problems: string[]): string | undefined => {
  const text = environment[variable.name] ?? '';
  const fileName = fileVariableOf(variable);
  const file = variable.isSecret === undefined ? '' : (environment[fileName] ?? '');
  if (file === '') return text;
  if (text !== '') {
    problems.push(`${fileName}: "${file}" is not allowed beside ${variable.name}; allowed is one of the two`);
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`${fileName}: "${file}" cannot be read (${why}); allowed is a file that holds ${variable.allowed}`);
    return undefined;
  }
};

/** Whether other nodes can work on the same log and the same read models. */
export const isShared = ({ eventLog, documents }: Config): boolean => isServer(eventLog) && isServer(documents);

/** Settings that would lose something for good, if not at once then with the second node. */
const contradictionsIn = (config: Config): readonly string[] => {
  const { eventLog, documents, vault, masterKeyFile, blobs } = variables;
  const problems: string[] = [];
  if (isShared(config) && !isServer(config.vault)) {
    problems.push(
      `${vault.name}: "lmdb" would give each node keys of its own, while ${eventLog.name} and ${documents.name} are ` +
        'shared: nobody could read what another node has sealed; allowed is mongodb://… or mongodb+srv://…',
    );
  }
  if (isServer(config.vault) && config.masterKeyFile === undefined) {
    problems.push(
      `${masterKeyFile.name}: is needed when the vault is on a server (${vault.name}, or else ${documents.name}): ` +
        'all nodes must have the same key; allowed is the path of a file with 32 random bytes',
    );
  }
  if (isServer(config.documents) && !isServer(config.blobs)) {
    problems.push(
      `${blobs.name}: "files" would keep the files of each node to itself, while ${documents.name} is shared: allowed ` +
        'is file:///… with the path of a folder that all nodes share, or s3://BUCKET?endpoint=…',
    );
  }
  return problems;
};

/** Settings that may be intended, but only by an operator who knows their limits. */
export const warningsOf = (config: Config): readonly string[] => {
  const { eventLog, documents, pubSub } = variables;
  const warnings: string[] = [];
  if (isServer(config.eventLog) && !isServer(config.documents)) {
    warnings.push(
      `${eventLog.name} is a server and ${documents.name} is not: this must be the only node on that log, because ` +
        'numbers of nodes are shared out where the documents are',
    );
  }
  if (isShared(config) && !isServer(config.pubSub)) {
    warnings.push(
      `${pubSub.name} is "local": who is online and who is typing is not told to other nodes, and each node limits ` +
        'requests by itself',
    );
  }
  return [...warnings, ...openWarningsOf(config)];
};

/** Where others on the network may listen, or ask. */
const openWarningsOf = (config: Config): readonly string[] => {
  const { host, adminHost, trustedProxies } = variables;
  const warnings: string[] = [];
  if (!isLoopback(config.host) && config.trustedProxies.length === 0) {
    warnings.push(
      `${host.name} is not this machine alone and ${trustedProxies.name} is empty: clients come without TLS, unless a ` +
        'proxy in front ends it',
    );
  }
  if (config.adminPort !== undefined && !isLoopback(config.adminHost)) {
    warnings.push(`${adminHost.name} is not this machine alone: others can read the metrics, without password or TLS`);
  }
  for (const key of ['eventLog', 'documents', 'vault', 'pubSub', 'blobs'] as const) {
    const engine = config[key];
    // A vault that follows the documents is told with them.
    if (!isServer(engine) || (key === 'vault' && engine === config.documents)) continue;
    const { name } = variables[key];
    if (isPlain(engine)) warnings.push(`${name} is reached over the network without TLS`);
    else if (isUnchecked(engine)) {
      warnings.push(`${name} is reached by TLS that checks no certificate: others can pass for the server`);
    }
  }
  return warnings;
};

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|\[?::1\]?)$/i.test(host);

/** Whether no option and no scheme of the address asks for TLS, and some host of it is another machine. */
const isPlain = ({ url }: ServerAddress): boolean => {
  const { scheme, hosts, options } = reachedBy(url);
  const asked = options.get('tls') ?? options.get('ssl');
  // The drivers' defaults.
  const isEncrypted = asked === undefined ? !plainSchemes.has(scheme) : asked === 'true';
  return !isEncrypted && !hosts.every(isLoopback);
};

const plainSchemes: ReadonlySet<string> = new Set(['redis', 'mongodb', 'http']);

/** Whether an option of the address has the driver take any certificate. That of EventStoreDB has no such option. */
const isUnchecked = ({ url }: ServerAddress): boolean => {
  const { options } = reachedBy(url);
  return ['tlsinsecure', 'tlsallowinvalidcertificates', 'tlsallowinvalidhostnames'].some(
    (name) => options.get(name) === 'true',
  );
};

/** `options` by their names in lower case, as the drivers take them. A bucket is reached at its endpoint, a folder at no host. */
const reachedBy = (
  url: string,
): { readonly scheme: string; readonly hosts: readonly string[]; readonly options: ReadonlyMap<string, string> } => {
  const [, scheme = '', rest = ''] = /^([\w+]+):\/\/(.*)$/s.exec(url) ?? [];
  const query = /\?(.*)$/s.exec(rest)?.[1] ?? '';
  const options = new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]));
  if (scheme === 's3') return reachedBy(options.get('endpoint') ?? 'https://');
  const hosts = rest
    .replace(/^.*@/s, '')
    .replace(/[/?].*$/s, '')
    .split(',')
    .map((host) => host.replace(/:\d+$/, ''));
  return { scheme, hosts, options };
};

/** Variables with our prefix that nothing reads: probably misspelt. */
export const unknownVariables = (environment: Environment): readonly string[] => {
  const known = new Set(
    Object.values<Variable<unknown>>(variables).flatMap((variable) =>
      variable.isSecret === undefined ? [variable.name] : [variable.name, fileVariableOf(variable)],
    ),
  );
  return Object.keys(environment).filter((name) => name.startsWith('OSMIUM_') && !known.has(name));
};

const problemOf = ({ name, allowed }: Variable<unknown>, shown: string): string =>
  `${name}: "${shown}" is not allowed; allowed is ${allowed}`;

/** Where an address is meant, what is none may be the password alone, or an address without its beginning. */
const shownOf = (variable: Variable<unknown>, given: string, environment: Environment): string => {
  if (variable.isSecret === undefined || given.includes('://')) return withoutSecrets(given);
  const isFromFile = (environment[fileVariableOf(variable)] ?? '') !== '';
  return isFromFile ? '…' : withoutSecrets(given.replace(/^.*@/s, '…@'));
};

/**
 * A text that may be an address, for messages and logs, without user and password, and without options, some of which
 * are secrets as well. All before the last @ goes, because a password may hold any sign that somebody forgot to write
 * as a code.
 */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/:\/\/.*@/s, '://…@')
    .replace(/(:\/\/[^?]*)\?.*$/s, '$1?…')
    .slice(0, shownUnitsMax);
const shownUnitsMax = 200;
