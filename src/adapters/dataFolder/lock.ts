import { createHash, randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from './makeFolder.js';

/** Another process works on the folder. */
export class FolderInUse extends Error {
  constructor(folder: string, pid: string) {
    super(`the data folder ${folder} is in use by process ${pid}: stop that one first, or choose another folder`);
    this.name = 'FolderInUse';
  }
}

export interface FolderLock {
  release(): Promise<void>;
}

/** The system takes no longer names for a socket. */
const socketPathBytesMax = 100;

/** A process that holds the lock says its number at once, unless it is very busy. */
const answerMillisMax = 2_000;
const attemptsMax = 5;

/**
 * Makes the folder if need be and takes it for this process alone. Throws `FolderInUse`.
 *
 * The lock is a socket on which the holder listens: the operating system ends that with the process, however it dies,
 * so a socket that nobody answers on was left behind and is taken away. That also holds between containers which share
 * the folder, where process numbers mean nothing.
 */
export const lockFolder = async (folder: string): Promise<FolderLock> => {
  makeFolder(folder);
  const path = socketPath(realpathSync(folder));
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const server = await listenOn(path);
    if (server !== undefined) return { release: () => close(server) };
    const holder = await holderOf(path);
    if (holder !== undefined) throw new FolderInUse(folder, holder);
    await takeAway(path);
  }
  throw new FolderInUse(folder, 'unknown');
};

const socketPath = (folder: string): string => {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\osmium-${hash}`;
  const inside = join(folder, 'lock');
  return Buffer.byteLength(inside) <= socketPathBytesMax ? inside : join(tmpdir(), `osmium-${hash}.lock`);
};

/** `undefined` when there is such a socket already. */
const listenOn = (path: string): Promise<Server | undefined> =>
  new Promise((resolve, fail) => {
    const server = createServer((asking) => {
      asking.on('error', () => undefined);
      asking.end(process.pid.toString());
    });
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else fail(error);
    });
    server.listen({ path, readableAll: true, writableAll: true }, () => {
      resolve(server);
    });
  });

/** The number of the process that holds the lock; `undefined` when nobody does. */
const holderOf = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    let answer = '';
    let connected = false;
    const socket = connect(path, () => {
      connected = true;
    });
    socket.setTimeout(answerMillisMax, () => {
      socket.destroy();
    });
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(connected ? answer || 'unknown' : undefined);
    });
  });

/**
 * Another process may be doing the same, and may have listened anew meanwhile. So the socket is moved to a name of its
 * own, asked once more there, and put back if its process is alive.
 */
const takeAway = async (path: string): Promise<void> => {
  const aside = `${path}.${randomUUID().slice(0, 8)}`;
  try {
    renameSync(path, aside);
  } catch {
    // It has gone by itself.
    return;
  }
  if ((await holderOf(aside)) === undefined) rmSync(aside, { force: true });
  else renameSync(aside, path);
};

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
