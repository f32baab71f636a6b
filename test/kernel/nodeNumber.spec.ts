import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localLeases } from '../../src/adapters/leases/local.js';
import { memoryLeaseRecords, memoryLeases } from '../../src/adapters/leases/memory.js';
import type { LeaseRecords } from '../../src/adapters/leases/recorded.js';
import { epochMillis, partsOf, type Millis } from '../../src/kernel/ids.js';
import { nodeLease, nodeNumber, reservedMillis, skewMillisMax, type NodeNumber } from '../../src/kernel/nodeNumber.js';
import { heldMillisMax, LeaseLost, leaseMillis, type Leases } from '../../src/kernel/ports/leases.js';
import { nodeTimers, type NodeTimers } from '../support/nodeTimers.js';

const start = epochMillis + 1_000_000;

type Place = { readonly leases: Leases; readonly timers: NodeTimers; readonly troubles: unknown[] };

/** A node with a wall clock that is so far ahead of the true time. */
const started = ({ leases, timers, troubles }: Place, aheadMillis = 0): Promise<NodeNumber> =>
  nodeNumber({
    leases,
    timers,
    clock: { now: () => (start + aheadMillis + timers.now()) as Millis },
    after: 0 as Millis,
    onTrouble: (error) => {
      troubles.push(error);
    },
  });

/** Records that can be cut off from a node. */
const network = (records: LeaseRecords) => {
  const state = { isCut: false };
  const through = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (state.isCut) throw new Error('cut off');
    return ask();
  };
  const cut: LeaseRecords = {
    read: (name) => through(() => records.read(name)),
    begin: (record) => through(() => records.begin(record)),
    change: (...what) => through(() => records.change(...what)),
    close: () => records.close(),
  };
  return { records: cut, state };
};

const setting = () => {
  const [records, timers] = [memoryLeaseRecords(), nodeTimers()];
  const place = (over: LeaseRecords = records): Place => ({ leases: memoryLeases(over, timers), timers, troubles: [] });
  return { records, timers, place };
};

describe('the number of a node', () => {
  it('is that of no other', async () => {
    const { place } = setting();
    const nodes = await Promise.all(Array.from({ length: 8 }, () => started(place())));
    assert.deepEqual(nodes.map(({ held }) => held()).sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
    const ids = nodes.flatMap(({ next }) => [next(), next()]);
    assert.equal(new Set(ids).size, ids.length);
    for (const node of nodes) assert.equal(partsOf(node.next()).node, node.held());
  });

  it('is kept for as long as the node lives', async () => {
    const { place, timers } = setting();
    const node = await started(place());
    for (let step = 0; step < 60; step += 1) {
      await timers.passUntil(() => true);
      timers.pass(1_000);
      await timers.passUntil(() => true);
      assert.equal(partsOf(node.next()).node, 0);
    }
    assert.equal((await started(place())).held(), 1);
  });

  it('makes no more ids once it cannot be renewed, and others as soon as there is one again', async () => {
    const { records, place, timers } = setting();
    const { records: mine, state } = network(records);
    const here = place(mine);
    const node = await started(here);
    const last = node.next();
    state.isCut = true;
    const heldFor = await timers.passUntil(() => node.held() === undefined);
    assert.ok(heldFor <= heldMillisMax + 100);
    assert.throws(() => node.next(), LeaseLost);
    assert.ok(here.troubles.some((error) => error instanceof LeaseLost));
    state.isCut = false;
    await timers.passUntil(() => node.held() !== undefined);
    assert.ok(node.next() > last);
  });

  it('of a dead node is taken over when all others are taken, with ids that the dead one cannot have made', async () => {
    const { records, place, timers } = setting();
    const { records: theirs, state } = network(records);
    // Its clock is ahead, and it makes all the ids that it may until the end.
    const dead = await started(place(theirs), skewMillisMax);
    const made = new Set([dead.next()]);
    state.isCut = true;
    const taken = place();
    for (let number = 1; number < 1_024; number += 1) {
      await records.begin({ name: nodeLease(number), fence: 1n, counter: 1n, holder: 'others', note: 0n });
    }
    let heir: NodeNumber | undefined;
    const starting = started(taken).then((node) => (heir = node));
    // The others live.
    const renewals = async (): Promise<void> => {
      for (let number = 1; number < 1_024; number += 1) {
        await records.change({ name: nodeLease(number), fence: 1n }, {});
      }
    };
    let passed = 0;
    while (heir === undefined && passed < 60_000) {
      await renewals();
      await timers.passUntil(() => true);
      timers.pass(1_000);
      passed += 1_000;
      await timers.passUntil(() => true);
      try {
        made.add(dead.next());
      } catch (error) {
        assert.ok(error instanceof LeaseLost);
      }
    }
    await starting;
    assert.ok(passed >= leaseMillis && passed <= leaseMillis + reservedMillis);
    assert.equal(heir?.held(), 0);
    const newest = [...made].reduce((one, other) => (one > other ? one : other));
    assert.ok(heir.next() > newest);
  });

  it('that was given back can be taken at once, for later ids', async () => {
    const { place } = setting();
    const first = await started(place());
    const last = first.next();
    await first.close();
    assert.throws(() => first.next(), LeaseLost);
    const second = await started(place(), 10);
    assert.equal(second.held(), 0);
    assert.ok(second.next() > last);
  });

  it('that was given back by a node whose clock is ahead is passed by', async () => {
    const { place } = setting();
    const ahead = await started(place(), 60_000);
    ahead.next();
    await ahead.close();
    assert.equal((await started(place())).held(), 1);
  });

  it('follows the ids of others, unless their clocks are wrong', async () => {
    const { place } = setting();
    const [node, ahead, wrong] = [
      await started(place()),
      await started(place(), skewMillisMax - 10),
      await started(place(), skewMillisMax + 60_000),
    ];
    const asked = ahead.next();
    assert.ok(node.next() < asked);
    node.saw(asked);
    assert.ok(node.next() > asked);
    const mad = wrong.next();
    node.saw(mad);
    assert.ok(node.next() < mad);
  });

  it('needs no renewal where there is only one node', async () => {
    const timers = nodeTimers();
    const node = await started({ leases: localLeases(), timers, troubles: [] });
    timers.pass(3_600_000);
    assert.equal(partsOf(node.next()).node, 0);
    assert.equal(timers.waiting(), 0);
  });
});
