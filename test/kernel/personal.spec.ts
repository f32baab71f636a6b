import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UserEvent } from '../../src/domain/users/events.js';
import { decide, type Command, type Decider } from '../../src/kernel/decider.js';
import { apply, type EventOf, type Fold } from '../../src/kernel/event.js';
import type { UserId } from '../../src/kernel/ids.js';
import { opened, shredded, unless } from '../../src/kernel/opened.js';
import { personal, type Personal, type WrittenEvent } from '../../src/kernel/personal.js';

type Renamed = EventOf<UserEvent, 'NameChanged'>;
type Names = readonly Personal<string>[];

/** Sealed, as a reader without keys has it. */
const sealed = { sealed: 'c2VhbGVk' } as unknown as Personal<string>;
const event = (name: Personal<string>): Renamed => ({ type: 'NameChanged', data: { user: 1n as UserId, name } });

describe('a personal value', () => {
  const fold: Fold<Names, Renamed> = { NameChanged: (names, { data }) => [...names, data.name] };

  it('is carried by a fold in whatever form it comes', () => {
    const names = [personal('Ada'), sealed].map(event).reduce<Names>((before, next) => apply(fold, before, next), []);
    assert.deepEqual(names, ['Ada', { sealed: 'c2VhbGVk' }]);
  });

  it('is closed to a fold by its type', () => {
    const looking: Fold<unknown, Renamed> = {
      NameChanged: (_, { data: { name } }) => {
        // @ts-expect-error A fold that measures the content does not compile.
        const length: unknown = name.length;
        // @ts-expect-error Nor does one that compares it.
        const isAda: unknown = name === 'Ada';
        // @ts-expect-error Nor does one that hands it on as text.
        const text: string = name;
        // @ts-expect-error Nor does one that asks first whether it is text.
        const asked: unknown = typeof name === 'string' ? name.length : 0;
        return [length, isAda, text, asked];
      },
    };
    assert.deepEqual(apply(looking, undefined, event(personal('Ada'))), [3, true, 'Ada', 3]);
  });

  it('is opened by readers, who say what stands in the place of shredded content', () => {
    const erased = shredded as unknown as Personal<string>;
    assert.deepEqual([opened(personal('Ada')), unless(personal('Ada'), 'nobody')], ['Ada', 'Ada']);
    assert.deepEqual([opened(erased), unless(erased, 'nobody')], [shredded, 'nobody']);
  });

  it('is written open, and never as it was found in a state', () => {
    const written: WrittenEvent<Renamed> = { type: 'NameChanged', data: { user: 1n as UserId, name: 'Ada' } };
    const copying: Decider<Command<'Copy'>, Personal<string>, Renamed> = {
      stream: () => 'user-1',
      initial: sealed,
      evolve: { NameChanged: (_, { data }) => data.name },
      rules: {
        // @ts-expect-error The content may be shredded or sealed, so a decider has to open it first.
        Copy: (_, name) => [{ ...written, data: { ...written.data, name } }],
      },
    };
    assert.deepEqual(decide(copying, { type: 'Copy', data: undefined }, sealed), [event(sealed)]);
  });
});
