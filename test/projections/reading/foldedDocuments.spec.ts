import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Event } from '../../../src/kernel/event.js';
import type { UserId } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { deferred } from '../../../src/kernel/timing.js';
import { foldedDocuments } from '../../../src/projections/reading/foldedDocuments.js';
import { documentsOf } from '../../../src/projections/reading/queries.js';
import { ProjectionStopped } from '../../../src/projections/progress/waiters.js';
import { userDocuments } from '../../../src/projections/users/fold.js';
import { user } from '../../../src/projections/users/queries.js';
import { openStore, setting } from '../setting.js';

const ada = 1n as UserId;
const bob = 2n as UserId;
const cleo = 3n as UserId;
const registered = (id: UserId, name: string): Event => ({
  type: 'UserRegistered',
  data: { user: id, bot: false, name },
});
const renamed = (id: UserId, name: string): Event => ({ type: 'NameChanged', data: { user: id, name } });

/** Read models of which Ada is stored and Bob is not: the commits wait until `store` is called. */
const folding = async (t: TestContext) => {
  const { happened, written, start, reading } = setting();
  const documents = await openStore();
  const earlier = await start({ store: documents });
  await earlier.reached(await happened('user-1', registered(ada, 'Ada')));
  await earlier.close();
  const storing = deferred<undefined>();
  const slow: DocumentStore = {
    ...documents,
    commit: async (...batch) => {
      await storing.promise;
      await documents.commit(...batch);
    },
  };
  const projections = await start({ store: slow });
  const position = await happened('user-2', registered(bob, 'Bob'));
  await projections.folded.reached(position, ['users']);
  const store = (): void => {
    storing.resolve(undefined);
  };
  t.after(async () => {
    store();
    await projections.close();
  });
  return {
    stored: reading(documents),
    projections,
    position,
    store,
    happened,
    written,
    reads: reading(foldedDocuments(documents, projections.peek)),
  };
};

const names = (found: readonly { readonly name: unknown }[]): readonly unknown[] => found.map(({ name }) => name);

describe('reads by key', () => {
  it('see what is folded and not stored yet, among what is stored', async (t) => {
    const { stored, reads } = await folding(t);
    assert.equal(await user(stored, bob), undefined);
    assert.equal((await user(reads, bob))?.name, 'Bob');
    const keys = [bob, cleo, ada].map((id) => id.toString());
    assert.deepEqual(names(await documentsOf(reads, userDocuments, keys)), ['Bob', 'Ada']);
    assert.deepEqual(names(await documentsOf(reads, userDocuments, ['2'])), ['Bob']);
  });

  it('see the same once it is stored, and what came after', async (t) => {
    const { projections, position, store, happened, reads } = await folding(t);
    store();
    await projections.reached(position);
    assert.equal((await user(reads, bob))?.name, 'Bob');
    await projections.folded.reached(await happened('user-2', renamed(bob, 'Robert')), ['users']);
    assert.equal((await user(reads, bob))?.name, 'Robert');
  });

  it('do not wait for the disk, as ranges do', async (t) => {
    const { projections, position, store } = await folding(t);
    assert.equal(projections.folded.reached(position, ['users']), undefined);
    assert.ok(projections.folded.position() >= position);
    let isStored = false;
    const stored = projections.reached(position, ['users'])?.then(() => (isStored = true));
    assert.ok(stored !== undefined && !isStored);
    store();
    await stored;
  });

  it('are refused at once where the projection has stopped before what they must see, naming it', async (t) => {
    const { projections, written } = await folding(t);
    const position = await written('user-2', 'users.NameChanged.v1', '{"user":[]}');
    const refused = (error: unknown): boolean => error instanceof ProjectionStopped && error.projection === 'users';
    await assert.rejects(async () => projections.folded.reached(position, ['users']), refused);
    await assert.rejects(async () => projections.folded.reached(position, ['users']), refused);
  });
});
