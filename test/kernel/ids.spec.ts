import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epochMillis, millisOf, nodeMax, partsOf, snowflakeOf, snowflakes, type Millis } from '../../src/kernel/ids.js';

const counterMax = 4_095;
const timeMax = 2 ** 41 - 1;
const at = fc.integer({ min: 0, max: timeMax }).map((since) => (epochMillis + since) as Millis);
const node = fc.integer({ min: 0, max: nodeMax });
const counter = fc.integer({ min: 0, max: counterMax });
const snowflake = fc.record({ at, node, counter }, { noNullPrototype: true });

describe('a snowflake', () => {
  it('gives back the parts that it was made of', () => {
    fc.assert(
      fc.property(snowflake, (parts) => {
        assert.deepEqual(partsOf(snowflakeOf(parts)), parts);
        assert.equal(millisOf(snowflakeOf(parts)), parts.at);
      }),
    );
  });

  it('fits in 63 bits', () => {
    const last = snowflakeOf({ at: (epochMillis + timeMax) as Millis, node: nodeMax, counter: counterMax });
    assert.equal(last, 2n ** 63n - 1n);
  });

  it('sorts by time, whatever the node and the counter', () => {
    fc.assert(
      fc.property(fc.tuple(at, node, counter), fc.tuple(at, node, counter), (one, other) => {
        fc.pre(one[0] < other[0]);
        const [first, second] = [one, other].map(([time, n, c]) => snowflakeOf({ at: time, node: n, counter: c }));
        assert.ok((first ?? 0n) < (second ?? 0n));
      }),
    );
  });
});

describe('a maker of snowflakes', () => {
  const made = (times: readonly number[], ofNode: number): readonly bigint[] => {
    let index = 0;
    const next = snowflakes(ofNode, () => (times[index++] ?? epochMillis) as Millis);
    return times.map(() => next());
  };

  it('makes ids that only grow, however the clock jumps, and never 0', () => {
    const times = fc.array(fc.integer({ min: epochMillis - 1_000, max: epochMillis + 1_000 }), { maxLength: 300 });
    fc.assert(
      fc.property(times, node, (clock, ofNode) => {
        let last = 0n;
        for (const id of made(clock, ofNode)) {
          assert.ok(id > last);
          assert.equal(partsOf(id).node, ofNode);
          last = id;
        }
      }),
    );
  });

  it('is at the time of the clock, or ahead of it', () => {
    const times = fc.array(fc.integer({ min: epochMillis + 1, max: epochMillis + 50 }), { maxLength: 100 });
    fc.assert(
      fc.property(times, (clock) => {
        for (const [index, id] of made(clock, 3).entries()) {
          assert.equal(millisOf(id), Math.max(...clock.slice(0, index + 1)));
        }
      }),
    );
  });

  it('runs ahead of the clock when the numbers of a millisecond are used up', () => {
    const now = epochMillis + 5;
    const ids = made(
      Array.from({ length: 2 * (counterMax + 1) + 1 }, () => now),
      1,
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(partsOf(ids[counterMax] ?? 0n), { at: now, node: 1, counter: counterMax });
    assert.deepEqual(partsOf(ids[counterMax + 1] ?? 0n), { at: now + 1, node: 1, counter: 0 });
    assert.deepEqual(partsOf(ids.at(-1) ?? 0n), { at: now + 2, node: 1, counter: 0 });
  });

  it('gives ids of different nodes apart in the same millisecond', () => {
    const now = Array.from({ length: 100 }, () => epochMillis + 5);
    assert.equal(new Set([...made(now, 1), ...made(now, 2)]).size, 200);
  });
});
