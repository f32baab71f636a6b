import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  coveredBy,
  entitiesFor,
  entitiesOf,
  entityUrlUnitsMax,
  refusedLink,
} from '../../../src/gateway/rendering/entities.js';
import { SendMessage } from '../../../src/gen/messages.js';
import type { MessageEntity, MessageEntityInit } from '../../../src/gen/types.js';
import { isRejection } from '../../../src/kernel/decider.js';
import type { FileId } from '../../../src/kernel/ids.js';
import { decode, encode } from '../../../src/wire/codec.js';

const emojiId = 7n as FileId;
const kinds: readonly MessageEntityInit[] = [
  { bold: true },
  { italic: true },
  { underline: true },
  { strikethrough: true },
  { code: true },
  { url: true },
  { username: true },
  { spoiler: {} },
  { userMention: {} },
  { pre: {} },
  { pre: { language: 'ts' } },
  { textUrl: { url: 'https://example.org/' } },
  { textUrl: { url: 'mailto:ada@example.org' } },
  { customEmoji: { emojiId } },
];
/** As it comes over the wire. */
const read = (...entities: readonly MessageEntityInit[]): readonly MessageEntity[] => {
  const decoded = decode(SendMessage, encode(SendMessage, { entities }));
  return decoded.ok ? decoded.value.entities : [];
};
const refusalOf = (text: string, ...entities: readonly MessageEntityInit[]): string | undefined => {
  const taken = entitiesOf(read(...entities), text);
  const outcome = isRejection(taken) ? taken : refusedLink(taken);
  return isRejection(outcome) ? `${outcome.rejected}: ${outcome.detail ?? ''}` : undefined;
};

describe('an entity', () => {
  it('of every kind comes back as it was', () => {
    const wire = kinds.map((kind, index) => ({ startIndex: index, length: 1, ...kind }));
    const entities = entitiesOf(read(...wire), 'x'.repeat(kinds.length));
    assert.ok(!isRejection(entities));
    assert.deepEqual(read(...entitiesFor(entities)), read(...wire));
  });
  it('may cover others, and they keep their order', () => {
    const wire = [
      { startIndex: 0, length: 5, bold: true },
      { startIndex: 1, length: 2, italic: true },
      { startIndex: 0, length: 5, spoiler: {} },
    ];
    const entities = entitiesOf(read(...wire), 'hello');
    assert.ok(!isRejection(entities));
    assert.deepEqual(
      entities.map(({ kind }) => kind),
      ['bold', 'italic', 'spoiler'],
    );
  });

  const long = `https://example.org/${'x'.repeat(entityUrlUnitsMax)}`;
  const refused: readonly (readonly [string, MessageEntityInit, string])[] = [
    ['no length', { startIndex: 1, bold: true }, 'is out of range'],
    ['an end behind the text', { startIndex: 1, length: 7, bold: true }, 'is out of range'],
    ['a start behind the text', { startIndex: 4_294_967_295, length: 1, bold: true }, 'is out of range'],
    ['a start within a pair', { startIndex: 2, length: 2, bold: true }, 'splits a surrogate pair'],
    ['an end within a pair', { startIndex: 0, length: 2, bold: true }, 'splits a surrogate pair'],
    ['no kind', { startIndex: 0, length: 1 }, 'has no kind'],
    ['a kind that it denies', { startIndex: 0, length: 1, bold: false }, 'has no kind'],
    ['no emoji', { startIndex: 0, length: 1, customEmoji: {} }, 'names no emoji'],
    [
      'too long a language',
      { startIndex: 0, length: 1, pre: { language: 'x'.repeat(65) } },
      'names too long a language',
    ],
    ['too long an address', { startIndex: 0, length: 1, textUrl: { url: long } }, 'has too long an address'],
    ['half an address', { startIndex: 0, length: 1, textUrl: { url: 'example' } }, notALink()],
    ['an address that runs', { startIndex: 0, length: 1, textUrl: { url: ' java\nscript:alert(1)' } }, notALink()],
    ['an address with data', { startIndex: 0, length: 1, textUrl: { url: 'data:text/html,x' } }, notALink()],
  ];
  for (const [what, entity, detail] of refused) {
    it(`with ${what} is refused`, () => {
      assert.equal(refusalOf('a😀bcd', entity), `INVALID_ENTITIES: number 0 ${detail}`);
    });
  }
  it('with an address that is none is told by its number', () => {
    const [link, none] = ['https://example.org/', 'example'].map((url) => ({ length: 1, textUrl: { url } }));
    assert.ok(link && none);
    assert.equal(refusalOf('x', link, { length: 1, bold: true }, none), `INVALID_ENTITIES: number 2 ${notALink()}`);
  });

  it('that is taken lies within the text and between its characters', () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '文', '😀', '👩‍🚀'), { maxLength: 6 })
      .map((characters) => characters.join(''));
    const spans = fc.array(fc.record({ startIndex: fc.nat(14), length: fc.nat(14), bold: fc.constant(true) }));
    let taken = 0;
    fc.assert(
      fc.property(text, spans, (written, wire) => {
        for (const span of wire) {
          const entities = entitiesOf(read(span), written);
          const ends = [span.startIndex, span.startIndex + span.length];
          const isSound = span.length > 0 && ends.every((end) => boundariesOf(written).has(end));
          assert.equal(!isRejection(entities), isSound);
          if (isRejection(entities)) continue;
          taken += 1;
          for (const entity of entities) assert.doesNotMatch(coveredBy(entity, written), /\p{Surrogate}/u);
        }
      }),
    );
    assert.ok(taken > 0, 'none was taken');
  });
});

function notALink(): string {
  return 'has an address that is not http, https or mailto';
}

/** Where a character begins or the text ends, in UTF-16 code units. */
function boundariesOf(text: string): ReadonlySet<number> {
  const boundaries = new Set([0]);
  let at = 0;
  for (const character of text) boundaries.add((at += character.length));
  return boundaries;
}
