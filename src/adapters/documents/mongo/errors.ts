import type { MongoError, MongoErrorLabel } from 'mongodb';
import { loadedDriver } from '../../mongo/driver.js';
import { WrittenMeanwhile } from './rounds.js';

/**
 * Whether the same call may succeed later: the server is away, has no primary, did not answer or did not reach a
 * majority in time, or somebody else was writing. Any other error would come again.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof WrittenMeanwhile) return true;
  const driver = loadedDriver();
  if (driver === undefined || !(error instanceof driver.MongoError)) return false;
  if (error instanceof driver.MongoNetworkError || error instanceof driver.MongoSystemError) return true;
  // A bulk write wraps every error; only an error from a server has a code.
  if (error instanceof driver.MongoBulkWriteError && error.code === undefined) return true;
  if (hasPassingLabel(error, driver.MongoErrorLabel) || poolErrors.has(error.name)) return true;
  return error instanceof driver.MongoServerError && typeof error.code === 'number' && passingCodes.has(error.code);
};

const hasPassingLabel = (error: MongoError, labels: typeof MongoErrorLabel): boolean =>
  [
    labels.RetryableWriteError,
    labels.TransientTransactionError,
    labels.UnknownTransactionCommitResult,
    // From 8.1 on, of a server that has too much to do.
    labels.RetryableError,
  ].some((label) => error.hasErrorLabel(label));

/** Of the connection pool. The driver does not export all of their classes. */
const poolErrors: ReadonlySet<string> = new Set([
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
]);

/** Names and numbers are the server's. */
const passing = {
  HostUnreachable: 6,
  HostNotFound: 7,
  CursorNotFound: 43,
  MaxTimeMSExpired: 50,
  WriteConcernFailed: 64,
  NetworkTimeout: 89,
  ShutdownInProgress: 91,
  WriteConflict: 112,
  FailedToSatisfyReadPreference: 133,
  ReadConcernMajorityNotAvailableYet: 134,
  PrimarySteppedDown: 189,
  NoSuchTransaction: 251,
  ExceededTimeLimit: 262,
  SocketException: 9_001,
  NotWritablePrimary: 10_107,
  DuplicateKey: 11_000,
  InterruptedAtShutdown: 11_600,
  InterruptedDueToReplStateChange: 11_602,
  NotPrimaryNoSecondaryOk: 13_435,
  NotPrimaryOrSecondary: 13_436,
} as const;
const passingCodes: ReadonlySet<number> = new Set(Object.values(passing));
