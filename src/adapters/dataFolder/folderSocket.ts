import { createHash } from 'node:crypto';
import { chmodSync, closeSync, lstatSync, openSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** The system takes no longer names for a socket: 107 bytes on Linux, 103 on others. */
export const socketPathBytesMax = 100;

/** Where the path of the folder is too long for a socket in it, and the system has no way around that. */
export class SocketPathTooLong extends Error {
  constructor(path: string) {
    const [bytes, most] = [Buffer.byteLength(path).toString(), socketPathBytesMax.toString()];
    super(`${path} has ${bytes} bytes, and this system takes sockets of at most ${most}: choose a shorter data folder`);
    this.name = 'SocketPathTooLong';
  }
}

/** Something that is no socket has the name of one. It is left as it is. */
export class SocketInTheWay extends Error {
  constructor(path: string) {
    super(`${path} is no socket: move it away`);
    this.name = 'SocketInTheWay';
  }
}

/** The name of a socket in a folder, short enough for the system as long as it is not closed. */
export type FolderSocket = { readonly path: string; readonly close: () => void };

/**
 * Linux follows the number of an open folder in `/proc`, so that a path may be as long as the file system takes it.
 * Throws `SocketPathTooLong` on other systems, and the system's error when there is no such folder.
 */
export const folderSocket = (folder: string, name: string): FolderSocket => {
  const real = realpathSync(folder);
  if (process.platform === 'win32') return { path: pipeOf(real, name), close: nothing };
  const inside = join(real, name);
  if (Buffer.byteLength(inside) <= socketPathBytesMax) return { path: inside, close: nothing };
  if (process.platform !== 'linux') throw new SocketPathTooLong(inside);
  const handle = openSync(real, 'r');
  let isOpen = true;
  return {
    path: `/proc/self/fd/${handle.toString()}/${name}`,
    close: () => {
      if (isOpen) closeSync(handle);
      isOpen = false;
    },
  };
};

const nothing = (): void => undefined;

/** The lock has the pipe without a name, because it was there first. */
const pipeOf = (folder: string, name: string): string => {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  return `\\\\.\\pipe\\osmium-${hash}${name === 'lock' ? '' : `-${name}`}`;
};

/** Sockets of their owner alone. */
const socketMode = 0o600;
const othersMask = 0o077;

/** `undefined` when there is such a socket already. The socket is for the owner of the process alone. */
export const listenOn = (path: string, accept: (socket: Socket) => void): Promise<Server | undefined> =>
  new Promise((resolve, fail) => {
    const server = createServer({ allowHalfOpen: true }, accept);
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else fail(error);
    });
    // The socket is made within this call, and must not be open to others until its mode is set.
    const before = process.umask(othersMask);
    try {
      server.listen({ path }, () => {
        closeToOthers(path);
        resolve(server);
      });
    } finally {
      process.umask(before);
    }
  });

const closeToOthers = (path: string): void => {
  if (process.platform === 'win32') return;
  try {
    chmodSync(path, socketMode);
  } catch {
    // Another process is looking whether the socket is alive, under another name. The mask has closed it already.
  }
};

/** `undefined` when nobody listens there: the socket is missing, or was left behind. Rejects with other errors. */
export const connectTo = (path: string): Promise<Socket | undefined> =>
  new Promise((resolve, fail) => {
    const socket = connect({ path, allowHalfOpen: true });
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else fail(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });

/** To be called by the holder of the folder's lock, so that nobody listens on it. Throws `SocketInTheWay`. */
export const removeStaleSocket = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new SocketInTheWay(path);
  rmSync(path, { force: true });
};
