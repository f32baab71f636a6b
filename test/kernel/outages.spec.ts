import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lookMillis, outages, quietMillis, toldAgainMillis } from '../../src/kernel/outages.js';
import { handTimers } from '../support/handTimers.js';

class Away extends Error {}

const setUp = () => {
  const timers = handTimers();
  const lines: string[] = [];
  let isThere = false;
  const one = outages<'log'>({
    timers,
    kindOf: (error) => (error instanceof Away ? 'log' : undefined),
    began: ({ engine, trouble }) => lines.push(`${engine.name} at ${engine.address}: ${trouble.doing}`),
    ended: ({ engine, seconds, waited }) =>
      lines.push(`${engine.name} after ${seconds.toString()} s: ${JSON.stringify(waited)}`),
    unexplained: ({ doing }) => lines.push(`${doing} fails`),
  });
  const isBack = (): Promise<unknown> => (isThere ? Promise.resolve() : Promise.reject(new Away()));
  one.know('log', { name: 'Log', address: 'there', isBack });
  const passed = async (millis: number): Promise<void> => {
    for (let gone = 0; gone < millis; gone += lookMillis) {
      timers.pass(lookMillis);
      await new Promise((go) => setImmediate(go));
    }
  };
  return {
    outages: one,
    lines,
    passed,
    comesBack: () => {
      isThere = true;
    },
  };
};

describe('outages', () => {
  it('are told when they begin and when they are over, however much fails', async () => {
    const { outages: one, lines, passed, comesBack } = setUp();
    for (const waiting of [1, 7, 3]) one.failed({ doing: 'appending', error: new Away(), waiting });
    one.failed({ doing: 'reading', error: new Error('late', { cause: new Away() }) }, 'log');
    await passed(2_000);
    assert.deepEqual(lines, ['Log at there: appending']);
    comesBack();
    await passed(quietMillis);
    assert.equal(lines.length, 2);
    assert.match(lines[1] ?? '', /^Log after 2.* s: \{"appending":7,"reading":1\}$/);
    one.failed({ doing: 'appending', error: new Away() });
    assert.equal(lines.length, 3);
  });

  it('are not over while something still fails', async () => {
    const { outages: one, lines, passed, comesBack } = setUp();
    one.failed({ doing: 'appending', error: new Away() });
    comesBack();
    for (let round = 0; round < 10; round += 1) {
      await passed(quietMillis / 2);
      one.failed({ doing: 'appending', error: new Away() });
    }
    assert.equal(lines.length, 1);
    await passed(quietMillis + lookMillis);
    assert.equal(lines.length, 2);
  });

  it('explain only what an engine can explain; the rest is told, and the same again only after a while', async () => {
    const { outages: one, lines, passed } = setUp();
    for (let round = 0; round < 3; round += 1) one.failed({ doing: 'folding', error: new TypeError('a bug') });
    assert.deepEqual(lines, ['folding fails']);
    one.failed({ doing: 'folding', error: new TypeError('another bug') });
    assert.equal(lines.length, 2);
    await passed(toldAgainMillis);
    one.failed({ doing: 'folding', error: new TypeError('another bug') });
    assert.equal(lines.length, 3);
  });

  it('are not looked after any more once it is closed', async () => {
    const { outages: one, lines, passed, comesBack } = setUp();
    one.failed({ doing: 'appending', error: new Away() });
    one.close();
    comesBack();
    await passed(quietMillis * 2);
    assert.equal(lines.length, 1);
  });
});
