import { connect, type Client } from '../../../src/client/client.js';
import { RequestRefused } from '../../../src/client/errors.js';
import { nodeSocket } from '../../../src/client/nodeSocket.js';
import type { RpcPath } from '../../../src/gen/rpcs.js';
import type { Command, Report, Send } from './remote.js';

// A client in a process of its own: does what its parent tells it to, and reports all that it hears.

const report = (what: Report): void => {
  process.send?.(what);
};

/** Counted when they are opened: updates may come before a connection has said who it is. */
let sockets = 0;
let connections = 0;
let connected: Promise<Client> | undefined;

const client = (): Promise<Client> => {
  if (connected === undefined) throw new Error('this client is not connected yet');
  return connected;
};

const open = async (url: string): Promise<void> => {
  connected = connect({
    url,
    openSocket: (address) => {
      sockets += 1;
      return nodeSocket(address);
    },
    onConnected: () => {
      connections += 1;
      report({ kind: 'connected', connections });
    },
  });
  (await connected).updates.on('messageCreated', ({ message }) => {
    if (message !== undefined) report({ kind: 'heard', id: message.messageId, socket: sockets });
  });
  void forward(await connected);
};

const forward = async ({ updates }: Client): Promise<void> => {
  for await (const update of updates) report({ kind: 'update', update });
};

/** Several on their way at any time, begun in order. Ends when the last one is acknowledged. */
const burst = async (sends: readonly Send[], inFlight: number): Promise<void> => {
  const { call } = await client();
  const left = sends.values();
  const sender = async (): Promise<void> => {
    for (const { chatRef, message } of left) {
      const { messageId } = await call('messages.sendMessage', { chatRef, message });
      report({ kind: 'acknowledged', message, id: messageId });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sender));
};

const done = async (command: Command): Promise<unknown> => {
  switch (command.kind) {
    case 'open':
      return open(command.url);
    case 'signUp':
      return (await client()).signUp(command.request);
    case 'call':
      // The parent's types have paired the path with its request.
      return (await client()).call(command.path as RpcPath, command.request);
    case 'burst':
      return burst(command.sends, command.inFlight);
  }
};

process.on('message', (message) => {
  const { id, command } = message as { readonly id: number; readonly command: Command }; // Only `remote` sends here.
  done(command).then(
    (answer) => {
      report({ kind: 'answer', id, answer });
    },
    (error: unknown) => {
      const code = error instanceof RequestRefused ? error.code : undefined;
      report({ kind: 'failure', id, code, text: error instanceof Error ? error.message : String(error) });
    },
  );
});
// Not longer than the parent.
process.on('disconnect', () => {
  process.exit(0);
});
