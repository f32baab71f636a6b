import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { authorKeyName } from '../../src/adapters/sealer/keyNames.js';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { loadMasterKey } from '../../src/adapters/vault/masterKey.js';
import { setOf } from '../../src/container/generations/set.js';
import { foldersIn } from '../../src/engines.js';
import { periodOf } from '../../src/kernel/codec.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import {
  blockCollection,
  headCollection,
  recordCollection,
  searchCollections,
} from '../../src/projections/search/documents.js';
import { found as foundIn, leftIn } from '../support/byteSearch.js';
import { onEachDeployment, onNodes, startNodes } from '../support/deployments.js';
import { testServer } from '../support/server.js';
import { pair } from './nodes.js';
import { found, inChannel, join, say, type Town } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

const searched = async (seat: Seat, town: Town, query: string): Promise<readonly (MessageId | undefined)[]> => {
  const { messages } = await seat.do('messagesSearch', { chatRef: inChannel(town.community, town.general), query });
  return messages.map(({ messageId }) => messageId);
};

onEachDeployment('a search', (start) => {
  it('finds at once, wherever it is asked, what was sent and edited, and not what was deleted', async () => {
    const deployment = await start();
    try {
      const ada = await signUp(deployment.url, 'Ada');
      const town = await found(ada, 'Town');
      const chatRef = inChannel(town.community, town.general);
      for (let round = 0; round < 10; round += 1) {
        const messageId = await say(ada, chatRef, 'foo test');
        assert.deepEqual(await searched(ada, town, 'foo'), [messageId]);
        await ada.do('messagesEditMessage', { chatRef, messageId, message: 'bar test' });
        // On the next node, for a connection that begins after that.
        const elsewhere = await resume(deployment.url, ada.token);
        assert.deepEqual(await searched(elsewhere, town, 'foo'), []);
        assert.deepEqual(await searched(elsewhere, town, 'bar'), [messageId]);
        await ada.do('messagesDeleteMessage', { chatRef, messageIds: [messageId] });
        assert.deepEqual(await searched(ada, town, 'test'), []);
        await elsewhere.raw.leave();
      }
    } finally {
      await deployment.remove();
    }
  });
});

onNodes('the search of two nodes', () => {
  it('goes on when the node that kept the index is stopped', async () => {
    const nodes = await startNodes(2);
    try {
      const [one, other] = pair(nodes);
      const ada = await signUp(one.url, 'Ada');
      const town = await found(ada, 'Town');
      const first = await say(ada, inChannel(town.community, town.general), 'apple one');
      assert.deepEqual(await searched(ada, town, 'apple'), [first]);
      one.process.kill('SIGTERM');
      assert.equal(await one.process.ended, 0);
      const again = await resume(other.url, ada.token);
      const second = await say(again, inChannel(town.community, town.general), 'apple two');
      assert.deepEqual(await searched(again, town, 'apple'), [second, first]);
    } finally {
      await nodes.remove();
    }
  });
});

it('the search index holds no word, and nothing of an author whose keys were destroyed', async () => {
  const server = await testServer();
  const { dataDir } = server;
  const words = ['zqxvkwjyphbgmfdlcrntsaou', '晴嵐鳳凰龍虎雷霆雪霜霧露'];
  const [ada, ben] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Ben')];
  const town = await found(ada, 'Town');
  await join(ada, town, ben);
  const chatRef = inChannel(town.community, town.general);
  const theirs = await say(ben, chatRef, words.join(' '));
  const own = await say(ada, chatRef, words.join(' '));
  for (const word of words) assert.deepEqual(await searched(ada, town, word), [own, theirs]);
  await server.close();
  const left = leftIn(dataDir, ['vault', 'master']);
  assert.ok(left.some(({ where }) => where.startsWith('search')));
  assert.deepEqual(foundIn(words, left), []);
  assert.deepEqual(await recordsOf(dataDir, ben.user), { theirs: 1, all: 2 });

  const { vault: folder, masterKey } = foldersIn(dataDir);
  const vault = await lmdbVault({ folder, masterKey: loadMasterKey(masterKey, { mayMake: false }).key });
  await vault.destroy(authorKeyName(ben.user.toString(), periodOf(Date.now())));
  await vault.close();
  const again = await testServer({ dataDir });
  const reader = await resume(again.url, ada.token);
  for (const word of words) assert.deepEqual(await searched(reader, town, word), [own]);
  await again.close();
  assert.deepEqual(await recordsOf(dataDir, ben.user), { theirs: 0, all: 1 });
  await again.remove();
});

/** Records and lists in the index of a stopped server. */
const recordsOf = async (dataDir: string, user: UserId) => {
  const generation = `${setOf({ projections: [], collections: searchCollections }).name}_1`;
  const store = lmdbDocuments({ folder: `${foldersIn(dataDir).search}/${generation}` });
  await store.open(searchCollections);
  try {
    const theirs = await store.count({
      ...{ collection: recordCollection, index: 'subject', within: [user], order: 'ascending', limit: 100 },
    });
    const { length: all } = await store.scan({ collection: recordCollection, prefix: '', limit: 100 });
    const lists = await store.scan({ collection: headCollection, prefix: '', limit: 1_000 });
    assert.ok(lists.length > 0);
    assert.deepEqual(await store.scan({ collection: blockCollection, prefix: '', limit: 1 }), []);
    return { theirs, all };
  } finally {
    await store.close();
  }
};
