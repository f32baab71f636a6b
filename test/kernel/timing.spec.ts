import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defined } from '../../src/kernel/defined.js';
import { atOnce, deferred, pause, wakeablePauses, withDeadline } from '../../src/kernel/timing.js';

describe('a pause', () => {
  it('ends after its time', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const over = pause(1_000, new AbortController().signal);
    t.mock.timers.tick(1_000);
    await over;
  });

  it('ends at once when the signal is raised, before or during it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const closing = new AbortController();
    const during = pause(1_000, closing.signal);
    closing.abort();
    await Promise.all([during, pause(1_000, closing.signal)]);
  });
});

describe('a pause that can be woken', () => {
  /** One timer at a time, which the test ends. */
  const bench = (closing?: AbortSignal) => {
    let over: (() => void) | undefined;
    const later = (_: number, work: () => void) => {
      over = work;
      return () => (over = undefined);
    };
    return { ...wakeablePauses({ later }, closing), tick: () => over?.(), isTimed: () => over !== undefined };
  };

  it('says whether it was woken, and leaves no timer then', async () => {
    const { pause: rest, wake, tick, isTimed } = bench();
    wake();
    const whole = rest(1_000);
    tick();
    assert.equal(await whole, false);
    const woken = rest(1_000);
    wake();
    assert.equal(await woken, true);
    assert.equal(isTimed(), false);
  });

  it('does not last once the signal is raised', async () => {
    const closing = new AbortController();
    const { pause: rest } = bench(closing.signal);
    const during = rest(1_000);
    closing.abort();
    assert.deepEqual(await Promise.all([during, rest(1_000)]), [true, true]);
  });
});

describe('a deadline', () => {
  it('rejects with the given error when the work takes too long', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const late = withDeadline(deferred<never>().promise, 1_000, () => new Error('too late'));
    t.mock.timers.tick(1_000);
    await assert.rejects(late, /too late/);
  });

  it('gives what the work gives in time, value or error', async () => {
    assert.equal(await withDeadline(Promise.resolve(7), 1_000, () => new Error('too late')), 7);
    await assert.rejects(
      withDeadline(Promise.reject(new Error('its own')), 1_000, () => new Error('too late')),
      /its own/,
    );
  });
});

describe('several values at once', () => {
  it('are there without a promise where none of them is one', async () => {
    assert.deepEqual(atOnce([1, undefined]), [1, undefined]);
    const waiting = atOnce([1, Promise.resolve(2)]);
    assert.ok(waiting instanceof Promise);
    assert.deepEqual(await waiting, [1, 2]);
    await assert.rejects(async () => atOnce([1, Promise.reject(new Error('lost'))]), /lost/);
  });
});

describe('defined fields', () => {
  it('are those that are not undefined, whatever else they are', () => {
    assert.deepEqual(defined({ a: undefined, b: 0, c: null, d: '', e: false }), { b: 0, c: null, d: '', e: false });
    assert.equal('a' in defined({ a: undefined as string | undefined }), false);
  });
});
