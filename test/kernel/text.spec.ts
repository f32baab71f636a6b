import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVisible } from '../../src/kernel/text.js';

describe('a text', () => {
  it('of blanks, controls and what is only there to join or turn others is not visible', () => {
    for (const text of [
      '',
      ' ',
      '\u00a0\u2003\u3000',
      '\u0000',
      '\n\t',
      '\u200b',
      '\u200d\ufe0f',
      '\u202e',
      '\u3164',
      '\u{e0020}',
    ]) {
      assert.equal(isVisible(text), false, JSON.stringify(text));
    }
  });
  it('of anything else is, whatever stands around it', () => {
    for (const text of ['a', '0', '.', 'ä', '語', 'م', '👩‍🚀', '🏳️‍🌈', '\u0301', '\u200ba\u200b', '\u{f8ff}']) {
      assert.equal(isVisible(text), true, JSON.stringify(text));
    }
  });
});
