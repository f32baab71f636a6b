import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/**
 * Bytes of the write under way that the system has not taken yet. `writableLength` falls only when a whole write has been
 * taken, which takes minutes on a slow line; this number falls whenever the system takes some. Node keeps it on the
 * handle, where its own socket timeout looks as well (Node 20 to 24). Where the handle has none, `writableLength` is the
 * next best answer, and a test fails.
 */
export const untakenBytes = (stream: Socket): number => insideOf(stream)?.writeQueueSize ?? stream.writableLength;

/** By which the system knows the socket; undefined when it is closed, or where the system does not tell. */
export const socketIdOf = (stream: Socket): number | undefined => {
  const fd = insideOf(stream)?.fd ?? -1;
  if (fd < 0) return undefined;
  try {
    return fstatSync(fd).ino;
  } catch {
    return undefined;
  }
};

const insideOf = (stream: Socket) => (stream as unknown as Inside)._handle; // Node declares the handle nowhere.

type Inside = { readonly _handle?: { readonly writeQueueSize?: number; readonly fd?: number } | null };

const socketTables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;

/**
 * Bytes that the system has taken and the other end has not acknowledged, by socket. The system takes more only when a
 * third of its buffer is free, which may be more than a megabyte, so a slow reader shows here alone. Empty where the
 * system has no such tables (Linux has). Takes about a microsecond for each TCP connection of the machine.
 */
export const unackedBytes = async (): Promise<ReadonlyMap<number, number>> => {
  const tables = await Promise.all(socketTables.map((table) => readFile(table, 'latin1').catch(() => '')));
  const bySocket = new Map<number, number>();
  for (const table of tables) {
    for (const [, queue = '', socket = ''] of table.matchAll(socketLine))
      bySocket.set(Number(socket), parseInt(queue, 16));
  }
  return bySocket;
};

/** Number, local and remote address, state, queue to send and to receive, timer, retransmits, user, timeout, socket. */
const socketLine = /^ *\d+: \S+ \S+ \S+ ([0-9A-F]+):\S+ \S+ +\S+ +\d+ +\d+ +(\d+)/gm;
