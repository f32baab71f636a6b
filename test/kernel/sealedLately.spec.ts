import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sealedLately, sealedLatelyUnitsMax } from '../../src/kernel/sealedLately.js';

describe('the contents that were sealed lately', () => {
  const content = { body: 'hello' };
  const placeOf = (event: string) => ({ event, type: 'notes.NoteWritten.v1', stream: 'note-1', scope: 'notes' });

  it('are given for the same text in the same place alone, until they are forgotten', () => {
    const { keep, of, clear } = sealedLately();
    const place = placeOf('one');
    keep({ sealed: 'text', place, content });
    assert.equal(of('text', { ...place }), content);
    for (const other of [{ stream: 'note-2' }, { type: 'other' }, { scope: 'other' }, { subject: '7' }]) {
      assert.equal(of('text', { ...place, ...other }), undefined);
    }
    assert.equal(of('other', place), undefined);
    clear();
    assert.equal(of('text', place), undefined);
  });

  it('are bounded in number and in length', () => {
    const { keep, of } = sealedLately();
    const [long, fits] = ['x'.repeat(sealedLatelyUnitsMax + 1), 'x'.repeat(sealedLatelyUnitsMax)];
    keep({ sealed: long, place: placeOf('long'), content });
    assert.equal(of(long, placeOf('long')), undefined);
    for (let event = 0; event <= 2_048; event += 1) keep({ sealed: fits, place: placeOf(event.toString()), content });
    assert.deepEqual(
      ['0', '1023', '1024', '2048'].map((event) => of(fits, placeOf(event))),
      [undefined, undefined, content, content],
    );
  });
});
