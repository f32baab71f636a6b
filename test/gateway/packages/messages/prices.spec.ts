import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../../src/adapters/documents/memory.js';
import { costs, type Meter } from '../../../../src/gateway/contract/meter.js';
import { meteredIndex } from '../../../../src/gateway/packages/messages/search.js';
import { chargeIndexed, termsInPrice } from '../../../../src/gateway/packages/messages/sending/indexed.js';
import { mentionsIn, type MentionNeeds } from '../../../../src/gateway/packages/messages/sending/mentions.js';
import { contentOf, passingContentOf } from '../../../../src/gateway/packages/messages/wire.js';
import type { ChatKey } from '../../../../src/kernel/chat.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { UserId } from '../../../../src/kernel/ids.js';
import { headCollection, searchCollections } from '../../../../src/projections/search/documents.js';
import { candidatesIn } from '../../../../src/projections/search/queries.js';
import { messageTermsMax } from '../../../../src/projections/search/terms.js';

const counting = () => {
  let units = 0;
  const meter: Meter = { spend: (more) => (units += more), turn: (more) => void (units += more) };
  return { meter, units: () => units };
};

describe('what is charged before it is done', () => {
  it('is the part of a text that makes more terms than others do', () => {
    const { meter, units } = counting();
    const words = (text: string) => ({ text, entities: [] });
    chargeIndexed({ meter }, words('hello everybody, how are you today?'));
    assert.equal(units(), 0);
    chargeIndexed(
      { meter },
      words(Array.from({ length: 4_000 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('')),
    );
    assert.equal(units(), costs.termIndexed * (messageTermsMax - termsInPrice));
  });

  it('is the hosts of the links behind a text as well', () => {
    const { meter, units } = counting();
    const url = (at: number) => `https://host${at.toString()}.example.org/path`;
    const entities = Array.from({ length: 100 }, (_, at) => ({ kind: 'textUrl', url: url(at) }) as const);
    chargeIndexed({ meter }, { text: 'hello', entities });
    assert.ok(units() > costs.termIndexed * 100, units().toString());
  });

  it('is known in the tick in which a request begins, so that others wait for it', () => {
    const { meter, units } = counting();
    const letters = Array.from({ length: 3_000 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('');
    assert.ok(!isRejection(contentOf({ meter }, letters, [])));
    assert.equal(units(), costs.termIndexed * (messageTermsMax - termsInPrice));
  });

  it('is nothing of a search for a text that only its preview is asked of', () => {
    const { meter, units } = counting();
    const letters = Array.from({ length: 3_000 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('');
    assert.ok(!isRejection(passingContentOf({ meter }, letters, [])));
    assert.equal(units(), 0);
  });

  it('is each link that is parsed, of a text that is refused for one as well', () => {
    const { meter, units } = counting();
    const links = Array.from({ length: 200 }, (_, at) => ({ startIndex: at, length: 1, textUrl: { url: 'http://a' } }));
    const wire = [...links, { startIndex: 0, length: 1, textUrl: { url: 'no link' } }];
    // Nothing else of an entity is read.
    const entities = wire as unknown as Parameters<typeof contentOf>[2];
    assert.ok(isRejection(contentOf({ meter }, 'x'.repeat(200), entities)));
    assert.ok(Math.abs(units() - 201 * costs.linkParsed) < 0.01, units().toString());
  });

  it('is each user whom a text names', async () => {
    const { meter, units } = counting();
    const atLookup: number[] = [];
    const names: MentionNeeds['names'] = {
      nameOf: (_, name) => ({ name }) as unknown as ReturnType<MentionNeeds['names']['nameOf']>,
      holderOf: () => {
        atLookup.push(units());
        return Promise.resolve(undefined);
      },
    };
    const text = '@one @two @six';
    const entities = [0, 5, 10].map((start) => ({ kind: 'username' as const, start, length: 4 }));
    const naming = {
      key: 'dm.1.2' as ChatKey,
      place: { kind: 'direct' as const, users: [1n, 2n] as unknown as readonly [UserId, UserId] },
      author: 1n as UserId,
      meter,
    };
    // Nothing of access is asked in a direct chat.
    const needs = { names, access: undefined } as unknown as MentionNeeds;
    await mentionsIn(needs, { text, entities }, naming as unknown as Parameters<typeof mentionsIn>[2]);
    assert.equal(atLookup.length, 3);
    assert.ok(atLookup.every((spent) => spent >= 3 * costs.document));
  });

  it('is each list of a search, and a rare word spares the lists of the others', async () => {
    const { meter, units } = counting();
    const store = memoryDocuments();
    await store.open(searchCollections);
    const atRead: (readonly [number, number])[] = [];
    const index = meteredIndex(
      {
        hashed: (_, terms) => Promise.resolve(Array.from(terms, (term) => term.padEnd(12, '_'))),
        store: {
          getMany: (collection, keys) => {
            assert.equal(collection, headCollection);
            atRead.push([keys.length, units()]);
            return store.getMany(collection, keys);
          },
          scan: store.scan,
        },
      },
      { meter },
    );
    const chats = Array.from({ length: 40 }, (_, at) => `channel.1.${at.toString()}` as ChatKey);
    const found = await candidatesIn(index, { chats, terms: ['wrare', 'wcommon'] }, () => undefined);
    assert.ok(found.isExhausted());
    assert.deepEqual(
      atRead.map(([lists]) => lists),
      [16, 16, 8],
    );
    let looked = 0;
    for (const [lists, spent] of atRead) assert.ok(spent >= costs.postingList * (looked += lists) - 1e-9);
  });
});
