import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composed, composedTrimmed, halfWidth, isVisible } from '../../src/kernel/text.js';

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
      '\u2800\u2800',
      '\u{13441}',
      '\u{1d159}',
      '\ufff9',
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

describe('a text that is composed', () => {
  const decomposed = {
    'in Vietnamese': 'Ti\u1ebfng Vi\u1ec7t',
    'in Korean': '\ud55c\uad6d\uc5b4',
    'in Greek, of four units for one': '\u1f82'.repeat(12),
  };
  for (const [what, text] of Object.entries(decomposed)) {
    it(`may come decomposed ${what}, up to its whole bound`, () => {
      assert.ok(text.normalize('NFD').length > text.length);
      assert.equal(composed(text.normalize('NFD'), text.length), text);
    });
  }
  it('may have rows of marks within its bound', () => {
    const marked = `a${'\u0316'.repeat(40)}\u0301`;
    assert.equal(composed(marked, 100), `\u00e1${'\u0316'.repeat(40)}`);
  });
  it('may become longer than its bound, by either form', () => {
    assert.equal(composed('\u0958', 1).length, 2);
    assert.equal(composed('\ufdfa', 1, 'NFKC').length, 18);
  });
  it('is left as it is when it cannot be within its bound', () => {
    const long = 'e\u0301'.repeat(21);
    assert.equal(composed(long, 10), long);
    assert.equal(composed(long.slice(0, 40), 10).length, 20);
  });
  it('is left as it is when it is beyond its bound and has long rows of marks, also such as NFKC makes', () => {
    for (const mark of ['\u0301', '\u0344', '\uff9e', '\u{1d165}']) {
      const marked = `e\u0301${mark.repeat(31)}`;
      assert.equal(composed(marked, 20, 'NFKC'), marked);
    }
    assert.equal(composed(`e${'\u0316'.repeat(29)}\u0301`, 20).charAt(0), '\u00e9');
  });
  it('has no blanks around it as a name', () => {
    const blanks = ' \u2003'.repeat(4);
    assert.equal(composedTrimmed(`${blanks}e\u0301${blanks}`, 5), '\u00e9');
    assert.equal(composedTrimmed('\u00a8', 10, 'NFKC'), '\u0308');
  });
  it('is not trimmed as a name when its blanks are beyond the bound: the rest would keep all of them in memory', () => {
    const padded = `${' '.repeat(255)}ab`;
    assert.equal(composedTrimmed(padded.slice(1), 64), 'ab');
    assert.equal(composedTrimmed(padded, 64), padded);
  });
});

describe('a text in half width', () => {
  it('has ASCII characters for the full-width forms of them, and keeps all others', () => {
    assert.equal(halfWidth('ｍｉｋａ＠ｅｘ．ｊｐ～！'), 'mika@ex.jp~!');
    for (const text of ['ｶﾅ', 'カナ', '￥', '\u3000', 'ä', '👩‍🚀']) assert.equal(halfWidth(text), text);
  });
});
