import { PassThrough } from 'node:stream';
import type { Verb } from '../../src/admin/verb.js';
import { backup, restore } from '../../src/admin/verbs/backup.js';
import { runVerb } from '../../src/cli/verbs.js';
import { configFrom, type Environment } from '../../src/config.js';
import { backupCommands } from '../../src/container/backup/command.js';
import { connectInFolder } from '../../src/container/door/connect.js';

/** What a command printed, and how it ended. */
export type Ended = { readonly code: number; readonly output: string; readonly errors: string };

/** `folder` is the backup. */
type Given = { readonly folder: string; readonly key?: string; readonly [flag: string]: unknown };

/** The commands, in this process, for a data folder on which a server may run. */
export const backUp = (dataDir: string, given: Given, environment?: Environment): Promise<Ended> =>
  run(backup, { dataDir, given, environment });

export const putBack = (dataDir: string, given: Given, environment?: Environment): Promise<Ended> =>
  run(restore, { dataDir, given, environment });

type At = { readonly dataDir: string; readonly given: Given; readonly environment: Environment | undefined };

const run = async (verb: Verb, { dataDir, given, environment = {} }: At): Promise<Ended> => {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const nothing = (): Promise<never> => Promise.reject(new Error('no part of a backup'));
  const projections = { status: nothing, drop: nothing, verify: nothing, switchTo: nothing, back: nothing };
  const commands = backupCommands(configFrom({ ...environment, OSMIUM_DATA_DIR: dataDir }));
  const ended = (code: number): Ended => ({ code, output: textIn(output), errors: textIn(errors) });
  try {
    const code = await runVerb({
      ...{ verb, given, output, errors, folders: [dataDir], connect: connectInFolder },
      sides: {
        ...commands,
        ...{ giveUpKeys: nothing, copyLog: nothing, build: nothing, readOwn: nothing },
        projections,
      },
      signal: new AbortController().signal,
    });
    return ended(code);
  } catch (error) {
    errors.write(error instanceof Error ? error.message : String(error));
    return ended(1);
  }
};

const textIn = (stream: PassThrough): string => String(stream.read() ?? '');
