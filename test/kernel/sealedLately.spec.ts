import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventBytesMax } from '../../src/kernel/ports/eventLog.js';
import { sealedLately, sealedLatelyBytesMax } from '../../src/kernel/sealedLately.js';

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

  it('are bounded in number', () => {
    const { keep, of } = sealedLately();
    for (let event = 0; event <= 2_048; event += 1) keep({ sealed: 'text', place: placeOf(event.toString()), content });
    assert.deepEqual(
      ['0', '1023', '1024', '2048'].map((event) => of('text', placeOf(event))),
      [undefined, undefined, content, content],
    );
  });

  it('are kept whatever the length of one, and bounded by what all take with their contents', () => {
    const { keep, of } = sealedLately();
    // Of the largest events, of which a content in memory takes twice as much as its text.
    const [sealed, long] = ['x'.repeat(eventBytesMax), { body: 'x'.repeat(eventBytesMax / 2) }];
    const kept = Math.floor(sealedLatelyBytesMax / (2 * eventBytesMax));
    for (let event = 0; event < 2 * kept; event += 1) keep({ sealed, place: placeOf(event.toString()), content: long });
    const remembered = [...Array(2 * kept).keys()].filter((event) => of(sealed, placeOf(event.toString())) === long);
    assert.equal(remembered.at(-1), 2 * kept - 1);
    assert.ok(remembered.length >= kept / 2 - 2 && remembered.length <= kept, remembered.length.toString());
  });
});
