import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SealedField, type SealedValue } from '../../../src/kernel/sealed.js';
import { sealedDocument, storedForm, withSealedFields } from '../../../src/projections/sealing/storedForm.js';
import { eventKinds } from '../../../src/domain/registry.js';
import { apartType, storedType } from '../../../src/kernel/codec.js';
import { words } from '../../../src/projections/sealing/words.js';

const valueOf = (number: number, more: Partial<SealedValue> = {}): SealedValue => ({
  event: `b5f0b2a6-4f0e-5d53-9b0c-${number.toString(16).padStart(12, '0')}`,
  type: 'messages.MessageSent.v1',
  stream: 'message-7',
  subject: '42',
  scope: 'channel.11.12',
  position: 2n ** 60n + BigInt(number),
  sealed: Uint8Array.from({ length: 40 }, (_, index) => index + number),
  ...more,
});
const streams = ['message-7'];

describe('a document with sealed fields', () => {
  it('comes back from its stored form as it was', () => {
    const [one, other] = [valueOf(1), valueOf(2, { type: 'notes.NoteSung.v1', stream: 'elsewhere', scope: 'a' })];
    const { subject: _, ...nobodys } = valueOf(3);
    const document = {
      chat: 'channel.11.12',
      author: 42n,
      text: new SealedField(one, 'text'),
      quote: new SealedField(one, 'quote'),
      list: [new SealedField(other, 'unheard of'), { deep: new SealedField(nobodys, 'name') }, 'plain', 1.5, null],
      own: Uint8Array.of(1, 2, 3),
    };
    assert.deepEqual(withSealedFields(storedForm(document, streams), streams), document);
  });

  it('is stored with each value once, and with no text that follows from it or stands in all of them', () => {
    const value = valueOf(1);
    const document = { chat: 'channel.11.12', author: 42n, text: new SealedField(value, 'text') };
    const one = storedForm(document, streams);
    const both = storedForm({ ...document, entities: new SealedField(value, 'entities') }, streams);
    assert.deepEqual(sealedDocument(both, streams)?.values.length, 1);
    assert.ok(Array.isArray(one));
    assert.deepEqual(one[1], []);
    assert.ok((one[2] as Uint8Array).length < value.sealed.length + 45);
  });

  it('is without the fields that turn out to be absent', () => {
    const document = { text: new SealedField(valueOf(1), 'text'), all: [new SealedField(valueOf(1), 'quote'), 1] };
    const stored = storedForm(document, streams);
    assert.deepEqual(
      sealedDocument(stored, streams)?.with((_, name) => (name === 'text' ? 'hello' : undefined)),
      { text: 'hello', all: [1] },
    );
  });

  it('may hold as many values as a large community has names', () => {
    const roles = Array.from({ length: 1_250 }, (_, index) => ({ name: new SealedField(valueOf(index), 'name') }));
    const stored = storedForm({ roles }, []);
    assert.deepEqual(withSealedFields(stored, []), { roles });
    assert.equal(sealedDocument(stored, [])?.values.length, 1_250);
  });

  it('is not stored where a value is of no event', () => {
    const sound = valueOf(1).event;
    const wrong = [
      sound.slice(1),
      `${sound}0`,
      sound.replace('-', '0'),
      sound.replace('b', 'B'),
      sound.replace('b', 'é'),
    ];
    for (const event of wrong) {
      const document = { text: new SealedField(valueOf(1, { event }), 'text') };
      assert.throws(() => storedForm(document, streams), /is no id of an event/);
    }
  });

  it('is stored as it is when nothing in it is sealed', () => {
    const document = { open: 'text', bytes: Uint8Array.of(1) };
    assert.equal(storedForm(document, streams), document);
    assert.equal(withSealedFields(document, streams), document);
    assert.equal(sealedDocument(document, streams), undefined);
  });
});

describe('the words of stored documents', () => {
  it('are each under its own number, of which the first are for ever', () => {
    assert.equal(new Set(words).size, words.length);
    assert.deepEqual(words.slice(0, 6), [
      'messages.MessageSent.v1',
      'messages.MessageEdited.v1',
      'text',
      'entities',
      'quote',
      'requestHash',
    ]);
  });

  it('have all types and fields that are sealed in documents', () => {
    // Addresses, keys of uploads, manifests of files and reports with their evidence are in no document.
    const inNone = [
      'AccountRegistered',
      'UploadBegun',
      'FileMade',
      'PagePictureMade',
      'MessageReported',
      'EvidenceKept',
    ];
    const sealed = eventKinds.filter(({ personal, type }) => personal !== undefined && !inNone.includes(type));
    const wanted = sealed.flatMap((kind) => [
      storedType(kind),
      ...(kind.personal?.names ?? []),
      ...(kind.personal?.apart === undefined ? [] : [apartType(storedType(kind))]),
    ]);
    assert.deepEqual(
      wanted.filter((word) => !words.includes(word)),
      [],
    );
  });
});
