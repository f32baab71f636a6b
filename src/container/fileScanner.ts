import type { DependencyContainer } from 'tsyringe';
import { missingProgram } from '../adapters/fileScanner/program.js';
import { scanCommand } from '../adapters/fileScanner/scanCommand.js';
import { systemTimers } from '../adapters/system/timers.js';
import { variables, type Config } from '../config.js';
import type { FileScanner } from '../kernel/ports/fileScanner.js';
import { unusable } from '../startFailure.js';
import { of, once, type Get } from './tokens.js';

/** `given` stands in the place of the one that the settings name. */
export const registerFileScanner = (container: DependencyContainer, given: FileScanner | undefined): void => {
  once(container, of.fileScanner, (get) => given ?? made(get));
};

const made = (get: Get): FileScanner | undefined => {
  const { scanCommand: command } = get(of.config);
  if (command === undefined) return undefined;
  return scanCommand({
    command,
    timers: systemTimers,
    done: get(of.metrics).scans,
    failed: (how) => {
      get(of.logger).warn({ how }, 'the scanner did not judge a file, which is refused until it does');
    },
  });
};

/** Throws `BadConfig` when the program is not there: without it no file could be sent. */
export const checkScanner = ({ scanCommand: command }: Pick<Config, 'scanCommand'>): void => {
  if (command === undefined) return;
  const [program] = command;
  const why = missingProgram(program);
  const place = { variable: variables.scanCommand.name, value: command.join(' '), where: program };
  if (why !== undefined) throw unusable(place, new Error(why));
};
