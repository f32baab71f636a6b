import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, Socket } from 'node:net';
import { connectTo, folderSocket, listenOn, SocketInTheWay, type FolderSocket } from './folderSocket.js';
import { makeFolder } from './makeFolder.js';
import { closeToOthers, dataFolderNames } from './modes.js';

/** Another process works on the folder. */
export class FolderInUse extends Error {
  /** The number of the process, or `unknown`. */
  readonly pid: string;

  constructor(folder: string, pid: string) {
    super(`the data folder ${folder} is in use by process ${pid}: stop that one first, or choose another folder`);
    this.name = 'FolderInUse';
    this.pid = pid;
  }
}

/** The folder holds a part of a backup, and nothing may take it for the whole. */
export class RestoreCutShort extends Error {
  constructor(folder: string) {
    super(`a restore into ${folder} was cut short: empty the folder, and restore again`);
    this.name = 'RestoreCutShort';
  }
}

/** Below the data folder, a socket. */
export const lockName = 'lock';

export interface FolderLock {
  release(): Promise<void>;
}

/** A process that holds the lock says its number at once, unless it is very busy. */
const answerMillisMax = 2_000;
/** Of the number of a process. */
const answerBytesMax = 20;
const attemptsMax = 5;

/**
 * Makes the folder if need be, takes it for this process alone, and closes it to other users. Throws `FolderInUse`,
 * `OpenToOthers`, `SocketInTheWay` and `RestoreCutShort`.
 *
 * The lock is a socket on which the holder listens: the operating system ends that with the process, however it dies,
 * so a socket that nobody answers on was left behind and is taken away. That also holds between containers which share
 * the folder, where process numbers mean nothing.
 */
export const lockFolder = async (folder: string): Promise<FolderLock> => {
  makeFolder(folder);
  const place = folderSocket(folder, lockName);
  try {
    const lock = await lockAt(place, folder);
    try {
      closeToOthers(folder);
      if (existsSync(join(folder, dataFolderNames.restoring))) throw new RestoreCutShort(folder);
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    place.close();
    throw error;
  }
};

const lockAt = async (place: FolderSocket, folder: string): Promise<FolderLock> => {
  const { path } = place;
  const asking = new Set<Socket>();
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const server = await listenOn(path, (socket) => {
      tell(socket, asking);
    });
    if (server !== undefined) return { release: () => close(server, asking).finally(place.close) };
    checkSocket(path);
    const holder = await holderOf(path);
    if (holder === ending) continue;
    if (holder !== undefined) throw new FolderInUse(folder, holder);
    await takeAway(path);
  }
  throw new FolderInUse(folder, 'unknown');
};

/** Nobody answers on anything else either, and it must not be taken away as if it had been left behind. */
const checkSocket = (path: string): void => {
  if (process.platform === 'win32') return;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket()) throw new SocketInTheWay(path);
};

/** Says the number of this process, and hears nothing: a process that stays connected must not hold up the release. */
const tell = (socket: Socket, asking: Set<Socket>): void => {
  asking.add(socket);
  socket.on('error', () => undefined).on('close', () => asking.delete(socket));
  socket.end(process.pid.toString(), () => socket.destroy());
};

/** A holder that hangs up without its number was letting go of the lock at that moment. */
const ending = 'ending';

/** The number of the process that holds the lock, or `ending`; `undefined` when nobody does. */
const holderOf = async (path: string): Promise<string | undefined> => {
  // Any other failure than that nobody listens comes from a socket with a living owner: a full queue, another user's.
  const socket = await connectTo(path).catch(() => 'unknown' as const);
  return socket === undefined || socket === 'unknown' ? socket : answerOf(socket);
};

const answerOf = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    let silence = ending;
    socket.setTimeout(answerMillisMax, () => {
      silence = 'unknown';
      socket.destroy();
    });
    socket.on('data', (data) => {
      answer += data.toString('latin1', 0, answerBytesMax - answer.length);
      if (answer.length >= answerBytesMax) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(answer === '' ? silence : /^\d+$/.test(answer) ? answer : 'unknown');
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

const close = (server: Server, asking: ReadonlySet<Socket>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    for (const socket of asking) socket.destroy();
  });
