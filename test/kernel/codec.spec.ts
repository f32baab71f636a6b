import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { EventTooLarge, eventCodec, periodOf, readEvents } from '../../src/kernel/codec.js';
import { declareEvents } from '../../src/kernel/declareEvents.js';
import type { Event } from '../../src/kernel/event.js';
import type { Millis, UserId } from '../../src/kernel/ids.js';
import { opened, shredded } from '../../src/kernel/opened.js';
import { personal } from '../../src/kernel/personal.js';
import { SealedField } from '../../src/kernel/sealed.js';
import { eventBytesMax, type StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { KeysMissing } from '../../src/kernel/ports/sealer.js';
import { id, optional, text } from '../../src/kernel/schema.js';
import { plainSealer } from '../support/plainSealer.js';

type ByAuthor = { readonly author: UserId };
const inCommon = {
  stream: (data: ByAuthor) => `note-${data.author.toString()}`,
  about: (data: ByAuthor) => `user.${data.author.toString()}`,
  sealedFor: (data: ByAuthor) => ({ subject: data.author, scope: 'notes' }),
};
const { NoteWritten } = declareEvents('notes', inCommon, {
  NoteWritten: {
    says: 'A note was written.',
    fields: { author: id<UserId>('user') },
    personal: { body: text, title: optional(text) },
  },
});
const { LetterWritten } = declareEvents(
  'letters',
  {
    ...inCommon,
    sealedApartFor: ({ cites }: { readonly cites?: UserId }) =>
      cites === undefined ? undefined : { subject: cites, scope: 'notes' },
  },
  {
    LetterWritten: {
      says: 'A letter was written.',
      fields: { author: id<UserId>('user'), cites: optional(id<UserId>('user')) },
      personal: { body: text, cited: optional(text) },
      apart: ['cited'],
    },
  },
);
const author = (2n ** 63n + 1n) as UserId;
const note: Event = { type: NoteWritten.type, data: { author, body: 'höllo' } };
const envelope = {
  id: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c11',
  stream: 'note-1',
  metadata: { $correlationId: 'a', $causationId: 'b', command: 'WriteNote' },
  period: '202611',
};

const setup = () => {
  const sealer = plainSealer();
  const codec = eventCodec([NoteWritten], sealer);
  const stored = async (): Promise<StoredEvent> => {
    await sealer.makeKeys([author.toString(), 'notes']);
    const record = codec.write(note, envelope);
    assert.ok(!(record instanceof KeysMissing));
    return { ...record, stream: envelope.stream, revision: 4n, position: 9n, at: 5 as Millis };
  };
  return { sealer, codec, stored };
};

describe('the event codec', () => {
  it('asks for keys that are not in memory before it writes', () => {
    const outcome = setup().codec.write(note, envelope);
    assert.deepEqual(outcome, new KeysMissing([author.toString(), 'notes']));
  });

  it('reads what it wrote, with the place where it stands', async () => {
    const { codec, sealer, stored } = setup();
    const [event] = await readEvents(codec, sealer, [await stored()]);
    assert.deepEqual(event?.data, { author, body: 'höllo' });
    assert.equal(event.position, 9n);
    assert.equal(event.metadata.about, `user.${author.toString()}`);
  });

  it('fetches the keys that reading needs', async () => {
    const { codec, sealer, stored } = setup();
    const record = await stored();
    sealer.forget();
    const [event] = await readEvents(codec, sealer, [record]);
    assert.deepEqual(event?.data, { author, body: 'höllo' });
  });

  it('gives every personal field as shredded once a key is gone, also those that were absent', async () => {
    const { codec, sealer, stored } = setup();
    sealer.shred('notes');
    const [event] = await readEvents(codec, sealer, [await stored()]);
    assert.deepEqual(event?.data, { author, body: shredded, title: shredded });
  });

  it('reads without any key, with each personal field as it is sealed, also those that are absent', async () => {
    const { codec, sealer, stored } = setup();
    const record = await stored();
    sealer.forget();
    const event = codec.readSealed(record);
    const data = event?.data as Readonly<Record<string, unknown>>;
    assert.equal(data['author'], author);
    const [body, title] = [data['body'], data['title']];
    assert.ok(body instanceof SealedField && title instanceof SealedField);
    assert.equal(body.value, title.value);
    assert.throws(() => opened(personal(body)), /without being opened/);
    assert.ok(codec.open(body.value) instanceof KeysMissing);
    await sealer.loadKeys([author.toString(), 'notes']);
    assert.deepEqual(codec.open(body.value), { body: 'höllo' });
  });

  it('seals apart what is somebody else’s, so that either goes without the other', async () => {
    const [sealer, other] = [plainSealer(), 77n as UserId];
    const codec = eventCodec([LetterWritten], sealer);
    const data = { author, cites: other, body: 'own', cited: 'theirs' };
    const letter: Event = { type: LetterWritten.type, data };
    const missing = codec.write(letter, envelope);
    assert.ok(missing instanceof KeysMissing);
    assert.deepEqual(missing.names, [author.toString(), 'notes', other.toString()]);
    await sealer.makeKeys(missing.names);
    const record = codec.write(letter, envelope);
    assert.ok(!(record instanceof KeysMissing));
    const stored = { ...record, stream: envelope.stream, revision: 4n, position: 9n, at: 5 as Millis };
    sealer.forget();
    const read = async (one: StoredEvent = { ...stored }) => (await readEvents(codec, sealer, [one]))[0]?.data;
    assert.deepEqual(await read(), data);
    const body = JSON.parse(Buffer.from(stored.data).toString()) as Readonly<Record<string, string>>;
    const swapped = { ...body, sealed: body['sealedApart'], sealedApart: body['sealed'] };
    await assert.rejects(read({ ...stored, data: Buffer.from(JSON.stringify(swapped)) }), /sealed for/);
    const { sealedApart: _, ...half } = body;
    await assert.rejects(read({ ...stored, data: Buffer.from(JSON.stringify(half)) }), { name: 'Misshapen' });
    const fields = codec.readSealed(stored)?.data as Readonly<Record<string, SealedField>>;
    assert.deepEqual(
      ['body', 'cited'].map((name) => fields[name]?.value.subject),
      [author.toString(), other.toString()],
    );
    sealer.shred(other.toString());
    assert.deepEqual(await read(), { ...data, cited: shredded });
    assert.deepEqual(fields['cited'] && codec.open(fields['cited'].value), shredded);
    sealer.shred('notes');
    assert.deepEqual(await read(), { ...data, body: shredded, cited: shredded });
  });

  it('seals what is somebody else’s with the rest in an event that does not say whose it is', async () => {
    const sealer = plainSealer();
    const codec = eventCodec([LetterWritten], sealer);
    await sealer.makeKeys([author.toString(), 'notes']);
    const data = { author, body: 'own', cited: 'of before' };
    const record = codec.write({ type: LetterWritten.type, data }, envelope);
    assert.ok(!(record instanceof KeysMissing));
    assert.deepEqual(Object.keys(JSON.parse(Buffer.from(record.data).toString()) as object), ['author', 'sealed']);
    const stored = { ...record, stream: envelope.stream, revision: 4n, position: 9n, at: 5 as Millis };
    assert.deepEqual((await readEvents(codec, sealer, [stored]))[0]?.data, data);
  });

  it('opens nothing that it sealed lately, for as long as the keys are there', async () => {
    const { codec, sealer, stored } = setup();
    const opening = mock.method(sealer, 'open');
    const record = await stored();
    const readAgain = () => codec.read({ ...record });
    const [event] = await readEvents(codec, sealer, [record]);
    assert.deepEqual(event?.data, { author, body: 'höllo' });
    assert.equal(opening.mock.callCount(), 0);
    sealer.shred('notes');
    const gone = readAgain();
    assert.ok(gone !== undefined && !(gone instanceof KeysMissing));
    assert.deepEqual(gone.data, { author, body: shredded, title: shredded });
    sealer.forget();
    assert.ok(readAgain() instanceof KeysMissing);
  });

  it('gives a record that it read before as shredded once a key is gone', async () => {
    const { codec, sealer, stored } = setup();
    const record = await stored();
    await readEvents(codec, sealer, [record]);
    sealer.shred('notes');
    const [event] = await readEvents(codec, sealer, [record]);
    assert.deepEqual(event?.data, { author, body: shredded, title: shredded });
  });

  it('parses a record once', async () => {
    const { codec, stored } = setup();
    const record = await stored();
    assert.equal(codec.read(record), codec.read(record));
  });

  it('parses and opens the largest record once for all who follow the log, with its metadata', async () => {
    const { codec, sealer } = setup();
    await sealer.makeKeys([author.toString(), 'notes']);
    const parsing = mock.method(JSON, 'parse');
    const opening = mock.method(sealer, 'open');
    const packing = mock.method(sealer, 'packed');
    const body = 'x'.repeat((eventBytesMax * 3) / 4 - 1_024);
    const record = codec.write({ type: NoteWritten.type, data: { author, body } }, envelope);
    assert.ok(!(record instanceof KeysMissing) && record.data.length > eventBytesMax / 2);
    const stored = { ...record, stream: envelope.stream, revision: 4n, position: 9n, at: 5 as Millis };
    for (let followers = 0; followers < 4; followers += 1) {
      codec.metadata(stored);
      codec.readSealed(stored);
      const [event] = await readEvents(codec, sealer, [stored]);
      assert.deepEqual(event?.data, { author, body });
      assert.equal(event.metadata.command, 'WriteNote');
    }
    const counts = [parsing, packing, opening].map(({ mock: { calls } }) => calls.length);
    mock.restoreAll();
    assert.deepEqual(counts, [2, 1, 0]);
  });

  it('leaves out what it does not know: it was written by a newer program', async () => {
    const { codec, sealer, stored } = setup();
    const foreign = { ...(await stored()), type: 'notes.NoteSung.v1' };
    assert.deepEqual(await readEvents(codec, sealer, [foreign]), []);
  });

  it('refuses an event that is too large for the log', async () => {
    const { codec, stored } = setup();
    await stored();
    const huge: Event = { type: NoteWritten.type, data: { author, body: 'x'.repeat(70_000) } };
    assert.throws(() => codec.write(huge, envelope), EventTooLarge);
  });

  it('throws on a body that is not of its kind', async () => {
    const { codec, stored } = setup();
    const damaged = { ...(await stored()), data: Buffer.from('{"author":7}') };
    assert.throws(() => codec.read(damaged), {
      name: 'Misshapen',
      message: 'notes.NoteWritten.v1 at 9: author: expected user id, in decimal, found a number',
    });
  });

  for (const [content, says] of [
    ['nobody may read this', 'expected JSON, found text of 20 characters'],
    ['{"body":["nobody may read this"]}', 'body: expected text, found a list of 1'],
  ] as const) {
    it(`names the place of opened content that is not of its kind, and not the content: ${says}`, async () => {
      const { codec, sealer, stored } = setup();
      const record = await stored();
      const { sealed } = JSON.parse(Buffer.from(record.data).toString()) as { readonly sealed: string };
      const foreign = [...sealed.split('.').slice(0, 3), Buffer.from(content).toString('base64url')].join('.');
      const data = Buffer.from(JSON.stringify({ author: author.toString(), sealed: foreign }));
      await assert.rejects(readEvents(codec, sealer, [{ ...record, data }]), (error: Error) => {
        assert.equal(error.message, `notes.NoteWritten.v1 at 9: ${says}`);
        assert.doesNotMatch(error.stack ?? '', /nobody/);
        return true;
      });
    });
  }

  it('counts periods by months in UTC', () => {
    assert.equal(periodOf(Date.parse('2026-01-31T23:59:59Z')), '202601');
    assert.equal(periodOf(Date.parse('2026-02-01T00:00:00Z')), '202602');
  });
});
