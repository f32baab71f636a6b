import { it } from 'node:test';
import { mongoLeases } from '../../src/adapters/leases/mongo.js';
import { dropCollections, freshName, mongoUrl as url, needsMongo } from '../support/mongoServer.js';
import { nodeTimers } from '../support/nodeTimers.js';
import { leasesContract } from './leases.js';

if (url === '') {
  it('leases: mongo', { skip: needsMongo });
} else {
  const prefix = freshName();
  leasesContract(
    'mongo',
    () => {
      const timers = nodeTimers();
      return { node: () => mongoLeases({ url, prefix, timers }), pass: timers.pass };
    },
    { shared: true, cleanUp: () => dropCollections(prefix) },
  );
}
