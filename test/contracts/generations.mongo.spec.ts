import { mongoDocuments } from '../../src/adapters/documents/mongo.js';
import { mongoGenerations } from '../../src/adapters/documents/mongoGenerations.js';
import { databaseIn } from '../../src/adapters/mongo/connection.js';
import { freshDatabase } from '../support/deployments.js';
import { mongoUrl, needsMongo, withMongo } from '../support/mongoServer.js';
import { generationsContract } from './generations.js';

generationsContract(
  'mongo',
  (t) => {
    const url = freshDatabase({
      after: (work) => {
        t.after(work);
      },
    });
    return {
      generations: () => mongoGenerations({ url }),
      former: () => mongoDocuments({ url }),
      layOutAnew: () =>
        withMongo(async (client) => {
          await client
            .db(databaseIn(url))
            .collection('osmium.layout')
            .updateMany({}, { $set: { layout: '2' } });
        }),
      where: /osmium\.layout has the layout 2 of a newer release/,
    };
  },
  { skip: mongoUrl === '' && needsMongo },
);
