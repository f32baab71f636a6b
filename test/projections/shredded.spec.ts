import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { eventKinds } from '../../src/domain/registry.js';
import { storedType } from '../../src/kernel/codec.js';
import type { EventKind } from '../../src/kernel/declareEvents.js';
import type { Event } from '../../src/kernel/event.js';
import { isChatKey } from '../../src/kernel/chat.js';
import { collectionOf } from '../../src/kernel/document.js';
import { shredded } from '../../src/kernel/opened.js';
import { digestOf } from '../support/digest.js';
import { projections } from '../../src/projections/registry.js';
import { userDocuments } from '../../src/projections/users/fold.js';
import { recordedAs } from './folded.js';
import { openStore, setting } from './setting.js';

/** Few ids, so that the events of a sequence are about the same things. */
const anyId = fc.constantFrom(0n, 1n, 2n, 3n, 2n ** 40n, 2n ** 64n - 1n);
const anyChat = fc.constantFrom('channel.1.2', 'group.1', 'dm.1.2', 'self.1');

/** A value of the same kind as the sample. */
const like = (sample: unknown): fc.Arbitrary<unknown> => {
  if (typeof sample === 'bigint') return anyId;
  if (typeof sample === 'number') return fc.nat(3);
  if (typeof sample === 'boolean') return fc.boolean();
  if (typeof sample === 'string') return isChatKey(sample) ? anyChat : fc.constantFrom(sample, '');
  if (Array.isArray(sample)) return fc.array(like(sample[0]), { maxLength: 3 });
  return fc.record(Object.fromEntries(Object.entries(sample as object).map(([name, value]) => [name, like(value)])));
};

/** Every field that may be missing is, now and then. */
const anyFields = ({ fields }: EventKind): fc.Arbitrary<object> => {
  const sample = fields.sample as Readonly<Record<string, unknown>>;
  const required = Object.keys(sample).filter((name) => {
    const { [name]: _, ...rest } = sample;
    try {
      fields.encode(rest);
      return false;
    } catch {
      return true;
    }
  });
  const model = Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, like(value)]));
  return fc.record(model, { requiredKeys: required });
};

const blank = ({ personal }: EventKind): object =>
  Object.fromEntries((personal?.names ?? []).map((name) => [name, shredded]));

const anyShreddedEvent = fc.oneof(
  ...eventKinds.map((kind) =>
    anyFields(kind).map((data): Event => ({ type: kind.type, data: { ...data, ...blank(kind) } })),
  ),
);

describe('every fold', () => {
  it('takes any events in any order with everything personal shredded', () => {
    const types = projections.flatMap(({ documents }) => documents);
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(anyShreddedEvent, { maxLength: 60 }), (events) => {
        for (const type of types) {
          const documents = new Map<string, unknown>();
          for (const [index, event] of events.entries()) {
            const recorded = recordedAs(event, index);
            for (const key of type.keysOf(recorded)) {
              const document = type.fold(documents.get(key), recorded, key);
              documents.set(key, document);
              if (document !== undefined) type.indexKeysOf(document);
              seen.add(event.type);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    const folded = new Set(types.flatMap((type) => type.types));
    assert.deepEqual([...seen].sort(), [...folded].sort());
  });
});

describe('a log', () => {
  const name = (text: string): Event => ({ type: 'NameChanged', data: { user: 1n, name: text } });

  it('of somebody who was erased is folded without what they said', async () => {
    const { happened, start, sealer, alarms, reading } = setting();
    const store = await openStore();
    await happened('user-1', { type: 'UserRegistered', data: { user: 1n, bot: false, name: 'Ada' } });
    const position = await happened('user-1', name('Countess'));
    sealer.shred('1');
    const running = await start({ store });
    await running.reached(position);
    const { document } = await reading(store).store.get(collectionOf(userDocuments), '1');
    assert.deepEqual(document, { id: 1n, bot: false, name: shredded });
    assert.deepEqual(alarms, []);
    await running.close();
  });

  it('folded in one go or bit by bit gives the same documents', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyShreddedEvent, { minLength: 1, maxLength: 20 }), async (events) => {
        assert.equal(await digestAfter(events, 'one go'), await digestAfter(events, 'bit by bit'));
      }),
      { numRuns: 20 },
    );
  });
});

const storedTypeOf = (type: string): string => {
  const kind = eventKinds.find((declared) => declared.type === type);
  assert.ok(kind !== undefined);
  return storedType(kind);
};

/** The events as they are, without sealing what is shredded already. */
const digestAfter = async (events: readonly Event[], how: 'one go' | 'bit by bit'): Promise<string> => {
  const { written, start, codec } = setting();
  const store = await openStore();
  const readAgain = {
    ...codec,
    readSealed: (record: Parameters<typeof codec.read>[0]) =>
      recordedAs(events[Number(record.position) - 1] ?? { type: '', data: {} }, Number(record.position) - 1),
  };
  const running = how === 'one go' ? undefined : await start({ store, codec: readAgain });
  let position = 0n;
  for (const { type } of events) {
    position = await written('any-1', storedTypeOf(type), '{}');
    await running?.reached(position);
  }
  const reading = running ?? (await start({ store, codec: readAgain }));
  await reading.reached(position);
  await reading.close();
  return digestOf(store);
};
