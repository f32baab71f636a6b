import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { emojiUnitsMax, qualifiedEmoji } from '../../../../src/gateway/packages/reactions/emoji.js';

// The package is JSON alone.
const table = createRequire(import.meta.url)('unicode-emoji-json/data-by-emoji.json') as Record<string, unknown>;
const all = Object.keys(table);

describe('the fully-qualified form of an emoji', () => {
  it('is the emoji itself for each that Unicode lists', () => {
    assert.ok(all.length > 1_900);
    assert.deepEqual(
      all.filter((emoji) => qualifiedEmoji(emoji) !== emoji),
      [],
    );
  });
  it('is found without any of its variation selectors', () => {
    const bare = all.map((emoji) => emoji.replaceAll('\ufe0f', ''));
    assert.deepEqual(bare.map(qualifiedEmoji), all);
    assert.ok(bare.filter((emoji, index) => emoji !== all[index]).length > 200);
  });
  it('is found where some of them are missing or too many', () => {
    assert.equal(qualifiedEmoji('👁️‍🗨'), '👁️‍🗨️');
    assert.equal(qualifiedEmoji('👍\ufe0f'), '👍');
  });
  it('keeps skin tones apart, whose emoji have no selector', () => {
    assert.equal(qualifiedEmoji('☝🏽'), '☝🏽');
    assert.equal(qualifiedEmoji('☝\ufe0f🏽'), '☝🏽');
    assert.equal(qualifiedEmoji('☝'), '☝\ufe0f');
    assert.equal(qualifiedEmoji('👩🏻‍❤‍💋‍👨🏿'), '👩🏻‍❤️‍💋‍👨🏿');
  });
  it('is none for anything else', () => {
    const others = ['', 'a', '1', '#', '👍👍', ' 👍', '👍 ', '🇩', '❤\ufe0e', '\ufe0f', '\u200d', '👍\0', '\ud83d'];
    assert.deepEqual(
      others.map(qualifiedEmoji),
      others.map(() => undefined),
    );
  });
  it('is not looked for in a longer text', () => {
    assert.equal(qualifiedEmoji('❤' + '\ufe0f'.repeat(emojiUnitsMax - 1)), '❤\ufe0f');
    assert.equal(qualifiedEmoji('❤' + '\ufe0f'.repeat(emojiUnitsMax)), undefined);
  });
});
