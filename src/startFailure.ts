import { BadConfig, variables, type Config } from './config.js';

/** Where a part of the deployment is, and which variable says so. Holds no password. */
export type EnginePlace = {
  readonly variable: string;
  readonly value: string;
  /** The file, the folder, or the address once more. */
  readonly where: string;
};

/** Of what is below the data folder. */
export const folderPlace = ({ dataDir }: Pick<Config, 'dataDir'>, where: string): EnginePlace => ({
  variable: variables.dataDir.name,
  value: dataDir,
  where,
});

/** A failure that a person can mend. The message names the variable, its value and the file at fault. */
export const unusable = ({ variable, value, where }: EnginePlace, why: unknown): BadConfig => {
  const reason = why instanceof Error ? why.message : String(why);
  const named = where === value || reason.includes(where) ? reason : `${where}: ${reason}`;
  return new BadConfig([`${variable}: "${value}" cannot be used: ${named}`], { cause: why });
};

/** Passes on an error that is no fault of the place, such as a bug. */
export const atPlace = async <T>(place: EnginePlace, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const cause = await deepest(error);
    throw isOfPlace(cause) ? unusable(place, cause) : error;
  }
};

/** The reason of a failed commit comes within other errors, and with LMDB as a promise that rejects with it. */
const deepest = async (error: unknown): Promise<unknown> => {
  if (!(error instanceof Error) || error instanceof BadConfig) return error;
  const { commitError } = error as { readonly commitError?: Promise<unknown> }; // The errors of lmdb have no type.
  const within = commitError === undefined ? error.cause : await commitError.catch((cause: unknown) => cause);
  return within instanceof Error ? deepest(within) : error;
};

/** For one line: without a stack, and without the addresses with passwords that drivers put into their messages. */
export const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause !== undefined ? `: ${reasonOf(error.cause)}` : '';
  return `${text.replace(/:\/\/\S*@/g, '://…@')}${cause}`;
};

/** Why a server refuses for good, in the words of who can mend it; undefined when it is not known to. */
export const refusalOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined;
  const { code, message, name } = error as Error & { readonly code?: unknown }; // Compared below.
  const refusal = refusals.find((one) => one.code === code && one.isOfMongo === (name === 'MongoServerError'));
  if (refusal?.of === 'password' || /^(WRONGPASS|NOAUTH|ERR invalid password)/.test(message)) {
    return 'it does not accept the user and the password in the address';
  }
  if (refusal?.of === 'rights' || /^NOPERM|denies the access/.test(message)) {
    return 'the user in the address has not all the rights that are needed, which docs/operating.md lists';
  }
  if (code === 'ENOENT' || /load certificate file/i.test(message)) {
    return 'the file that the address names, such as tlsCAFile, is not there or cannot be read';
  }
  return error.cause === undefined ? undefined : refusalOf(error.cause);
};

const refusals: readonly { readonly code: number; readonly isOfMongo: boolean; readonly of: 'password' | 'rights' }[] =
  [
    // UNAUTHENTICATED and PERMISSION_DENIED of gRPC, AuthenticationFailed and Unauthorized of MongoDB.
    { code: 16, isOfMongo: false, of: 'password' },
    { code: 7, isOfMongo: false, of: 'rights' },
    { code: 18, isOfMongo: true, of: 'password' },
    { code: 13, isOfMongo: true, of: 'rights' },
  ];

const isOfPlace = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof BadConfig) && (fileFaults.has(error.name) || isOfSystem(error));

/** The system's errors have a code, LMDB's a number or none but its own words. */
const isOfSystem = (error: Error): boolean =>
  'code' in error || /^(MDB_|Commit failed|No space left|Permission denied|Input\/output)/.test(error.message);

const fileFaults: ReadonlySet<string> = new Set([
  'NoMasterKey',
  'DamagedFile',
  'DamagedRecord',
  'SocketPathTooLong',
  'SocketInTheWay',
  'OpenToOthers',
  'RestoreCutShort',
  'DanglingLink',
  'GenerationInUse',
  'NewerLayout',
]);
