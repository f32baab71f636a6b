import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.js';
import { of, type Get } from './tokens.js';

/** JSON lines; readable ones when somebody is looking. */
export const loggerFor = (
  { logLevel: level }: Pick<Config, 'logLevel'>,
  to: DestinationStream = standardOutput(),
): Logger => pino({ level, serializers: { err: toldOf } }, to);

const standardOutput = (): DestinationStream =>
  process.stdout.isTTY ? pretty({ sync: true, ignore: 'pid,hostname' }) : pino.destination(1);

/**
 * Drivers attach their input to an error: the documents of a write, the arguments of a command. Personal data must not
 * stay in lines that nobody erases, so a line has nothing but the failure and its place.
 */
const toldOf = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  return 'code' in error ? { type, message, stack, code: error.code } : { type, message, stack };
};

/** Something that a person has to look at. */
export const alarms =
  (get: Get) =>
  (message: string) =>
  ({ error, position, ...details }: AlarmDetails): void => {
    get(of.metrics).count('alarms', 1);
    get(of.logger).error({ err: error, position: position?.toString(), ...details }, message);
  };

type AlarmDetails = {
  readonly error: unknown;
  readonly position?: bigint | undefined;
  readonly projection?: string;
  readonly generation?: string;
  readonly what?: string;
};
