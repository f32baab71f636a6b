import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { ReadingLine } from '../../../src/gateway/sockets/readingLine.js';

const named = (name: string, done: string[]) => ({ readFurther: () => void done.push(name) });

describe('connections from which reading is dear', () => {
  it('are read in the order in which they came, so many units in a round', async () => {
    const done: string[] = [];
    const line = new ReadingLine(16);
    const readers = ['first', 'second', 'third', 'fourth'].map((name) => named(name, done));
    assert.deepEqual(
      readers.map((one) => line.mayReadOn(one, 8)),
      [true, true, false, false],
    );
    assert.equal(line.mayReadOn(named('dear', done), 100), false);
    await nextRound();
    assert.deepEqual(done.splice(0), ['third', 'fourth']);
    await nextRound();
    assert.deepEqual(done, ['dear']);
  });

  it('take no turn from the others once they have left', async () => {
    const done: string[] = [];
    const line = new ReadingLine(16);
    assert.equal(line.mayReadOn(named('first', done), 16), true);
    const gone = Array.from({ length: 50 }, (_, at) => named(at.toString(), done));
    for (const one of gone) line.mayReadOn(one, 16);
    line.mayReadOn(named('last', done), 16);
    for (const one of gone) line.leave(one);
    await nextRound();
    assert.deepEqual(done, ['last']);
  });
});
