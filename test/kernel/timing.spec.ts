import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defined } from '../../src/kernel/defined.js';
import { deferred, pause, withDeadline } from '../../src/kernel/timing.js';

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

describe('defined fields', () => {
  it('are those that are not undefined, whatever else they are', () => {
    assert.deepEqual(defined({ a: undefined, b: 0, c: null, d: '', e: false }), { b: 0, c: null, d: '', e: false });
    assert.equal('a' in defined({ a: undefined as string | undefined }), false);
  });
});
