import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Millis } from '../../src/kernel/ids.js';
import { eventBytesMax, type StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { readLately, readLatelyBytesMax } from '../../src/kernel/readLately.js';

const recordAt = (position: number, bytes = 100): StoredEvent => ({
  ...{ id: position.toString(), type: 'notes.NoteWritten.v1', stream: 'note-1', revision: 0n, at: 5 as Millis },
  ...{ position: BigInt(position), data: Buffer.alloc(bytes), metadata: Buffer.alloc(0) },
});

describe('what was made of the events that were read last', () => {
  it('is made once for each record, also of the largest, until it is forgotten', () => {
    const { of, clear } = readLately((stored) => ({ stored }));
    const [small, large] = [recordAt(1), recordAt(2, eventBytesMax)];
    const made = [small, large].map(of);
    assert.deepEqual([small, large].map(of), made);
    assert.ok([small, large].every((record, index) => of(record) === made[index]));
    clear();
    assert.notEqual(of(large), made[1]);
  });

  it('is that of the very record, and of no other one at its position', () => {
    const { of } = readLately((stored) => ({ stored }));
    const [one, again, far] = [recordAt(1), recordAt(1), recordAt(1 + 1_024)];
    of(one);
    assert.equal(of(again).stored, again);
    assert.equal(of(far).stored, far);
  });

  it('is kept for a thousand small records, and for as many large ones as the bound on bytes has room for', () => {
    for (const [bytes, kept] of [
      [100, 1_024],
      [eventBytesMax, readLatelyBytesMax / eventBytesMax / 2],
    ] as const) {
      let made = 0;
      const { of } = readLately(() => ({ number: (made += 1) }));
      const records = [...Array(4_096).keys()].map((position) => recordAt(position, bytes));
      records.forEach(of);
      records.slice(-kept).forEach(of);
      assert.equal(made, records.length);
      records.slice(0, -2 * kept).forEach(of);
      assert.ok(made >= 2 * records.length - 2 * kept, made.toString());
    }
  });
});
