import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventCodec, storedType } from '../../src/kernel/codec.js';
import { declareEvents, type EventsOf } from '../../src/kernel/declareEvents.js';
import type { Event } from '../../src/kernel/event.js';
import type { UserId } from '../../src/kernel/ids.js';
import type { Personal } from '../../src/kernel/personal.js';
import { count, id, optional, text } from '../../src/kernel/schema.js';
import { plainSealer } from '../support/plainSealer.js';

const user = id<UserId>('user');
type OfUser = { readonly user: UserId };
const stream = (data: OfUser): string => `walker-${data.user.toString()}`;
const about = (): string => 'nobody';
const sealedFor = (data: OfUser) => ({ subject: data.user, scope: 'walks' });
const walked = { says: 'Somebody walked.', fields: { user, steps: count } };
const walkEvents = declareEvents(
  'walks',
  { stream, about, sealedFor, affects: 'permissions' },
  {
    Walked: walked,
    DiaryWritten: { says: 'A diary was written.', fields: { user }, personal: { text, mood: optional(text) } },
  },
);

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

describe('a package of events', () => {
  it('is a union of facts, whose personal fields are opaque', () => {
    type Diary = OfUser & { readonly text: Personal<string>; readonly mood?: Personal<string> };
    type Expected = Event<'Walked', OfUser & { readonly steps: number }> | Event<'DiaryWritten', Diary>;
    const isSame: Same<EventsOf<typeof walkEvents>, Expected> = true;
    assert.ok(isSame);
  });

  it('gives each fact its name, its stored type and all that is common', () => {
    const { Walked, DiaryWritten } = walkEvents;
    assert.deepEqual([Walked, DiaryWritten].map(storedType), ['walks.Walked.v1', 'walks.DiaryWritten.v1']);
    assert.deepEqual([Walked.type, Walked.stream(Walked.fields.sample)], ['Walked', 'walker-123456789012345678']);
    assert.deepEqual([Walked.affects, Walked.personal], ['permissions', undefined]);
    assert.deepEqual(DiaryWritten.personal?.names, ['text', 'mood']);
  });

  it('does not compile without the fields that name the stream', () => {
    // @ts-expect-error The stream of the fact cannot be named.
    const lost = declareEvents('walks', { stream, about }, { Lost: { says: 'Lost.', fields: { steps: count } } });
    assert.throws(() => lost.Lost.stream({ steps: 1 }), TypeError);
  });

  it('does not compile with personal fields that are sealed for nobody', () => {
    // @ts-expect-error Without `sealedFor` the content would have no keys.
    assert.throws(() => declareEvents('walks', { stream, about }, { Told: { ...walked, personal: { text } } }));
  });

  it('shares no name with another package', () => {
    const rideEvents = declareEvents('rides', { stream, about }, { Walked: walked });
    assert.throws(() => eventCodec([walkEvents.Walked, rideEvents.Walked], plainSealer()), /Walked/);
  });
});
