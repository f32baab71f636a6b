import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { foldersIn } from '../../src/engines.js';
import { formerFolder } from '../support/dataFolders.js';
import { generationsIn, servedFile } from '../support/generations.js';
import { testServer } from '../support/server.js';
import { documentsIn } from './stored.js';

const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the documents of a release without generations', () => {
  it('stay to the byte as they were, beside the generation that is built from the log', async (t) => {
    const { dataDir } = formerFolder(t);
    const { documents: folder } = foldersIn(dataDir);
    const former = join(folder, 'documents.mdb');
    const before = digestOf(former);
    for (let starts = 1; starts <= 2; starts += 1) await (await testServer({ dataDir })).close();
    assert.equal(digestOf(former), before);
    assert.deepEqual((await documentsIn(dataDir)).checkpoints.length > 0, true);
    // The former release opens them with the collections that it names, which are those that are there.
    const documents = lmdbDocuments({ folder });
    const collections = await documents.collections();
    await documents.open(collections);
    const users = collections.find(({ name }) => name.startsWith('users_v'));
    assert.ok(users);
    assert.ok((await documents.scan({ collection: users.name, prefix: '', limit: 1 })).length > 0);
    await documents.close();
  });

  it('go with a drop, and nothing else does', async (t) => {
    const { dataDir } = formerFolder(t);
    await (await testServer({ dataDir })).close();
    const served = await servedFile(dataDir);
    await generationsIn(dataDir).former.drop();
    assert.equal(existsSync(join(foldersIn(dataDir).documents, 'documents.mdb')), false);
    assert.ok(existsSync(served));
    await (await testServer({ dataDir })).close();
    assert.equal(await servedFile(dataDir), served);
  });
});
