import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { databaseIn } from '../../src/adapters/mongo/connection.js';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { configFrom } from '../../src/config.js';
import { giveUpKeys } from '../../src/container/deployment/giveUpKeys.js';
import { initialize, rawClient } from '../gateway/rig/rawClient.js';
import { freshFolder } from '../support/dataFolders.js';
import { freshDatabase } from '../support/deployments.js';
import { startStandInProcess } from '../support/eventStoreDb/process.js';
import { dropDatabase, mongoUrl, needsMongo, withMongo } from '../support/mongoServer.js';
import { testServer } from '../support/server.js';

type Environment = Readonly<Record<string, string>>;

const shared = async (t: TestContext): Promise<Environment> => {
  const log = await startStandInProcess();
  t.after(() => log.stop());
  const key = join(freshFolder(t), 'master.key');
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  return {
    OSMIUM_EVENT_LOG: log.connectionString,
    OSMIUM_DOCUMENTS: freshDatabase({
      after: (work) => {
        t.after(work);
      },
    }),
    OSMIUM_MASTER_KEY_FILE: key,
    OSMIUM_BLOBS: `file://${freshFolder(t)}`,
  };
};

const node = (t: TestContext, environment: Environment) => testServer({ dataDir: freshFolder(t), environment });

const refused = async (t: TestContext, environment: Environment, expected: RegExp): Promise<void> => {
  await assert.rejects(node(t, environment), ({ name, message }: Error) => {
    assert.equal(name, 'BadConfig');
    assert.match(message, expected);
    return true;
  });
};

const vaultIn = ({ OSMIUM_DOCUMENTS: url = '' }: Environment): string => `${databaseIn(url)}_vault`;

const namesIn = async ({ OSMIUM_EVENT_LOG: connectionString = '' }: Environment): Promise<number> => {
  const log = await eventStoreDbEventLog({ connectionString, count: () => undefined, alarm: () => undefined });
  const events = await log.readAll({ limit: 1_000 });
  await log.close();
  return events.filter(({ type }) => type === 'deployments.DeploymentNamed.v1').length;
};

const signedUp = async (url: string): Promise<void> => {
  const client = await rawClient(url);
  client.ask(1, 'coreInitialize', initialize);
  client.ask(2, 'authSignUp', { name: 'Ada' });
  assert.equal((await client.result(2)).authorization?.user?.name, 'Ada');
  await client.leave();
};

describe('a deployment on shared engines', { skip: mongoUrl === '' && needsMongo }, () => {
  it('gets one name from nodes that start at the same moment', async (t) => {
    const environment = await shared(t);
    const nodes = await Promise.all([node(t, environment), node(t, environment), node(t, environment)]);
    await Promise.all(nodes.map(({ close }) => close()));
    assert.equal(await namesIn(environment), 1);
  });

  it('is refused without its vault, and right again once that is back', async (t) => {
    const environment = await shared(t);
    const first = await node(t, environment);
    await signedUp(first.url);
    await first.close();
    const vault = vaultIn(environment);
    const records = await withMongo((client) => client.db(vault).collection('secrets').find().toArray());
    assert.ok(records.length > 3);
    await dropDatabase(vault);
    await refused(
      t,
      environment,
      /^OSMIUM_DOCUMENTS: "mongodb:.*" cannot be used: the vault in .* is missing or empty/,
    );
    assert.equal(await withMongo((client) => client.db(vault).collection('secrets').countDocuments()), 0);
    const [some] = [records.slice(0, -1)];
    await withMongo((client) => client.db(vault).collection('secrets').insertMany(some));
    await refused(t, environment, /is an older copy: 1 keys|is missing or empty|a copy of before/);
    await dropDatabase(vault);
    await withMongo((client) => client.db(vault).collection('secrets').insertMany(records));
    await (await node(t, environment)).close();
  });

  it('is refused with the log or the read models of another one', async (t) => {
    const [own, other] = [await shared(t), await shared(t)];
    for (const environment of [own, other]) await (await node(t, environment)).close();
    const { OSMIUM_EVENT_LOG: log = '', OSMIUM_DOCUMENTS: documents = '' } = other;
    await refused(
      t,
      { ...own, OSMIUM_EVENT_LOG: log },
      /^OSMIUM_EVENT_LOG: .* the log in .* belongs to the deployment/,
    );
    const { OSMIUM_DOCUMENTS: vault = '' } = own;
    await refused(
      t,
      { ...own, OSMIUM_DOCUMENTS: documents, OSMIUM_VAULT: vault },
      /^OSMIUM_DOCUMENTS: .* the read models in .* belong to the deployment/,
    );
  });

  it('goes on without its vault when all nodes have stopped, and not before', async (t) => {
    const environment = await shared(t);
    const running = await node(t, environment);
    await signedUp(running.url);
    const config = () => configFrom({ ...environment, OSMIUM_DATA_DIR: freshFolder(t) });
    await assert.rejects(giveUpKeys(config(), 'new'), /a node is running: stop all nodes first/);
    await running.close();
    await dropDatabase(vaultIn(environment));
    await giveUpKeys(config(), 'new');
    await (await node(t, environment)).close();
  });
});
