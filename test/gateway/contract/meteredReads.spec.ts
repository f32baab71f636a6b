import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import { turns } from '../../../src/gateway/requests/turns.js';
import { costs, sliceUnitsMax, type Meter } from '../../../src/gateway/contract/meter.js';
import { keysPerReadMax, meteredReads } from '../../../src/gateway/contract/meteredReads.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { readsOf } from '../../support/reads.js';

const collection = 'things';

/** A store with so many documents of so many bytes, whose reads settle at once. */
const storeOf = async (documents: number, bytes: number): Promise<DocumentStore> => {
  const store = memoryDocuments();
  await store.open([{ name: collection, indexes: ['all'] }]);
  const keys = Array.from({ length: documents }, (_, index) => BigInt(index + 1));
  const writes = keys.map((rank) => ({
    collection,
    key: rank.toString(),
    document: 'x'.repeat(bytes),
    position: rank,
    indexKeys: { all: [[rank]] },
  }));
  await store.commit(writes, []);
  return store;
};

const counting = () => {
  const counted = { units: 0 };
  const spend = (units: number): void => {
    counted.units += units;
  };
  const turn: Meter['turn'] = (units) => {
    spend(units);
    return undefined;
  };
  const meter: Meter = { spend, turn };
  return { counted, meter };
};

const all = { collection, index: 'all', within: [], order: 'ascending', limit: 1_000 } as const;
const close = (one: number, other: number): void => {
  assert.ok(Math.abs(one - other) < 0.2, `${one.toString()} is not ${other.toString()}`);
};

describe('reads on a meter', () => {
  it('count each document and its bytes, and index entries by the thousand', async () => {
    const store = await storeOf(100, 10_240);
    const { counted, meter } = counting();
    const reads = meteredReads(readsOf(store), { meter });
    assert.equal((await reads.store.range(all)).length, 100);
    close(counted.units, 100 * costs.document + 1_000 * costs.kibibyteRead);
    counted.units = 0;
    await reads.store.get(collection, 'nothing');
    assert.equal(counted.units, costs.document);
    counted.units = 0;
    assert.equal(await reads.store.count(all), 100);
    close(counted.units, costs.document + costs.thousandCounted / 10);
  });

  it('of many keys answer in their order, some at a time', async () => {
    const store = await storeOf(250, 1);
    const asked: number[] = [];
    const counted: DocumentStore = {
      ...store,
      getMany: (name, keys) => {
        asked.push(keys.length);
        return store.getMany(name, keys);
      },
    };
    const reads = meteredReads(readsOf(counted), counting());
    const keys = Array.from({ length: 250 }, (_, index) => (250 - index).toString());
    const found = await reads.store.getMany(collection, keys);
    assert.deepEqual(
      found.map(({ key }) => key),
      keys,
    );
    assert.deepEqual(asked, [keysPerReadMax, keysPerReadMax, 50]);
  });

  it('let others in each time that a slice is used up, and go on in the order of asking, each after one wait', async () => {
    const store = await storeOf(1, 1);
    const slice = turns(sliceUnitsMax);
    let inRound = 0;
    let waits = 0;
    const rounds: number[] = [];
    const meter: Meter = {
      spend: (units) => {
        inRound += units;
        slice.spend(units);
      },
      turn: (units) => {
        waits += 1;
        const begun = (): void => void (inRound += units);
        const until = slice.until(units);
        if (until === undefined) begun();
        return until?.then(begun);
      },
    };
    const readers = [1, 2, 3].map(() => meteredReads(readsOf(store), { meter }));
    const state = { isDone: false };
    const read: number[] = [];
    const reading = Promise.all(
      Array.from({ length: 900 }, async (_, at) => {
        await readers[at % 3]?.store.get(collection, '1');
        read.push(at);
      }),
    ).then(() => (state.isDone = true));
    while (!state.isDone) {
      await turn();
      rounds.push(inRound);
      inRound = 0;
    }
    await reading;
    assert.ok(rounds.length >= (900 * costs.document) / (2 * sliceUnitsMax), rounds.length.toString());
    assert.ok(Math.max(...rounds) <= sliceUnitsMax * 2 + 1, Math.max(...rounds).toString());
    assert.equal(waits, read.length);
    assert.deepEqual(
      read,
      Array.from({ length: 900 }, (_, at) => at),
    );
  });
});
