import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { lmdbGenerations } from '../../src/adapters/documents/lmdbGenerations.js';
import { freshFolder } from '../support/dataFolders.js';
import { generationsContract } from './generations.js';

generationsContract('lmdb', (t) => {
  const folder = freshFolder(t);
  const [documents, state] = [join(folder, 'documents'), join(folder, 'state')];
  return {
    generations: () => lmdbGenerations({ documents, state }),
    former: () => lmdbDocuments({ folder: documents }),
    layOutAnew: () => writeFile(join(state, 'layout'), '2\n'),
    where: new RegExp(`^${state} has the layout 2 of a newer release`),
  };
});

describe('a generation in a folder', () => {
  const set = { name: '0123456789ab', types: [] };

  it('belongs to one process at a time, and is refused by its name', async (t) => {
    const folder = freshFolder(t);
    const generations = lmdbGenerations({ documents: join(folder, 'documents'), state: join(folder, 'state') });
    const generation = await generations.begin(set, 1);
    assert.ok(generation);
    const documents = generations.documents(generation);
    await documents.open([]);
    const expected = {
      name: 'GenerationInUse',
      message: `the generation 0123456789ab_1 is in use by process ${process.pid.toString()}: stop that one first`,
    };
    await assert.rejects(generations.documents(generation).open([]), expected);
    await assert.rejects(generations.drop(generation), expected);
    await documents.close();
    await generations.drop(generation);
  });

  it('that was dropped is not opened, and not made again by who tries', async (t) => {
    const folder = freshFolder(t);
    const documents = join(folder, 'documents');
    const generations = lmdbGenerations({ documents, state: join(folder, 'state') });
    const generation = await generations.begin(set, 1);
    assert.ok(generation);
    await generations.drop(generation);
    await assert.rejects(generations.documents(generation).open([]), /in use by somebody who has just dropped it/);
    assert.deepEqual(readdirSync(documents), []);
    // Whoever comes second is refused.
    const again = await generations.begin(set, 1);
    assert.ok(again);
    const [opening, drop] = await Promise.allSettled([generations.documents(again).open([]), generations.drop(again)]);
    assert.equal([opening, drop].filter(({ status }) => status === 'rejected').length, 1);
    if (drop.status === 'fulfilled') assert.ok(await generations.begin(set, 1));
  });

  it('frees the room of a drop that was cut short when it is opened', async (t) => {
    const folder = freshFolder(t);
    const documents = join(folder, 'documents');
    const generations = lmdbGenerations({ documents, state: join(folder, 'state') });
    const generation = await generations.begin(set, 2);
    assert.ok(generation);
    mkdirSync(join(documents, '0123456789ab_1.89abcdef.dropped'));
    const store = generations.documents(generation);
    await store.open([]);
    await store.close();
    assert.deepEqual(readdirSync(documents), [generation.name]);
  });

  it('is none while nobody has written down what it is', async (t) => {
    const folder = freshFolder(t);
    const documents = join(folder, 'documents');
    mkdirSync(join(documents, '0123456789ab_1'), { recursive: true });
    const generations = lmdbGenerations({ documents, state: join(folder, 'state') });
    assert.deepEqual(await generations.list(), []);
    assert.ok(await generations.begin(set, 1));
  });
});
