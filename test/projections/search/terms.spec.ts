import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { UserId } from '../../../src/kernel/ids.js';
import { normalForm, normalUnitsMax } from '../../../src/projections/search/normalForm.js';
import {
  hashOfTerm,
  isFoundBy,
  messageTermsMax,
  queryOf,
  queryTermsMax,
  queryUnitsMax,
  termsExpected,
  termsOf,
  type Searchable,
} from '../../../src/projections/search/terms.js';
import { unitsOf } from '../../../src/projections/search/units.js';

const message = (text: string, more: Partial<Searchable> = {}): Searchable => ({
  text,
  entities: [],
  mentions: [],
  ...more,
});

const hash = (value: string): string => createHash('sha256').update(value).digest().toString('base64url', 0, 9);

/** By the content, and by the terms that lead to it: a message that has the one must have the others. */
const finds = (query: string, found: Searchable): boolean => {
  const asked = queryOf(query);
  assert.ok(asked, `${query} asks for nothing`);
  const terms = termsOf(found);
  const isFound = isFoundBy(asked, found);
  if (!isFound) return false;
  for (const term of asked.terms) assert.ok(terms.has(term), `${term} leads to ${query}`);
  const { narrowing } = asked;
  if (narrowing === undefined) return true;
  assert.ok(asked.terms.includes(narrowing.of));
  const beginning = hashOfTerm(narrowing.words, hash);
  const lists = Array.from(terms, (term) => hashOfTerm(term, hash));
  assert.ok(
    lists.some((list) => list.startsWith(beginning)),
    `${narrowing.words} leads to ${query}`,
  );
  return true;
};
const finding = (text: string, queries: readonly string[]): readonly string[] =>
  queries.filter((query) => finds(query, message(text)));

describe('the normal form of a text', () => {
  it('is the same for every spelling of a word', () => {
    const text = 'İstanbul Straße Café Σίσυφος IŞIK';
    const spellings = ['istanbul', 'STRASSE', 'cafe', 'ΣΊΣΥΦΟΣ', 'ışık', 'straẞe', 'ＣＡＦＥ', 'cafe\u0301'];
    assert.deepEqual(finding(text, spellings), spellings);
    for (const spelling of spellings)
      assert.ok(
        text.split(' ').some((word) => finds(word, message(spelling))),
        spelling,
      );
  });

  it('keeps the marks of other scripts, and drops what shows nothing', () => {
    assert.notEqual(normalForm('が'), normalForm('か'));
    assert.notEqual(normalForm('कि'), normalForm('क'));
    assert.equal(normalForm('ｶﾞ'), normalForm('ガ'));
    assert.equal(normalForm('한'.normalize('NFD')), '한');
    assert.equal(normalForm('❤\uFE0F'), normalForm('❤'));
    assert.equal(normalForm('soft\u00ADhyphen'), 'softhyphen');
    assert.equal(normalForm('don’t — “so”'), `don't - "so"`);
  });

  it('is its own normal form, for every character', () => {
    const unstable: string[] = [];
    for (const character of everyCharacter()) {
      const once = normalForm(`a${character}`);
      if (normalForm(once) !== once) unstable.push(character);
    }
    assert.deepEqual(unstable, []);
  });

  it('is for ever, because the index holds hashes of it', () => {
    const hash = createHash('sha256');
    for (const [first, last] of settledRanges)
      for (let code = first; code <= last; code += 1) hash.update(`${normalForm(String.fromCodePoint(code))}\n`);
    assert.equal(hash.digest('hex').slice(0, 16), '49eefe2c0f51c20b');
  });

  it('is the same for a text of ASCII alone as for one with other characters', () => {
    const all = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
    const text = `${all} It's 7 o'clock: a_b-C++ ${all.split('').reverse().join(' ')}`;
    assert.equal(normalForm(text), normalForm(`${text}\u00ad`));
    assert.deepEqual([...unitsOf(text)], unitsOf(`${text} 漢`).slice(0, -1));
    assert.equal(normalForm('A'.repeat(normalUnitsMax + 1)), 'a'.repeat(normalUnitsMax));
  });

  it('looks at no more of a text than its bound', () => {
    assert.ok(normalForm('\uFDFA'.repeat(4_000)).length <= normalUnitsMax);
  });
});

/** Where no character has been added for long. */
const settledRanges = [
  [0x00a0, 0x052f],
  [0x1e00, 0x1fff],
  [0x2070, 0x218b],
  [0x2460, 0x24ff],
  [0x3040, 0x30ff],
  [0x3400, 0x4db5],
  [0x4e00, 0x9fcc],
  [0xac00, 0xd7a3],
  [0xf900, 0xfad9],
  [0xfb00, 0xfb06],
  [0xff01, 0xffee],
] as const;
const everyCharacter = function* (): Generator<string> {
  for (let code = 0; code < 0xd800; code += 1) yield String.fromCodePoint(code);
  for (let code = 0xe000; code < 0x2_0000; code += 1) yield String.fromCodePoint(code);
};

describe('the terms of a message', () => {
  it('are bounded, and the earliest are kept', () => {
    const ideographs = Array.from({ length: 4_000 }, (_, at) =>
      String.fromCodePoint(0x4e00 + ((at * 7_919) % 20_000)),
    ).join('');
    assert.equal(termsOf(message(ideographs)).size, messageTermsMax);
    assert.ok(finds(ideographs.slice(0, 20), message(ideographs)));
    assert.equal(termsExpected(ideographs), messageTermsMax);
  });

  it('are all there for the longest text of words', () => {
    const words = Array.from({ length: 500 }, (_, at) => `w${((at * 7_919) % 1_000).toString()}rd`).join(' ');
    assert.ok(words.length > 3_000);
    assert.ok(finds(words.slice(words.lastIndexOf(' ') + 1), message(words)));
  });

  it('are as many as their writer is charged for, about', () => {
    for (const text of [
      'hello everybody, how are you today?',
      '「我家在上海东边。」',
      '50% off 👍🏽 #1',
      'aaaa,bbbb.cccc-dddd',
      String.fromCodePoint(...Array.from({ length: 900 }, (_, at) => 0x4e00 + at)),
    ]) {
      const [expected, made] = [termsExpected(text), termsOf(message(text)).size];
      assert.ok(
        expected >= 0.8 * made && expected <= 1.6 * made,
        `${text}: ${expected.toString()}, ${made.toString()}`,
      );
    }
  });

  it('are charged for by all that is hashed, also where the words are long', () => {
    for (const letters of [3, 4, 5, 9, 16, 17, 30]) {
      const words = Array.from({ length: 100 }, (_, at) => at.toString().padStart(3, '0').padEnd(letters, 'x'));
      const text = words.join(' ');
      let hashes = 0;
      for (const term of termsOf(message(text)))
        hashOfTerm(term, (value) => {
          hashes += 1;
          return hash(value);
        });
      const expected = termsExpected(text);
      // A hash alone is two thirds of a term.
      assert.ok(
        expected >= (2 / 3) * hashes && expected <= hashes,
        `${text}: ${expected.toString()}, ${hashes.toString()}`,
      );
    }
  });
});

describe('a search', () => {
  it('goes by the longest beginning that has a list, and by the words that have all of it', () => {
    const led = (query: string) => {
      const { terms, narrowing } = queryOf(query) ?? assert.fail();
      return [terms, narrowing];
    };
    assert.deepEqual(led('upgz'), [['pupgz'], undefined]);
    assert.deepEqual(led('upgra'), [['pupgr'], { of: 'pupgr', words: 'oupgra' }]);
    assert.deepEqual(led('upgrad'), [['pupgrad'], undefined]);
    assert.deepEqual(led('upgrade'), [['pupgrad'], { of: 'pupgrad', words: 'oupgrade' }]);
    assert.deepEqual(led('upgrade now'), [['wupgrade', 'pnow'], undefined]);
    assert.ok(!termsOf(message('upgrade')).has('pupgz'));
  });

  it('finds a word by a beginning of any length, and by no other', () => {
    for (const word of ['internationalization', 'ααααβββββγγγγγδδδδδεεεεε', '𝔞'.repeat(3), '🄰🄱🄲', '𐐨𐐩𐐪𐐫𐐬𐐭𐐮𐐯𐐰']) {
      const letters = Array.from(normalForm(word));
      for (let count = 3; count <= letters.length; count += 1) {
        const beginning = letters.slice(0, count).join('');
        assert.ok(finds(beginning, message(word)), beginning);
        assert.ok(!finds(`${beginning}q`, message(word)), beginning);
      }
    }
  });

  it('has lists of two words side by side only as far as they begin alike', () => {
    const path = (term: string): string => hashOfTerm(term, hash);
    assert.ok(path('wupgrade').startsWith(path('oupgrad')));
    assert.ok(!path('wupgrade').startsWith(path('oupgradz')));
    assert.ok(!path('pupgr').startsWith(path('oupgr')));
    assert.notEqual(path(`w${'a'.repeat(17)}b`), path(`w${'a'.repeat(17)}c`));
    assert.ok(path(`w${'a'.repeat(17)}b`).startsWith(path(`o${'a'.repeat(18)}`)));
  });

  it('finds in scripts without spaces what stands side by side', () => {
    assert.deepEqual(finding('「我家在上海东边。」', ['上海', '海东', '海', '海上', '家上']), ['上海', '海东', '海']);
    assert.deepEqual(finding('ok上海ok', ['ok', '上海', 'ok上海', '海上']), ['ok', '上海', 'ok上海']);
    assert.deepEqual(finding('ฉันรักกรุงเทพมาก', ['กรุงเทพ', 'รัก', 'เทพกรุง']), ['กรุงเทพ', 'รัก']);
    assert.deepEqual(finding('okไทยok', ['ok', 'ไทย']), ['ok', 'ไทย']);
    assert.deepEqual(finding('スーパーマーケット', ['スーパー', 'マーケット', 'パス']), ['スーパー', 'マーケット']);
  });

  it('finds whole words, and the beginning of the last one', () => {
    const queries = ['what about', 'the', 'c++', 'upg', 'what upgr', 'THE what', 'up', 'upgr what', 'bout'];
    assert.deepEqual(finding('What about the C++ upgrade', queries), queries.slice(0, 6));
    assert.deepEqual(finding('c + d', ['c++', 'c+', 'c +']), ['c +']);
  });

  it('finds signs and emoji', () => {
    assert.deepEqual(finding('50% off ❤️👍🏽 #1', ['❤', '👍', '👍🏽', '50%', '#1', '#', '👎', '#2']), [
      ...['❤', '👍', '👍🏽', '50%', '#1', '#'],
    ]);
  });

  it('finds a link by its host, and a mention by its name and its id', () => {
    const link = message('look here', { entities: [{ kind: 'textUrl', url: 'https://me@Docs.Example.org:8/a?b' }] });
    assert.ok(finds('docs.example.org', link));
    assert.ok(finds('example', link));
    assert.ok(!finds('b', link));
    assert.ok(finds('example.org', message('see https://docs.example.org/page')));
    const mention = message('hey @mila', { mentions: [7_301_234n as UserId] });
    assert.ok(finds('mila', mention));
    assert.ok(finds('@mila', mention));
    assert.ok(finds('7301234', mention));
  });

  it('asks for nothing where nothing shows', () => {
    assert.deepEqual(['', '  ', '\u200B', '\n'].map(queryOf), [undefined, undefined, undefined, undefined]);
  });

  it('is led by a few terms, however long the query', () => {
    const words = Array.from({ length: 100 }, (_, at) => `word${at.toString()}`);
    const query = queryOf(words.join(' '));
    assert.equal(query?.terms.length, queryTermsMax);
    assert.ok(finds(words.join(' '), message(words.toReversed().join(' ') + ' word99')));
    assert.ok(!finds(`${words.join(' ')} more`, message(words.join(' '))));
  });

  it('is looked for up to so many units, also where each letter is several', () => {
    for (const text of ['⁗'.repeat(2_000), 'a '.repeat(2_000)])
      assert.equal(queryOf(text)?.pieces.flat().length, queryUnitsMax);
  });

  it('does not go by signs where there are words', () => {
    assert.deepEqual(
      queryOf('a,b,c,d,e,f,g,h')?.terms.filter((term) => term.startsWith('s')),
      [],
    );
  });
});
