import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isFreeform, opaqueString } from '../../src/kernel/opaqueString.js';

const unitsMax = 1024;

describe('a password as OpaqueString', () => {
  // The examples of RFC 8265, section 4.3.
  it('keeps its case, its width and all blanks as spaces', () => {
    assert.equal(opaqueString('correct horse battery staple', unitsMax), 'correct horse battery staple');
    assert.equal(opaqueString('Correct Horse Battery Staple', unitsMax), 'Correct Horse Battery Staple');
    assert.equal(opaqueString('πßå', unitsMax), 'πßå');
    assert.equal(opaqueString('Jack of \u2666s', unitsMax), 'Jack of \u2666s');
    assert.equal(opaqueString('foo\u1680bar', unitsMax), 'foo bar');
    assert.equal(opaqueString('ｐａｓｓ  ', unitsMax), 'ｐａｓｓ  ');
  });
  it('is the same composed and decomposed', () => {
    const decomposed = 'cafe\u0301 \ud55c\uad6d'.normalize('NFD');
    assert.equal(opaqueString(decomposed, unitsMax), opaqueString(decomposed.normalize('NFC'), unitsMax));
  });
  it('is measured as prepared', () => {
    assert.equal(opaqueString('e\u0301'.repeat(unitsMax), unitsMax), 'é'.repeat(unitsMax));
    assert.equal(opaqueString('x'.repeat(unitsMax + 1), unitsMax), undefined);
    assert.equal(opaqueString('\u0958'.repeat(unitsMax), unitsMax), undefined);
  });
  it('prepared again is the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const prepared = opaqueString(text, unitsMax) ?? '';
        assert.equal(opaqueString(prepared, unitsMax), prepared);
      }),
    );
  });
  it('may be new with letters, marks, digits, symbols, punctuation and spaces', () => {
    for (const text of ['a b', 'πßå', 'Jack of \u2666s', '語', 'x\u0301', '٣', '👩', 'ﬁ', 'ක්‍ර', 'ها\u200cها', '¼']) {
      assert.equal(isFreeform(text), true, JSON.stringify(text));
    }
  });
  it('may not be new with characters that two systems write differently', () => {
    const unfit = [
      'my cat is a \u0009by',
      'a\u0000',
      'a\u200bb',
      '\u2764\ufe0f',
      'a\u200db',
      '\u00ad',
      '\ue000',
      '\uffff',
    ];
    for (const text of [...unfit, '\u1100', '\u0640', '\ud83d', '\u202e', '\u{e0001}']) {
      assert.equal(isFreeform(text), false, JSON.stringify(text));
    }
  });
});
