import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventKinds } from '../../src/domain/registry.js';
import { eventCodec, readEvent } from '../../src/kernel/codec.js';
import type { AnyEventKind, Event, Recorded } from '../../src/kernel/event.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { KeysMissing } from '../../src/kernel/ports/sealer.js';
import { plainSealer } from '../support/plainSealer.js';
import { eventsPage } from '../support/eventsPage.js';

/**
 * Every kind of event ever written has a sample here, as it was stored then. A sample is never changed: if this test
 * fails for one, the change to the event would make old logs unreadable. `npm run samples` adds those of new kinds.
 */
const folder = 'test/fixtures/events';
const adding = process.env['ADD_SAMPLES'] === 'yes';

type Sample = { readonly data: string; readonly metadata: string };
const place = { id: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c11', stream: 'sample-1' };
const metadata = { $correlationId: 'request', $causationId: 'command', command: 'Sample', actor: '1', session: '2' };

const sealer = plainSealer();
const codec = eventCodec(eventKinds, sealer);

const sampleOf = (kind: AnyEventKind): Event => ({
  type: kind.type,
  data: { ...kind.fields.sample, ...kind.personal?.schema.sample },
});

const written = async (event: Event): Promise<Sample> => {
  const envelope = { ...place, metadata, period: '202601' };
  const first = codec.write(event, envelope);
  if (first instanceof KeysMissing) await sealer.makeKeys(first.names);
  const record = first instanceof KeysMissing ? codec.write(event, envelope) : first;
  assert.ok(!(record instanceof KeysMissing));
  return { data: text(record.data), metadata: text(record.metadata) };
};

const read = async (type: string, sample: Sample): Promise<Recorded | undefined> => {
  const stored: StoredEvent = {
    ...place,
    type,
    data: Buffer.from(sample.data),
    metadata: Buffer.from(sample.metadata),
    revision: 0n,
    position: beforeAll,
    at: 0 as Millis,
  };
  return readEvent(codec, sealer, stored);
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const fileOf = (type: string): string => `${folder}/${type}.json`;
const goldenOf = (type: string): Sample => JSON.parse(readFileSync(fileOf(type), 'utf8')) as Sample;

if (adding) {
  mkdirSync(folder, { recursive: true });
  for (const kind of eventKinds) {
    if (existsSync(fileOf(kind.type))) continue;
    writeFileSync(fileOf(kind.type), `${JSON.stringify(await written(sampleOf(kind)), null, 2)}\n`);
  }
  writeFileSync('docs/events.md', eventsPage(eventKinds));
}

describe('events', () => {
  it('are all of different types, named package.Fact.vN', () => {
    assert.ok(eventKinds.length > 0);
    assert.equal(new Set(eventKinds.map(({ type }) => type)).size, eventKinds.length);
    for (const { type } of eventKinds) assert.match(type, /^[a-z]+\.[A-Z][A-Za-z]+\.v[1-9]\d*$/);
  });

  it('keep a sample of every kind, also of those no longer written', () => {
    const sampled = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
    assert.deepEqual(sampled.sort(), eventKinds.map(({ type }) => type).sort());
  });

  it('are described in docs/events.md', () => {
    assert.equal(readFileSync('docs/events.md', 'utf8'), eventsPage(eventKinds), 'run `npm run samples`');
  });

  for (const kind of eventKinds) {
    it(`${kind.type} is stored and read as ever`, async () => {
      const golden = goldenOf(kind.type);
      assert.deepEqual(await written(sampleOf(kind)), golden);
      assert.deepEqual((await read(kind.type, golden))?.data, sampleOf(kind).data);
    });
  }

  for (const kind of eventKinds.filter(({ personal }) => personal !== undefined)) {
    it(`${kind.type} has nothing personal in the clear`, async () => {
      const { data } = await written(sampleOf(kind));
      const stored = JSON.parse(data) as object;
      for (const name of kind.personal?.names ?? []) assert.ok(!(name in stored), name);
      assert.ok('sealed' in stored);
    });
  }
});
