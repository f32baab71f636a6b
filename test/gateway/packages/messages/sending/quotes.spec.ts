import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entity, Quote } from '../../../../../src/domain/messages/events.js';
import { quoteFrom } from '../../../../../src/gateway/packages/messages/sending/quotes.js';
import { shredded } from '../../../../../src/kernel/opened.js';
import { personal, type Personal } from '../../../../../src/kernel/personal.js';

const said = (text: string, entities: readonly Entity[] = []) => ({
  text: personal(text),
  entities: personal(entities),
});
const quote = (text: string, offset?: number, entities: readonly Entity[] = []): Quote =>
  offset === undefined ? { text, entities } : { text, entities, offset };

describe('a quote', () => {
  it('is of what the original says', () => {
    assert.deepEqual(quoteFrom(said('I like tea'), quote('like tea', 2)), quote('like tea', 2));
    assert.equal(quoteFrom(said('I like tea'), quote('I hate tea', 0)), undefined);
  });

  it('is found where it stands nearest to a wrong offset, and the first time without one', () => {
    const places = [undefined, 0, 3, 5, 6, 9, 3999].map(
      (offset) => quoteFrom(said('tea, no tea'), quote('tea', offset))?.offset,
    );
    assert.deepEqual(places, [0, 0, 0, 8, 8, 8, 8]);
  });

  it('is none of content that was erased', () => {
    const gone = shredded as unknown as Personal<string>; // The codec puts the mark in the content's place.
    assert.equal(quoteFrom({ ...said(''), text: gone }, quote('tea', 0)), undefined);
  });

  const kept = (original: Entity, quoted: Entity): number | undefined =>
    quoteFrom(said('see https://example.org', [original]), quote('https://example.org', 4, [quoted]))?.entities.length;

  it('is as bold as the original is there, and no bolder', () => {
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'bold', start: 0, length: 6 }), 1);
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'bold', start: 0, length: 7 }), 0);
    assert.equal(kept({ kind: 'bold', start: 0, length: 10 }, { kind: 'italic', start: 0, length: 6 }), 0);
  });

  it('leads where the original leads', () => {
    const link = (url: string, start: number): Entity => ({ kind: 'textUrl', start, length: 5, url });
    assert.equal(kept(link('https://a.example', 4), link('https://a.example', 0)), 1);
    assert.equal(kept(link('https://a.example', 4), link('https://b.example', 0)), 0);
  });

  it('names a whole address or none', () => {
    const url = (start: number, length: number): Entity => ({ kind: 'url', start, length });
    assert.equal(kept(url(4, 19), url(0, 19)), 1);
    assert.equal(kept(url(4, 19), url(0, 15)), 0);
  });
});
