import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { searchCollections } from '../../../src/projections/search/documents.js';
import { postingIndex } from '../../../src/projections/search/postingIndex.js';
import {
  candidatesIn,
  isFoundBy,
  queryOf,
  wordsMax,
  type CandidateRange,
  type Query,
  type Slice,
} from '../../../src/projections/search/queries.js';
import { hashOfTerm, termsOf, type Term } from '../../../src/projections/search/terms.js';
import { propertyRun } from '../../support/propertyRun.js';
import { aChat, author, hashed, period } from './setting.js';

const searchable = (text: string) => ({ text, entities: [], mentions: [] });
const hashesOf = (terms: Iterable<Term>) => Array.from(terms, (term) => hashOfTerm(term, (value) => hashed(value)));

/** An index of these messages, whose ids are 1, 2, 3 and so on. */
const indexed = async (texts: readonly string[]): Promise<DocumentStore> => {
  const store = memoryDocuments();
  await store.open(searchCollections);
  const index = postingIndex({
    store,
    commit: store.commit,
    breath: () => undefined,
    onDamaged: ({ key }) => assert.fail(`${key} does not read`),
  });
  await index.begin();
  await index.fold(
    texts.map((text, at) => ({
      kind: 'sent',
      position: BigInt(at + 1),
      message: BigInt(at + 1) as never,
      chat: aChat,
      subject: author,
      period,
      terms: hashesOf(termsOf(searchable(text))),
    })),
  );
  await index.commit(BigInt(texts.length));
  return store;
};

type Found = { readonly ids: readonly number[]; readonly steps: number };

const candidates = async (
  store: DocumentStore,
  query: Query,
  page: Pick<CandidateRange, 'since' | 'before'> = {},
): Promise<Found> => {
  let steps = 0;
  const slice: Slice = {
    spend: (more) => {
      steps += more;
    },
    isOver: () => false,
    breath: () => undefined,
  };
  const reads = { store, hashed: (_: string, terms: Iterable<Term>) => hashesOf(terms) };
  const found = await candidatesIn(reads, { ...query, ...page, chats: [aChat] }, slice.breath);
  const ids: number[] = [];
  while (!found.isExhausted()) for (const { message } of await found.next(10, slice)) ids.push(Number(message));
  return { ids, steps };
};

const asked = (text: string): Query => queryOf(text) ?? assert.fail(`${text} asks for nothing`);

describe('the candidates of a search', () => {
  it('are only messages with a word that has all of a beginning, of whatever length that is', async () => {
    const texts = Array.from({ length: 600 }, (_, at) => (at === 3 ? 'upgrading everywhence' : 'upgrade everywhere'));
    const store = await indexed(texts);
    for (const query of ['upgrz', 'upgradz', 'everywhez', 'everywherz', 'upgrade everywherz', 'upgrading everywhere']) {
      const { ids, steps } = await candidates(store, asked(query));
      assert.deepEqual(ids, [], query);
      assert.ok(steps < 100, `${query}: ${steps.toString()} steps`);
    }
    for (const query of ['upgradi', 'everywhen', 'everywhence', 'upgrading every', 'upgrading everywhe']) {
      const { ids, steps } = await candidates(store, asked(query));
      assert.deepEqual(ids, [4], query);
      assert.ok(steps < 100, `${query}: ${steps.toString()} steps`);
    }
    assert.equal((await candidates(store, asked('upgrade'))).ids.length, 599);
    assert.equal((await candidates(store, asked('upgra'))).ids.length, 600);
  });

  it('are those of a shorter beginning where very many words have the long one', async () => {
    const texts = Array.from({ length: wordsMax + 1 }, (_, at) => `versions${at.toString().padStart(3, '0')}`);
    const store = await indexed([...texts, 'versio', 'versed']);
    const { ids } = await candidates(store, asked('versions'));
    assert.deepEqual(
      ids,
      Array.from({ length: wordsMax + 2 }, (_, at) => wordsMax + 2 - at),
    );
    assert.equal((await candidates(store, asked('versions01'))).ids.length, 10);
  });

  it('are in order all messages that have the query, each once', async () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 18 });
    const texts = fc.array(fc.array(letters, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 40 });
    const anchors = fc.option(fc.nat({ max: 40 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(texts, letters, anchors, fc.boolean(), async (words, beginning, anchor, isUp) => {
        const store = await indexed(words.map((some) => some.join(' ')));
        const query = asked(beginning);
        const at = anchor === undefined ? undefined : BigInt(anchor);
        const page = at === undefined ? {} : isUp ? { since: at } : { before: at };
        const { ids } = await candidates(store, query, page);
        const expected = words.flatMap((some, index) => {
          const isOn = anchor === undefined || (isUp ? index + 1 > anchor : index + 1 < anchor);
          return isOn && isFoundBy(query, searchable(some.join(' '))) ? [index + 1] : [];
        });
        const inOrder = at !== undefined && isUp ? expected : expected.toReversed();
        // Behind the sixteenth letter words are told apart by a look at the message alone.
        if (beginning.length <= 16) assert.deepEqual(ids, inOrder);
        else
          assert.deepEqual(
            ids.filter((id) => expected.includes(id)),
            inOrder,
          );
      }),
      propertyRun(60),
    );
  });
});
