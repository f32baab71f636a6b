import type { Socket } from 'node:net';
import { connectTo, folderSocket, listenOn, removeStaleSocket, SocketInTheWay } from './folderSocket.js';

/** Below the data folder, for the owner of the server alone. */
export const adminSocketName = 'admin.sock';

/** The socket belongs to somebody else. */
export class DoorClosed extends Error {
  constructor(folder: string, cause: unknown) {
    super(`the server on ${folder} is another user's: run this as the user who runs the server`, { cause });
    this.name = 'DoorClosed';
  }
}

export interface AdminSocket {
  /** Accepts no more connections, and removes the socket. Those that are open are their owner's to close. */
  close(): void;
}

/**
 * Listens in the data folder, whose lock the caller must hold: a socket that is there was left behind by a process that
 * has died, and is replaced. Throws `SocketInTheWay` and `SocketPathTooLong`.
 */
export const listenInFolder = async (folder: string, accept: (socket: Socket) => void): Promise<AdminSocket> => {
  const place = folderSocket(folder, adminSocketName);
  try {
    if (process.platform !== 'win32') removeStaleSocket(place.path);
    const server = await listenOn(place.path, accept);
    if (server === undefined) throw new SocketInTheWay(place.path);
    return {
      close: () => {
        // The socket is removed within this call, by its name.
        server.close();
        place.close();
      },
    };
  } catch (error) {
    place.close();
    throw error;
  }
};

/** `undefined` when no server is there, or not yet. Throws `DoorClosed`. */
export const connectInFolder = async (folder: string): Promise<Socket | undefined> => {
  try {
    const place = folderSocket(folder, adminSocketName);
    try {
      return await connectTo(place.path);
    } finally {
      place.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw code === 'EACCES' || code === 'EPERM' ? new DoorClosed(folder, error) : error;
  }
};
