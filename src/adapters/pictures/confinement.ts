import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pictureMemoryBytesMax } from '../../kernel/ports/pictures.js';

/** How a process is started that may do little; `level` says what it may not. */
export type Launch = {
  readonly level: 'no network' | 'limited' | 'bare';
  readonly command: string;
  readonly args: readonly string[];
};

/** Of the heap of its JavaScript, in MiB; a picture is outside of it. */
const heapMebibytesMax = 64;

/** Holds where the memory is not looked at often enough. Memory that a program only sets aside counts too, and V8 sets aside much, so it is more. */
const dataBytesMax = 4 * pictureMemoryBytesMax;

const unshare = '/usr/bin/unshare';
const prlimit = '/usr/bin/prlimit';

/**
 * The ways to start the program, the strictest first. All of them leave it no environment, let it read its own files and no other, write
 * none, and start nothing. Where Linux and its tools allow, its memory is limited by the system as well, and it has no network.
 */
export const launches = (): readonly Launch[] => {
  const node = [process.execPath, ...nodeArguments(), program];
  const limits = [prlimit, '--core=0', '--fsize=0', `--data=${dataBytesMax.toString()}`];
  const alone = [unshare, '--user', '--map-current-user', '--net', '--'];
  const hasTools = existsSync(prlimit) && existsSync(unshare);
  return [
    ...(hasTools ? [launch('no network', [...alone, ...limits, ...node])] : []),
    ...(hasTools ? [launch('limited', [...limits, ...node])] : []),
    launch('bare', node),
  ];
};

const launch = (level: Launch['level'], [command = '', ...args]: readonly string[]): Launch => ({
  level,
  command,
  args,
});

const program = fileURLToPath(new URL('./sharpChild.js', import.meta.url));
const ownFolder = fileURLToPath(new URL('../../', import.meta.url));

/** Node 22 and older call it experimental. */
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

const nodeArguments = (): readonly string[] => {
  const packages = [import.meta.resolve('sharp'), import.meta.resolve('thumbhash')].map(packagesFolder);
  const readable = new Set([ownFolder, ...packages]);
  return [
    `--max-old-space-size=${heapMebibytesMax.toString()}`,
    permission,
    '--allow-addons',
    '--no-warnings',
    ...Array.from(readable, (folder) => `--allow-fs-read=${folder}`),
  ];
};

/** The outermost folder of packages, since one of them may be a link to another place in it. */
const packagesFolder = (url: string): string => {
  const path = fileURLToPath(url);
  return path.slice(0, path.indexOf('node_modules') + 'node_modules/'.length);
};
