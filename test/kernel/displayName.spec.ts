import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRejection } from '../../src/kernel/decider.js';
import { displayName } from '../../src/kernel/displayName.js';

const unitsMax = 64;
const named = (text: string, current?: string): string => {
  const name = displayName(text, unitsMax, current);
  return isRejection(name) ? name.rejected : name;
};

/** By what they have that a name must not have. The unassigned ones will never be assigned, in no version of Unicode. */
const unfit = {
  'nothing to see': ['', ' ', '\u200b', '\u2800', '\u3164', '\u00ad', '\u{1d159}'],
  'more than one line': ['a\nb', 'a\r\nb', 'a\u2028b', 'a\u2029b', 'a\u0085b'],
  'a control': ['a\u0000b', 'a\tb', 'a\u001bb', 'a\u009fb'],
  'an embedding, override or isolate of direction': Array.from(
    '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
    (mark) => `a${mark}b`,
  ),
  'a private code point': ['a\ue000', '\u{f0000}', '\u{10fffd}'],
  'an unassigned code point': ['a\uffff', 'a\ufdd0', 'a\u{10ffff}'],
  'half of a pair': ['a\ud83d', '\udc69'],
};

describe('a name', () => {
  for (const [what, names] of Object.entries(unfit)) {
    it(`has not ${what}`, () => {
      for (const name of names) assert.equal(named(name), 'INVALID_NAME', JSON.stringify(name));
    });
  }
  it('may be in any script, with its joiners and marks, and of emoji', () => {
    for (const name of [
      '語',
      'مدرسة‌ها',
      'ක්‍රිෂ්ණ',
      '\u200fעדה',
      '👩‍🚀',
      '🏴\u{e0067}\u{e0062}\u{e007f}',
      '.',
      'a\u200bb',
    ]) {
      assert.equal(named(name), name);
    }
  });
  it('is composed, and has no blanks around it and one space for each run of them in it', () => {
    assert.equal(named(' \u00a0Andre\u0301 \u2003\u00a0\u3000B.\n'), 'André B.');
    assert.equal(named('山田\u3000太郎'), '山田 太郎');
  });
  it('is measured as it is kept', () => {
    assert.equal(named(`${'e\u0301'.repeat(32)}   ${'e\u0301'.repeat(31)}`).length, 64);
    assert.equal(named('x'.repeat(65)), 'INVALID_NAME');
    assert.equal(named(`e${'\u0316'.repeat(64)}`), 'INVALID_NAME');
  });
  it('that is too long is not looked at', () => {
    assert.equal(named(`a${' '.repeat(255)}b`), 'INVALID_NAME');
    assert.equal(named(`a${' '.repeat(254)}b`), 'a b');
  });
  it('from before stays as it is when it is typed again', () => {
    for (const name of ['a\u202eb', '\u2800', 'a\nb', 'a  b', '\ue000']) {
      assert.equal(named(name, name), name);
      assert.equal(named(` ${name} `, name), name);
      assert.notEqual(named(name, 'another'), name);
    }
  });
  it('as it is kept is kept as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const name = named(text);
        assert.equal(named(name), name === 'INVALID_NAME' ? 'INVALID_NAME' : name);
      }),
    );
  });
});
