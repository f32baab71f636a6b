import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One run of the command line in a process of its own. */
export interface Run {
  type(line: string): void;
  /** Resolves with the first match in what has been printed, errors included. Rejects when it ends without one. */
  prints(pattern: RegExp): Promise<string>;
  stop(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
}

const program = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

export const osmium = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run => {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env['PATH'], ...environment } });
  const printed = { output: '', errors: '' };
  const looking = new Set<() => void>();
  const hear = (name: 'output' | 'errors') => (data: Buffer) => {
    printed[name] += data.toString();
    for (const look of looking) look();
  };
  child.stdout.on('data', hear('output'));
  child.stderr.on('data', hear('errors'));
  // Once all has been read of what it printed.
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...printed }));
  return {
    type: (line) => child.stdin.write(`${line}\n`),
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(printed.output + printed.errors)?.[0];
          if (found === undefined) return;
          looking.delete(look);
          resolve(found);
        };
        looking.add(look);
        look();
        void ended.then(() => {
          reject(new Error(`it ended without ${pattern.source}:\n${printed.output}${printed.errors}`));
        });
      }),
    stop: (signal) => child.kill(signal),
    ended,
  };
};
