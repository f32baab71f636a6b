import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canBeTaken, usernameKeyed, usernameTyped } from '../../src/kernel/username.js';

describe('a username', () => {
  it('can be taken when it begins with a letter, and parts of it are separated by one character each', () => {
    for (const name of ['ab', 'a1', 'Ada_L.3', 'a.b_c', `a${'1'.repeat(31)}`])
      assert.equal(canBeTaken(name), true, name);
  });
  it('cannot be taken otherwise', () => {
    const refused = [
      '..',
      '__',
      '12',
      '1a',
      '_a',
      '.a',
      'a_',
      'a.',
      'a__b',
      'a..b',
      'a._b',
      'a_.b',
      'a',
      '',
      'ä1',
      'a-b',
    ];
    for (const name of [...refused, 'a b', 'ab\n', `a${'1'.repeat(32)}`]) assert.equal(canBeTaken(name), false, name);
  });
  it('from before is still somebody’s, and no other text is', () => {
    for (const name of ['..', '__', '1234', 'a__b', 'ada']) assert.equal(usernameTyped(name), name);
    for (const text of ['', 'a', '@ada', 'a b', 'ädä', 'x'.repeat(33), '\u0430da'])
      assert.equal(usernameTyped(text), undefined);
  });
  it('is the same in full-width letters and in either case', () => {
    assert.equal(usernameTyped('ａｄａ＿１'), 'ada_1');
    assert.equal(usernameKeyed('AdA.1'), 'ada.1');
  });
});
