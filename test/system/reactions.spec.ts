import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { it } from 'node:test';
import { userReactionsCollection } from '../../src/projections/reactions/documents.js';
import { testServer } from '../support/server.js';
import { savedMessages, say } from './places.js';
import { signUp } from './seat.js';
import { documentsIn } from './stored.js';

/** The workflow goes on from where it was at each start, and finishes the event in hand at each stop. */
const startsMax = 20;

it('the reactions of a message that is deleted are removed by the server', async (t) => {
  let server = await testServer();
  t.after(() => rm(server.dataDir, { recursive: true, force: true }));
  const ada = await signUp(server.url, 'Ada');
  const messageId = await say(ada, savedMessages, 'hello');
  await ada.do('reactionsAddReaction', { chatRef: savedMessages, messageId, emoji: { unicodeEmoji: '👍' } });
  await ada.do('messagesDeleteMessage', { chatRef: savedMessages, messageIds: [messageId] });
  await ada.do('messagesGetHistory', { chatRef: savedMessages });
  await server.close();
  let { empty } = await documentsIn(server.dataDir);
  for (let starts = 1; !empty.includes(userReactionsCollection) && starts < startsMax; starts += 1) {
    server = await testServer({ dataDir: server.dataDir });
    await server.close();
    ({ empty } = await documentsIn(server.dataDir));
  }
  assert.ok(empty.includes(userReactionsCollection));
});
