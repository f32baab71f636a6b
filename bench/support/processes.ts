import { readFileSync } from 'node:fs';

/** Undefined where the system does not say: only Linux has `/proc`. */
const readProc = (pid: number, file: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid.toString()}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
};

/** Of the clock that the system counts processor time in. */
const ticksPerSecond = 100;

/** Processor time that the process has used, all its threads together. */
export const cpuSeconds = (pid: number): number | undefined => secondsIn(readProc(pid, 'stat'));

/** The same of its main thread alone, which is the one that runs JavaScript. */
export const mainThreadSeconds = (pid: number): number | undefined =>
  secondsIn(readProc(pid, `task/${pid.toString()}/stat`));

const secondsIn = (stat: string | undefined): number | undefined => {
  // The name in the second field may hold blanks; what comes after its bracket does not.
  const fields = stat?.split(') ')[1]?.split(' ');
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

/** Memory that the process holds. */
export const residentBytes = (pid: number): number | undefined => {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
};

/** How often the process has asked the system to write something. */
export const writeCalls = (pid: number): number | undefined => {
  const calls = /^syscw: (\d+)/m.exec(readProc(pid, 'io') ?? '')?.[1];
  return calls === undefined ? undefined : Number(calls);
};

/** Throws when this user's processes may not have so many sockets at once. Node has raised its own bound to that already. */
export const checkOpenFiles = (needed: number): void => {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readProc(process.pid, 'limits') ?? '')?.[1];
  if (hard === undefined || Number(hard) >= needed) return;
  throw new Error(`this needs ${needed.toString()} open files in one process, allowed are ${hard}: see ulimit -Hn`);
};
