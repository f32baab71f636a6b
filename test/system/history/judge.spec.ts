import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gone, type Connection, type History, type Seen, type Told, type Written, type Setup } from './history.js';
import { violationsIn } from './judge.js';

const nothing: History = { written: [], seen: [], counted: [], told: [], connections: [], messages: [], strange: [] };
const things = (versions: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(versions));

type Versions = Readonly<Record<string, number>>;
const wrote = (session: string, [begun, acknowledged]: readonly [number, number?], versions: Versions): Written => ({
  session,
  begun,
  ...(acknowledged === undefined ? {} : { acknowledged }),
  things: things(versions),
  telling: 'each',
});
const saw = (session: string, [begun, ended]: readonly [number, number], versions: Versions): Seen => ({
  session,
  begun,
  ended,
  things: things(versions),
});
const told = (connection: string, at: number, thing: string, version = 1): Told => ({ connection, at, thing, version });
const here = (name: string, begun = 1): Connection => ({
  name: `${name}#1`,
  session: name,
  begun,
  ready: begun + 1,
  isWhole: false,
});
const whole = (name: string, begun: number): Connection => ({ ...here(name, begun), isWhole: true });

const kindsIn = (history: Partial<History>, setup: Setup = 'one node'): readonly string[] =>
  violationsIn({ ...nothing, ...history }, setup).map(({ kind }) => kind);

describe('the judge of a history', () => {
  const written = [wrote('Ada', [10, 20], { m: 1 })];

  it('wants a read to see what was acknowledged to anybody before it began, on one node', () => {
    assert.deepEqual(kindsIn({ written, seen: [saw('Bob', [21, 25], { m: 0 })] }), ['missed', 'back']);
    assert.deepEqual(kindsIn({ written, seen: [saw('Bob', [19, 25], { m: 0 })] }), []);
    assert.deepEqual(kindsIn({ written: [wrote('Ada', [10], { m: 1 })], seen: [saw('Bob', [21, 25], { m: 0 })] }), []);
    assert.deepEqual(kindsIn({ written, seen: [saw('Bob', [21, 25], { n: 0 })] }), [], 'it says nothing of it');
  });

  it('wants it to see what was acknowledged before its connection came, on many', () => {
    const seen = [saw('Bob', [31, 35], { m: 0 })];
    assert.deepEqual(kindsIn({ written, seen, connections: [here('Bob', 21)] }, 'many nodes'), ['missed']);
    assert.deepEqual(kindsIn({ written, seen, connections: [here('Bob', 19)] }, 'many nodes'), []);
    assert.deepEqual(kindsIn({ written, seen, connections: [here('Bob', 5), here('Bob', 21)] }, 'many nodes'), [
      'missed',
    ]);
  });

  for (const setup of ['one node', 'many nodes'] as const) {
    it(`finds a session that goes back, on ${setup}`, () => {
      const maybe = { written: [wrote('Ada', [10], { m: 1 })], connections: [here('Bob')] };
      const read = saw('Bob', [31, 35], { m: 0 });
      assert.deepEqual(kindsIn({ ...maybe, seen: [saw('Bob', [21, 25], { m: 1 }), read] }, setup), ['back']);
      const others = kindsIn({ ...maybe, seen: [saw('Cleo', [21, 25], { m: 1 }), read] }, setup);
      assert.deepEqual(others, setup === 'one node' ? ['back'] : []);
      assert.deepEqual(kindsIn({ ...maybe, seen: [read], told: [told('Bob#1', 30, 'm')] }, setup), ['back']);
      assert.deepEqual(kindsIn({ ...maybe, seen: [read], told: [told('Bob#1', 32, 'm')] }, setup), [], 'meanwhile');
    });
  }

  it('wants a session to read what it wrote itself, on many nodes', () => {
    const seen = [saw('Ada', [21, 25], { m: 0 })];
    assert.deepEqual(kindsIn({ written, seen, connections: [here('Ada')] }, 'many nodes'), ['back']);
  });

  it('finds what came back after it was deleted', () => {
    const deleted = [...written, wrote('Ada', [30, 40], { m: gone })];
    assert.deepEqual(kindsIn({ written: deleted, seen: [saw('Bob', [41, 45], { m: 1 })] }), ['missed', 'back']);
    assert.deepEqual(kindsIn({ written: deleted, seen: [saw('Bob', [39, 45], { m: 1 })] }), []);
  });

  it('finds what nobody had written, in a read or an update', () => {
    assert.deepEqual(kindsIn({ written, seen: [saw('Bob', [21, 25], { m: 2 })] }), ['invented']);
    assert.deepEqual(kindsIn({ written, told: [told('Bob#1', 9, 'm')] }), ['invented']);
    assert.deepEqual(kindsIn({ strange: ['nobody sent x'] }), ['strange']);
  });

  it('finds a read that shows a part of what happened at once, on one node', () => {
    const both = [wrote('Ada', [10], { m: 1 }), wrote('Ada', [11], { n: 1 }), wrote('Ada', [12], { m: gone, n: gone })];
    const seen = [saw('Bob', [21, 25], { m: gone, n: 1 })];
    assert.deepEqual(kindsIn({ written: both, seen }), ['half']);
    assert.deepEqual(kindsIn({ written: both, seen }, 'many nodes'), []);
    assert.deepEqual(kindsIn({ written: both, seen: [saw('Bob', [21, 25], { m: gone })] }), []);
    assert.deepEqual(kindsIn({ written: both, seen: [saw('Bob', [21, 25], { m: gone, n: gone })] }), []);
  });

  it('counts what must be unread, and what may be, on one node', () => {
    const messages = [
      { thing: 'm', chat: 'c', session: 'Ada', id: 5n },
      { thing: 'n', chat: 'c', session: 'Ada', id: 6n },
      { thing: 'o', chat: 'c', session: 'Bob', id: 7n },
    ];
    const sent = [...written, wrote('Ada', [22], { n: 1 }), wrote('Bob', [1, 2], { o: 1 })];
    const counts = (unread: number, marker = 0n) =>
      kindsIn({
        written: sent,
        messages,
        counted: [{ session: 'Bob', begun: 21, ended: 25, chat: 'c', unread, marker }],
      });
    assert.deepEqual([counts(0), counts(1), counts(2), counts(3)], [['miscounted'], [], [], ['miscounted']]);
    assert.deepEqual([counts(0, 5n), counts(2, 5n)], [[], ['miscounted']]);
  });

  it('finds an update that comes twice, after a later one, or in another order than to others', () => {
    const two = [...written, wrote('Ada', [11], { n: 1 }), wrote('Ada', [30, 31], { m: 2 })];
    const heard = (...updates: readonly Told[]) => kindsIn({ written: two, told: updates });
    assert.deepEqual(heard(told('Bob#1', 40, 'm'), told('Bob#1', 41, 'm')), ['twice']);
    assert.deepEqual(heard(told('Bob#1', 40, 'm', 2), told('Bob#1', 41, 'm', 1)), ['order']);
    assert.deepEqual(heard(told('Bob#1', 40, 'm'), told('Bob#2', 41, 'm')), []);
    const [first, then] = [told('Bob#1', 40, 'm'), told('Bob#1', 41, 'n')];
    assert.deepEqual(heard(first, then, told('Cleo#1', 40, 'n'), told('Cleo#1', 41, 'm')), ['order']);
    assert.deepEqual(heard(first, then, told('Cleo#1', 40, 'm'), told('Cleo#1', 41, 'n')), []);
  });

  it('takes deletions for unordered on many nodes, where they are merged', () => {
    const two = [wrote('Ada', [10, 11], { m: gone }), wrote('Ada', [12, 13], { n: 1 })];
    const heard = [
      told('Bob#1', 40, 'm', gone),
      told('Bob#1', 41, 'n'),
      told('Cleo#1', 40, 'n'),
      told('Cleo#1', 41, 'm', gone),
    ];
    assert.deepEqual(kindsIn({ written: two, told: heard }), ['order']);
    assert.deepEqual(kindsIn({ written: two, told: heard }, 'many nodes'), []);
  });

  it('wants messages to be told in the order of their ids, on one node', () => {
    const messages = [
      { thing: 'm', chat: 'c', session: 'Ada', id: 5n },
      { thing: 'n', chat: 'c', session: 'Ada', id: 6n },
    ];
    const two = [...written, wrote('Ada', [11], { n: 1 })];
    const heard = [told('Bob#1', 40, 'n'), told('Bob#1', 41, 'm')];
    assert.deepEqual(kindsIn({ written: two, messages, told: heard }), ['order']);
    assert.deepEqual(kindsIn({ written: two, messages, told: heard }, 'many nodes'), []);
  });

  it('finds an update that a whole connection was owed', () => {
    const connections = [whole('Bob', 5), whole('Cleo', 15), here('Dora', 5)];
    assert.deepEqual(kindsIn({ written, connections }), ['lost']);
    assert.deepEqual(kindsIn({ written, connections, told: [told('Bob#1', 40, 'm')] }), []);
    const direct = written.map((write) => ({ ...write, audience: new Set(['Ada', 'Cleo']) }));
    assert.deepEqual(kindsIn({ written: direct, connections }), []);
  });

  it('lets a later version stand for one that it replaced, where only the latest is told', () => {
    const renamed = [wrote('Ada', [10, 20], { c: 1 }), wrote('Ada', [30, 40], { c: 2 })];
    const connections = [whole('Bob', 5)];
    const latest = renamed.map((write) => ({ ...write, telling: 'latest' as const }));
    assert.deepEqual(kindsIn({ written: renamed, connections, told: [told('Bob#1', 50, 'c', 2)] }), ['lost']);
    assert.deepEqual(kindsIn({ written: latest, connections, told: [told('Bob#1', 50, 'c', 2)] }), []);
    assert.deepEqual(kindsIn({ written: latest, connections, told: [told('Bob#1', 50, 'c', 1)] }), ['lost']);
  });
});
