import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.js';
import { of, type Get } from './tokens.js';

/** JSON lines; readable ones when somebody is looking. */
export const loggerFor = ({ logLevel: level }: Config): Logger =>
  process.stdout.isTTY ? pino({ level }, pretty({ sync: true, ignore: 'pid,hostname' })) : pino({ level });

/** Something that a person has to look at. */
export const alarms =
  (get: Get) =>
  (message: string) =>
  ({ error, position, ...details }: { readonly error: unknown; readonly position?: bigint | undefined }): void => {
    get(of.metrics).count('alarms', 1);
    get(of.logger).error({ err: error, position: position?.toString(), ...details }, message);
  };
