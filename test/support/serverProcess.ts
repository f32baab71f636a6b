import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portsIn } from './operatorPorts.js';
import { removeFolder } from './removeFolder.js';

/** What is to be done in the end: a test's context is one. */
export type Cleanup = { readonly after: (work: () => void | Promise<void>) => void };

/** A server in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  /** Where clients connect, once they can. Rejects when the process ends before that. */
  readonly ready: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** All that it has written so far. */
  output(this: void): string;
  /** What of it went to standard error: nothing does on a server that is well. */
  errors(this: void): string;
  kill(this: void, signal: NodeJS.Signals): void;
}

type Environment = Readonly<Record<string, string>>;

const main = new URL('../../src/main.js', import.meta.url);
const root = new URL('../../../', import.meta.url);

const surroundings = (environment: Environment): Environment => ({
  PATH: process.env['PATH'] ?? '',
  OSMIUM_PORT: '0',
  OSMIUM_ADMIN_PORT: '0',
  // No test opens a connection to the outside.
  OSMIUM_EMBEDS: 'off',
  ...environment,
});

/** Ends with the test, in one way or another. `by`: a program, with its words, that starts it as somebody else. */
export const serverProcess = (t: Cleanup, environment: Environment, by: readonly string[] = []): ServerProcess => {
  const [program, ...words] = by;
  if (program === undefined) return watched(t, fork(main, { env: surroundings(environment), silent: true }));
  const node = [...words, process.execPath, fileURLToPath(main)];
  return watched(t, spawn(program, node, { env: surroundings(environment) }));
};

/** The same, started as `npm start` does it: a signal reaches the shell in between. What is built is not built again. */
export const startedByScript = (t: Cleanup, environment: Environment): ServerProcess => {
  // package.json has what npm wants in it.
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: Environment };
  const command = scripts['start']?.replace('npm run build', 'true') ?? '';
  // In a group of its own, so that nothing is left of it when the shell alone has ended.
  const child = spawn('sh', ['-c', command], { cwd: root, env: surroundings(environment), detached: true });
  t.after(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  });
  return watched(t, child);
};

const watched = (t: Cleanup, child: ChildProcess): ServerProcess => {
  let output = '';
  let errors = '';
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    // After both pipes have been read to their ends.
    child.on('close', (code, signal) => {
      resolve(code ?? signal);
    });
  });
  const ready = new Promise<string>((resolve, fail) => {
    const hear = (data: Buffer): void => {
      output += data.toString();
      const port = portsIn(output);
      if (port !== undefined) resolve(`ws://127.0.0.1:${port.toString()}/`);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', (data: Buffer) => {
      errors += data.toString();
      hear(data);
    });
    void ended.then(() => {
      fail(new Error(`the server ended: ${output}`));
    });
  });
  ready.catch(() => undefined);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    output: () => output,
    errors: () => errors,
    kill: (signal) => {
      child.kill(signal);
    },
  };
};

/** A folder that goes with the test. */
export const folderFor = (t: Cleanup): string => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-process-'));
  t.after(() => {
    removeFolder(folder);
  });
  return folder;
};
