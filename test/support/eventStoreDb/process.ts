import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A stand-in in a process of its own, for servers that are processes too. */
export interface StandInProcess {
  readonly connectionString: string;
  /** By SIGTERM; resolves when it is gone. What it kept is gone as well. */
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('main.js', import.meta.url));

export const startStandInProcess = async ({ latencyMillis = 0 } = {}): Promise<StandInProcess> => {
  // It ends with its standard input, thus with this process, however that ends.
  const child = spawn(process.execPath, [program, '0', latencyMillis.toString()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [connectionString] = (await once(createInterface(child.stdout), 'line')) as [string]; // What readline emits.
  return {
    connectionString,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
};
