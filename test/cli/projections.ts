import { connect } from '../../src/client/client.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { freshFolder } from '../support/dataFolders.js';
import { generationsIn, ownSet } from '../support/generations.js';
import { testServer, type TestServer, type TestServerOptions } from '../support/server.js';
import { documentsOf } from '../system/stored.js';
import { osmium, type Run } from './osmium.js';
import type { TestContext } from 'node:test';

export const on = (dataDir: string, ...args: readonly string[]): Run =>
  osmium(['projections', ...args], { OSMIUM_DATA_DIR: dataDir });

/** The command prints one object on one line. */
export const objectIn = (output: string): Readonly<Record<string, unknown>> =>
  JSON.parse(output) as Readonly<Record<string, unknown>>;

export const [first, second] = [`${ownSet.name}_1`, `${ownSet.name}_2`];

const messagesAtOnce = 50;

export const lively = async (
  t: TestContext,
  messages: number,
  options: TestServerOptions = {},
): Promise<TestServer> => {
  const server = await testServer({ ...options, dataDir: freshFolder(t) });
  t.after(() => server.close());
  const ada = await connect({ url: server.url, openSocket: nodeSocket });
  await ada.signUp({ name: 'Ada' });
  for (let sent = 0; sent < messages; sent += messagesAtOnce) {
    await Promise.all(
      Array.from({ length: messagesAtOnce }, (_, index) =>
        ada.call('messages.sendMessage', { chatRef: { self: {} }, message: `No. ${(sent + index).toString()}` }),
      ),
    );
  }
  const chatRef = { self: {} };
  const { messageId } = await ada.call('messages.sendMessage', { chatRef, message: 'It goes again.' });
  await ada.call('reactions.addReaction', { chatRef, messageId, emoji: { unicodeEmoji: '👍' } });
  // Its small documents are removed by a workflow, from each generation.
  await ada.call('messages.deleteMessage', { chatRef, messageIds: [messageId] });
  await ada.close();
  return server;
};

/** Of the generations in the folder of a server that has stopped, when each has come to the end of the log. */
export const digestsIn = async (dataDir: string) => {
  const generations = generationsIn(dataDir);
  const found = [];
  for (const one of await generations.list()) found.push(await documentsOf(generations.documents(one)));
  return found;
};
