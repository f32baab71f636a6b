import { it } from 'node:test';
import { mongoDocuments } from '../../src/adapters/documents/mongo.js';
import { mongoProxy } from '../adapters/mongoProxy.js';
import { dropCollections, freshName, mongoUrl as url, needsMongo } from '../support/mongoServer.js';
import { documentStoreContract, newStoreContract } from './documentStore.js';

if (url === '') {
  it('documents: mongo', { skip: needsMongo });
} else {
  const prefix = freshName();
  documentStoreContract('mongo', () => mongoDocuments({ url, prefix }), {
    keeps: true,
    runs: 100,
    cleanUp: () => dropCollections(prefix),
  });
  newStoreContract('mongo', () => mongoDocuments({ url, prefix: `${prefix}new_` }));

  // A replica set, or what says that it is one: then the transactions are the client's side only.
  const proxy = await mongoProxy({ url, replicaSet: 'claimed' });
  const other = freshName();
  documentStoreContract('mongo, committing in transactions', () => mongoDocuments({ url: proxy.url, prefix: other }), {
    keeps: true,
    runs: 20,
    cleanUp: async () => {
      await proxy.close();
      await dropCollections(other);
    },
  });
}
