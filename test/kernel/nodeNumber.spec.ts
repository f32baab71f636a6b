import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localLeases } from '../../src/adapters/leases/local.js';
import { memoryIdMark } from '../../src/adapters/leases/memoryIdMark.js';
import { memoryLeaseRecords, memoryLeases } from '../../src/adapters/leases/memory.js';
import type { LeaseRecords } from '../../src/adapters/leases/recorded.js';
import { checkedClock, ClockWrong, skewMillisMax } from '../../src/kernel/checkedClock.js';
import { epochMillis, millisOf, partsOf, snowflakeOf, type Millis } from '../../src/kernel/ids.js';
import { nodeLease, nodeNumber, reservedMillis, type NodeNumber } from '../../src/kernel/nodeNumber.js';
import { heldMillisMax, LeaseLost, leaseMillis, type Leases } from '../../src/kernel/ports/leases.js';
import { nodeTimers, type NodeTimers } from '../support/nodeTimers.js';

const start = epochMillis + 1_000_000;

type Place = { readonly leases: Leases; readonly timers: NodeTimers; readonly troubles: unknown[] };

type Beginning = { aheadMillis?: number; sleptMillis?: number; readonly after?: number };

/** A node with a wall clock that is so far ahead of the true time, and a log with ids up to that time. */
const started = ({ leases, timers, troubles }: Place, beginning: Beginning = {}): Promise<NodeNumber> => {
  const onTrouble = (error: unknown): void => {
    troubles.push(error);
  };
  const wall = { now: () => (start + (beginning.aheadMillis ?? 0) + timers.now()) as Millis };
  const clock = checkedClock({ wall, timers, onTrouble });
  const uptime = { now: () => timers.now() + (beginning.sleptMillis ?? 0) };
  return nodeNumber({ leases, timers, uptime, clock, after: (beginning.after ?? 0) as Millis, onTrouble });
};

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
    time: () => through(() => records.time()),
    mark: { read: () => through(() => records.mark.read()), raise: (to) => through(() => records.mark.raise(to)) },
    close: () => records.close(),
  };
  return { records: cut, state };
};

const setting = () => {
  const timers = nodeTimers();
  const records = memoryLeaseRecords(() => (start + timers.now()) as Millis);
  const place = (over: LeaseRecords = records): Place => ({ leases: memoryLeases(over, timers), timers, troubles: [] });
  return { records, timers, place };
};

const makes = (node: NodeNumber): boolean => {
  try {
    return node.next() > 0n;
  } catch (error) {
    assert.ok(error instanceof LeaseLost);
    return false;
  }
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
    const dead = await started(place(theirs), { aheadMillis: skewMillisMax });
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
    const second = await started(place(), { aheadMillis: 10 });
    assert.equal(second.held(), 0);
    assert.ok(second.next() > last);
  });

  it('that was given back by a node whose ids are ahead is passed by', async () => {
    const { place } = setting();
    const ahead = await started(place(), { after: start + 60_000 });
    ahead.next();
    await ahead.close();
    assert.equal((await started(place())).held(), 1);
  });

  it('follows the ids of others, however far they are ahead', async () => {
    const { place, timers } = setting();
    const [node, other] = [await started(place()), await started(place(), { aheadMillis: skewMillisMax - 10 })];
    const asked = other.next();
    assert.ok(node.next() < asked);
    node.saw(asked);
    assert.ok(node.next() > asked);
    const far = snowflakeOf({ at: (start + 3_600_000) as Millis, node: 7, counter: 5 });
    node.saw(far);
    // The time up to there is not reserved yet; it is at once, and not only with the next renewal.
    assert.ok((await timers.passUntil(() => makes(node))) < 100);
    assert.ok(node.next() > far);
  });

  it('has ids after all that are in the log, with a mark that is raised before they are made', async () => {
    const { place, records, timers } = setting();
    const after = start + 3_600_000;
    const node = await started(place(), { after });
    for (let second = 0; second < 60; second += 1) {
      await timers.passUntil(() => true);
      timers.pass(1_000);
      await timers.passUntil(() => true);
      const made = millisOf(node.next());
      assert.ok(made > after);
      const mark = (await records.mark.read()) ?? 0;
      assert.ok(mark >= made && mark <= made + reservedMillis);
    }
  });

  it('makes ids from the clock of the store when its own is wrong, and names the time of both', async () => {
    for (const aheadMillis of [3_600_000, -3_600_000]) {
      const { place, timers } = setting();
      const here = place();
      const node = await started(here, { aheadMillis });
      assert.ok(Math.abs(millisOf(node.next()) - start) < 100);
      await timers.passUntil(() => timers.now() >= 10_000);
      assert.ok(Math.abs(millisOf(node.next()) - start - timers.now()) < 100);
      assert.equal(here.troubles.length, 1);
      const [trouble] = here.troubles;
      assert.ok(trouble instanceof ClockWrong);
      for (const time of [start, start + aheadMillis]) {
        assert.match(trouble.message, new RegExp(new Date(time).toISOString().replace('.', '\\.')));
      }
    }
  });

  it('takes no notice of a clock that is set while it is held', async () => {
    const { place, timers } = setting();
    const wall = { aheadMillis: 0 };
    const node = await started(place(), wall);
    for (const aheadMillis of [3_600_000, 0, -3_600_000]) {
      wall.aheadMillis = aheadMillis;
      assert.ok(Math.abs(millisOf(node.next()) - start - timers.now()) < 100);
      timers.pass(100);
    }
  });

  it('is not held by a machine that slept, until it is renewed', async () => {
    const { place, timers } = setting();
    const machine = { sleptMillis: 0 };
    const node = await started(place(), machine);
    machine.sleptMillis = heldMillisMax;
    assert.throws(() => node.next(), LeaseLost);
    await timers.passUntil(() => makes(node));
    assert.equal(node.held(), 0);
  });

  it('needs no renewal where there is only one node, and has a mark there as well', async () => {
    const [timers, mark] = [nodeTimers(), memoryIdMark()];
    const node = await started({ leases: localLeases(mark), timers, troubles: [] });
    for (const passed of [0, 3_600_000]) {
      timers.pass(passed);
      const made = millisOf(node.next());
      assert.equal(made, start + timers.now() + (passed === 0 ? 1 : 0));
      const marked = (await mark.read()) ?? 0;
      assert.ok(marked >= made && marked <= made + reservedMillis);
    }
    assert.equal(timers.waiting(), 0);
  });
});
