import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { CollectionSpec, DocumentStore, DocumentWrite } from '../../src/kernel/ports/documentStore.js';
import type { Generation, Generations, GenerationSet } from '../../src/kernel/ports/generations.js';
import { dropAll, ensuredGeneration, servedGeneration, witnessIn } from '../../src/kernel/generations.js';

/** A place for generations of a test's own. */
export type GenerationsPlace = {
  /** Each is what another process has. */
  readonly generations: () => Generations;
  /** The documents of a release without generations, open. */
  readonly former: () => DocumentStore;
  /** What a newer release would have written down, which older ones must not pass over. */
  readonly layOutAnew: () => Promise<void>;
  /** Where it is, as refusals name it. */
  readonly where: RegExp;
};

const one: GenerationSet = { name: '0123456789ab', types: ['notes_v1'] };
const other: GenerationSet = { name: 'ba9876543210', types: ['notes_v2'] };
const notes: readonly CollectionSpec[] = [{ name: 'notes_v1', indexes: [] }];

const note = (text: string): DocumentWrite => ({
  ...{ collection: 'notes_v1', key: 'n', indexKeys: {} },
  ...{ document: { text }, position: 1n },
});

const checkpoint = { projection: 'notes notes_v1', position: 1n };

/** Writes into the documents, and closes them. */
const written = async (documents: DocumentStore, text: string): Promise<void> => {
  await documents.open(notes);
  await documents.commit([note(text)], [checkpoint]);
  await documents.close();
};

const textIn = async (documents: DocumentStore): Promise<unknown> => {
  await documents.open(notes);
  const { document } = await documents.get('notes_v1', 'n');
  const position = await documents.checkpoint(checkpoint.projection);
  await documents.close();
  assert.equal(position, document === undefined ? 0n : 1n);
  return document;
};

const begun = async (generations: Generations, set: GenerationSet, number: number): Promise<Generation> => {
  const generation = await generations.begin(set, number);
  assert.ok(generation);
  return generation;
};

export const generationsContract = (
  name: string,
  makePlace: (t: TestContext) => GenerationsPlace,
  { skip }: { readonly skip: string | false } = { skip: false },
): void => {
  describe(`generations: ${name}`, { skip }, () => {
    it('are made once under each number, whoever is first', async (t) => {
      const place = makePlace(t);
      assert.deepEqual(await place.generations().list(), []);
      const made = await Promise.all([1, 2, 3].map(() => place.generations().begin(one, 1)));
      assert.equal(made.filter((found) => found !== undefined).length, 1);
      await begun(place.generations(), one, 2);
      await begun(place.generations(), other, 1);
      assert.deepEqual(await place.generations().list(), [
        { name: '0123456789ab_1', set: one.name, number: 1, types: one.types },
        { name: '0123456789ab_2', set: one.name, number: 2, types: one.types },
        { name: 'ba9876543210_1', set: other.name, number: 1, types: other.types },
      ]);
    });

    it('are one for several nodes that start at once without any', async (t) => {
      const place = makePlace(t);
      const found = await Promise.all([1, 2, 3].map(() => ensuredGeneration(place.generations(), one)));
      assert.deepEqual(new Set(found.map((generation) => generation.name)), new Set(['0123456789ab_1']));
    });

    it('do not serve again under the name of one that was chosen and is gone', async (t) => {
      const generations = makePlace(t).generations();
      const [first, second] = [await begun(generations, one, 1), await begun(generations, one, 2)];
      await generations.serve(second);
      await generations.drop(second);
      assert.deepEqual(await ensuredGeneration(generations, one), first);
      await begun(generations, one, 2);
      assert.deepEqual(await ensuredGeneration(generations, one), first);
    });

    it('serve when they are chosen, or as the first of their set', async (t) => {
      const generations = makePlace(t).generations();
      assert.equal(await servedGeneration(generations, one.name), undefined);
      const [first, second] = [await begun(generations, one, 1), await begun(generations, one, 2)];
      assert.equal(await generations.serving(one.name), undefined);
      assert.deepEqual(await servedGeneration(generations, one.name), first);
      await generations.serve(second);
      assert.equal(await generations.serving(one.name), second.name);
      assert.equal(await generations.servedBefore(one.name), undefined);
      await generations.serve(first, second.name);
      await generations.serve(second, first.name);
      assert.equal(await generations.servedBefore(one.name), first.name);
      assert.equal(await generations.servedBefore(other.name), undefined);
      assert.deepEqual(await servedGeneration(generations, one.name), second);
      assert.equal(await servedGeneration(generations, other.name), undefined);
      await generations.drop(second);
      assert.deepEqual(await servedGeneration(generations, one.name), first);
    });

    it('keep their documents apart from each other and from those of before', async (t) => {
      const place = makePlace(t);
      const generations = place.generations();
      assert.equal(await generations.former.isThere(), false);
      await written(place.former(), 'former');
      const [first, second] = [await begun(generations, one, 1), await begun(generations, one, 2)];
      await written(generations.documents(first), 'first');
      await written(generations.documents(second), 'second');
      await generations.drop(second);
      assert.deepEqual(await generations.list(), [first]);
      const again = await begun(generations, one, 2);
      assert.equal(await textIn(generations.documents(again)), undefined);
      assert.deepEqual(await textIn(generations.documents(first)), { text: 'first' });
      assert.deepEqual(await textIn(place.former()), { text: 'former' });
      assert.equal(await generations.former.isThere(), true);
      await generations.former.drop();
      assert.equal(await generations.former.isThere(), false);
      assert.deepEqual(await textIn(generations.documents(first)), { text: 'first' });
    });

    it('are left alone by a release that drops the collections it does not name', async (t) => {
      const place = makePlace(t);
      const generations = place.generations();
      const first = await begun(generations, one, 1);
      await written(generations.documents(first), 'first');
      await written(place.former(), 'former');
      const former = place.former();
      await former.open([]);
      await former.close();
      assert.deepEqual(await textIn(generations.documents(first)), { text: 'first' });
    });

    it('bear witness to whom they belong, named ones before others', async (t) => {
      const place = makePlace(t);
      const generations = place.generations();
      assert.equal(await witnessIn(generations, one.name), undefined);
      await written(place.former(), 'former');
      const before = await witnessIn(generations, one.name);
      assert.deepEqual(before?.owner, { status: 'unnamed' });
      await before.documents.open(await before.documents.collections());
      assert.deepEqual((await before.documents.get('notes_v1', 'n')).document, { text: 'former' });
      await before.documents.close();
      const documents = generations.documents(await begun(generations, other, 1));
      await documents.open(notes);
      await documents.belongTo('somebody');
      await documents.close();
      const after = await witnessIn(generations, one.name);
      assert.deepEqual(after?.owner, { status: 'named', deployment: 'somebody' });
      await after.documents.close();
      await dropAll(generations);
      assert.equal(await witnessIn(generations, one.name), undefined);
      assert.deepEqual(await generations.list(), []);
    });

    it('of a newer release are refused by name, and left as they are', async (t) => {
      const place = makePlace(t);
      const generations = place.generations();
      const first = await begun(generations, one, 1);
      await place.layOutAnew();
      const refused = { name: 'NewerLayout', message: place.where };
      await assert.rejects(generations.list(), refused);
      await assert.rejects(generations.begin(one, 2), refused);
      await assert.rejects(generations.serve(first), refused);
      await assert.rejects(generations.drop(first), refused);
    });
  });
};
