import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { BSON } from 'mongodb';
import { mongoVault } from '../../src/adapters/vault/mongo.js';
import { WrongMasterKey } from '../../src/adapters/vault/wrapping.js';
import type { Vault } from '../../src/kernel/ports/vault.js';
import { dropDatabase, freshName, mongoUrl as url, needsMongo, withMongo } from '../support/mongoServer.js';
import { vaultContract } from './vault.js';

const masterKey = randomBytes(32);

if (url === '') {
  it('vault: mongo', { skip: needsMongo });
} else {
  const database = `${freshName()}vault`;
  vaultContract('mongo', () => mongoVault({ url, masterKey, database }), {
    keeps: true,
    cleanUp: () => dropDatabase(database),
  });
}

describe('mongo vault', { skip: url === '' && needsMongo }, () => {
  /** A database of the test's own, and vaults over it, each with connections of its own as on another node. */
  const place = (test: TestContext): { readonly database: string; readonly open: () => Promise<Vault> } => {
    const database = `${freshName()}vault`;
    const opened: Vault[] = [];
    test.after(async () => {
      for (const vault of opened) await vault.close();
      await dropDatabase(database);
    });
    const open = async (): Promise<Vault> => {
      const vault = await mongoVault({ url, masterKey, database });
      opened.push(vault);
      return vault;
    };
    return { database, open };
  };
  const recordsIn = (database: string): Promise<readonly BSON.Document[]> =>
    withMongo(async (client) => {
      const collections = await client.db(database).collections();
      return (await Promise.all(collections.map((one) => one.find().sort({ _id: 1 }).toArray()))).flat();
    });

  it('refuses a node with another master key, which writes nothing, and opens again with its own', async (test) => {
    const { database, open } = place(test);
    await (await open()).create('name', Uint8Array.of(1));
    const before = await recordsIn(database);
    await assert.rejects(mongoVault({ url, masterKey: randomBytes(32), database }), WrongMasterKey);
    assert.deepEqual(await recordsIn(database), before);
    await open();
  });

  it('belongs to the first of the master keys that come to it at the same time', async (test) => {
    const { database } = place(test);
    const keys = Array.from({ length: 6 }, () => randomBytes(32));
    const outcomes = await Promise.allSettled(keys.map((key) => mongoVault({ url, masterKey: key, database })));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') await outcome.value.close();
      else assert.ok(outcome.reason instanceof WrongMasterKey, String(outcome.reason));
    }
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('gives all nodes that make a key at the same time the same one', async (test) => {
    const { open } = place(test);
    const nodes = await Promise.all(Array.from({ length: 5 }, open));
    for (let round = 1; round <= 20; round += 1) {
      const name = round.toString();
      const made = await Promise.all(nodes.map((node) => node.create(name, randomBytes(32))));
      const held = await nodes[0]?.get(name);
      for (const secret of made) assert.deepEqual(secret, held);
    }
  });

  it('never has a destroyed secret again, whichever node puts or makes one at the same time', async (test) => {
    const { open } = place(test);
    const [one, other, third] = [await open(), await open(), await open()];
    for (let round = 1; round <= 50; round += 1) {
      const name = round.toString();
      if (round % 2 === 0) await one.put(name, randomBytes(32));
      await Promise.all([one.put(name, randomBytes(32)), other.destroy(name), third.create(name, randomBytes(32))]);
      assert.equal(await one.get(name), 'destroyed');
    }
  });

  it('has nothing that shows a secret, and of a destroyed one nothing but the name', async (test) => {
    const { database, open } = place(test);
    const vault = await open();
    const secret = randomBytes(32);
    await vault.create('kept', secret);
    await vault.create('gone', secret);
    await vault.destroy('gone');
    const records = await recordsIn(database);
    assert.equal(records.length, 3);
    for (const record of records) assert.equal(Buffer.from(BSON.serialize(record)).includes(secret), false);
    assert.deepEqual(
      records.find(({ _id }) => String(_id) === 'gone'),
      { _id: 'gone', destroyed: 'gone' },
    );
  });

  it('uses a salt once', async (test) => {
    const { database, open } = place(test);
    const vault = await open();
    const salts: string[] = [];
    for (const name of ['one', 'one', 'other']) {
      await vault.put(name, Uint8Array.of(1));
      const record = (await recordsIn(database)).find(({ _id }) => String(_id) === name);
      salts.push(String(record?.['salt']));
    }
    assert.equal(new Set(salts).size, 3);
  });
});
