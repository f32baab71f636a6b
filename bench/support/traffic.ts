import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { traffic, upgradeRequest, type RawSocket } from './rawSocket.js';

type Entry = {
  readonly atMillis: number;
  readonly connection: number;
  /** A string opens the connection from this address. Undefined closes it. */
  readonly what: string | Uint8Array | undefined;
};

/** More than any attack makes in some seconds. */
const entriesMax = 2_000_000;

/** Notes all that this process sends, and when, so that the same can be sent again to somebody else. */
export class TrafficRecord {
  private entries: Entry[] = [];
  private readonly numbers = new WeakMap<RawSocket, number>();
  private opened = 0;
  private from = 0;

  /** What was noted before is forgotten. Connections that are open are noted as opened now. */
  begin(millis: number): void {
    this.entries = [];
    this.from = performance.now();
    traffic.listener = (socket, what) => {
      const atMillis = performance.now() - this.from;
      if (atMillis > millis || this.entries.length >= entriesMax) return;
      const known = this.numbers.get(socket);
      const connection = known ?? this.opened;
      if (known === undefined) {
        this.numbers.set(socket, connection);
        this.opened += 1;
        this.entries.push({ atMillis, connection, what: socket.localAddress });
      }
      if (typeof what !== 'string') this.entries.push({ atMillis, connection, what });
    };
  }

  end(): void {
    traffic.listener = undefined;
  }

  get bytes(): number {
    return this.entries.reduce((total, { what }) => total + (typeof what === 'object' ? what.length : 0), 0);
  }

  /** The same bytes at the same pace over as many connections to this port; resolves when the time is over. */
  async replay(port: number, millis: number): Promise<void> {
    const sockets = new Map<number, Socket>();
    const started = performance.now();
    for (const { atMillis, connection, what } of this.entries) {
      const early = atMillis - (performance.now() - started);
      if (early >= 1) await pause(early);
      if (typeof what === 'string') sockets.set(connection, opened(port, what));
      else if (what === undefined) sockets.get(connection)?.destroy();
      else sockets.get(connection)?.write(what);
    }
    await pause(Math.max(0, millis - (performance.now() - started)));
    for (const socket of sockets.values()) socket.destroy();
  }
}

const opened = (port: number, localAddress: string): Socket => {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(upgradeRequest(port));
  return socket;
};
