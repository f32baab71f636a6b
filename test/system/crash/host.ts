import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/freePort.js';
import { serverProcess, type Cleanup, type ServerProcess } from '../../support/serverProcess.js';

/** One server after the other, on the same folder and port. */
export interface Host {
  readonly url: string;
  readonly dataDir: string;
  /** Resolves when clients can come. */
  start(): Promise<void>;
  /** Begins to start, and does not wait. */
  launch(): void;
  /** With SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** With SIGTERM; resolves with the exit code. */
  stop(): Promise<number | NodeJS.Signals | null>;
  /** What servers logged as errors, over all starts. */
  errors(): readonly string[];
}

export const host = async (t: Cleanup): Promise<Host> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'osmium-crash-'));
  const port = await freePort();
  const outputs: (() => string)[] = [];
  let server: ServerProcess | undefined;
  const running = (): ServerProcess => {
    if (server === undefined) throw new Error('the server was not started');
    return server;
  };
  const launch = (): void => {
    server = serverProcess(t, {
      OSMIUM_DATA_DIR: dataDir,
      OSMIUM_PORT: port.toString(),
      OSMIUM_RATE_LIMITS: 'off',
      OSMIUM_LOG_LEVEL: 'info',
    });
    outputs.push(server.output);
  };
  return {
    url: `ws://127.0.0.1:${port.toString()}/`,
    dataDir,
    launch,
    start: async () => {
      launch();
      await running().ready;
    },
    kill: async () => {
      running().kill('SIGKILL');
      await running().ended;
    },
    stop: () => {
      running().kill('SIGTERM');
      return running().ended;
    },
    errors: () =>
      outputs.flatMap((output) =>
        output()
          .split('\n')
          .filter((line) => line !== '' && isError(line)),
      ),
  };
};

/** In JSON lines of pino 50 is `error`, and whatever is no such line was not meant to be written. */
const isError = (line: string): boolean => !/^\{"level":(?:10|20|30|40),/.test(line);
