import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/**
 * The driver (7.9.0) waits without end for a write when the connection closes without an error: it waits for `drain`,
 * which does not come. A write to a socket that the other side has just ended is one of those, and that is what a server
 * does that stops. When it hits the driver's own look at the server, that server is never looked at again, and nothing
 * reaches it until the process is started anew: there is no limit to the time, and no option that sets one.
 *
 * Here a write ends with its connection. The package is pinned to one version, and its tests fail without this.
 */
export const letWritesEnd = (): void => {
  if (isMended) return;
  isMended = true;
  const inside = connectionClass().prototype;
  const { writeCommand } = inside;
  inside.writeCommand = async function (...write) {
    let closed: () => void = () => undefined;
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    this.once('close', closed);
    try {
      // The driver then asks whether the connection has failed, and throws the reason.
      await Promise.race([writeCommand.call(this, ...write), closing]);
    } finally {
      this.off('close', closed);
    }
  };
};

let isMended = false;

type Connection = EventEmitter & { writeCommand: (this: Connection, ...write: readonly unknown[]) => Promise<void> };

const connectionClass = (): { readonly prototype: Connection } => {
  const required: unknown = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js');
  // Not among the package's types. That it is there still is what the test shows.
  return (required as { readonly Connection: { readonly prototype: Connection } }).Connection;
};
