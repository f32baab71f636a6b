import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { MessageCommand } from '../../../src/domain/messages/commands.js';
import { messages } from '../../../src/domain/messages/decide.js';
import { messageEvents, type MessageEvent } from '../../../src/domain/messages/events.js';
import type { MessageState } from '../../../src/domain/messages/state.js';
import type { PinEvent } from '../../../src/domain/pins/events.js';
import type { PreviewEvent } from '../../../src/domain/previews/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { decide, isRejection } from '../../../src/kernel/decider.js';
import { forRunner } from '../../../src/kernel/document.js';
import { apply } from '../../../src/kernel/event.js';
import type { MessageId, Millis, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import { messageDocuments } from '../../../src/projections/messages/fold.js';
import { pinnedMessagesDocuments } from '../../../src/projections/pins/fold.js';
import { previewDocuments } from '../../../src/projections/previews/fold.js';
import { projections } from '../../../src/projections/registry.js';
import { asPersonal, type Bare } from '../../support/bare.js';
import { propertyRun } from '../../support/propertyRun.js';
import { recordedAs } from '../folded.js';

const about = { message: 10n as MessageId, chat: selfChat(1n as UserId) };
const anyUser = fc.constantFrom(1n as UserId, 2n as UserId);
const anyContent = fc.record({
  text: fc.constantFrom('one', 'two', ''),
  entities: fc.constantFrom([], [{ start: 0, length: 1, kind: 'bold' as const }]),
  mentions: fc.constantFrom([], [3n as UserId], [3n as UserId, 4n as UserId]),
});
const anySend = fc
  .record(
    {
      by: anyUser,
      content: anyContent,
      replyTo: fc.constant(9n as MessageId),
      nonce: fc.constant(3n),
      quote: fc.constant({ text: 'quoted', entities: [] }),
    },
    { requiredKeys: ['by', 'content'] },
  )
  .map(({ content, ...data }): MessageCommand => ({ type: 'SendMessage', data: { ...about, ...data, ...content } }));
const anyForward = fc
  .record({ by: anyUser, writtenBy: anyUser, content: anyContent })
  .map(({ content, ...data }): MessageCommand => ({
    type: 'ForwardMessage',
    data: { ...about, ...data, ...content, writtenAt: 1 as Millis, original: 5n as MessageId },
  }));
const anyEdit = fc
  .record({ by: anyUser, at: fc.nat(1_000_000), content: anyContent, keepsText: fc.boolean() })
  .map(({ by, at, content, keepsText }): MessageCommand => ({
    type: 'EditMessage',
    data: { ...about, by, at: at as Millis, content: { ...content, keepsText } },
  }));
const anyDeletion = fc
  .record({ by: anyUser, mayDeleteOthers: fc.boolean() })
  .map((data): MessageCommand => ({ type: 'DeleteMessage', data: { ...about, ...data } }));
const anyCommands = fc.array(
  fc.oneof(
    { arbitrary: anySend, weight: 1 },
    { arbitrary: anyForward, weight: 1 },
    { arbitrary: anyEdit, weight: 20 },
    { arbitrary: anyDeletion, weight: 1 },
  ),
  { minLength: 20, maxLength: 40 },
);

/** A history of one message that the rules allow. */
const historyOf = (commands: readonly MessageCommand[]): readonly Bare<MessageEvent>[] => {
  const history: Bare<MessageEvent>[] = [];
  let state: MessageState = messages.initial;
  for (const command of commands) {
    const events = decide(messages, command, state);
    if (isRejection(events)) continue;
    history.push(...events);
    state = events.reduce((before, event) => apply(messages.evolve, before, asPersonal<MessageEvent>(event)), state);
  }
  return history;
};

const withoutContent = (event: Bare<MessageEvent>): Bare<MessageEvent> => {
  const names = messageEvents[event.type].personal?.names ?? [];
  const data = { ...event.data, ...Object.fromEntries(names.map((name) => [name, shredded])) };
  // An event of the same type, of which every personal field may be shredded.
  return { ...event, data } as Bare<MessageEvent>;
};

describe('a document of the first and the latest event', () => {
  it('is of messages, pins and previews', () => {
    const types = projections.flatMap(({ documents }) => documents);
    const names = types
      .filter(({ foldsFromFirstAndLatest }) => foldsFromFirstAndLatest === true)
      .map(({ name }) => name);
    assert.deepEqual(names, [messageDocuments.name, pinnedMessagesDocuments.name, previewDocuments.name]);
  });

  it('follows from the latest event alone where that says all pins', () => {
    const { fold } = forRunner(pinnedMessagesDocuments);
    const about = { chat: selfChat(1n as UserId), message: 10n as MessageId, by: 1n as UserId };
    for (const pinned of [[], [10n as MessageId, 9n as MessageId]]) {
      for (const type of ['MessagePinned', 'MessageUnpinned'] as const) {
        const event = recordedAs<PinEvent>({ type, data: { ...about, pinned } }, 1);
        assert.deepEqual(fold({ messages: [8n] }, event, about.chat), fold(undefined, event, about.chat));
      }
    }
  });

  it('follows from the latest event alone where that says all of a preview', () => {
    const { fold } = forRunner(previewDocuments);
    const of = { message: 10n as MessageId, chat: selfChat(1n as UserId), author: 1n as UserId };
    const found = {
      type: 'PreviewFound',
      data: { ...of, revision: 2, preview: { url: 'https://a.example/' } },
    } as const;
    const others = ['PreviewsSuppressed', 'PreviewsAllowed', 'PreviewRemoved'] as const;
    const before = { message: of.message, revision: 1, preview: { url: 'https://b.example/' } };
    const outdated = { type: 'PreviewOutdated', data: { ...of, revision: 3 } } as const;
    for (const one of [found, outdated, ...others.map((type) => ({ type, data: of }) as const)]) {
      const event = recordedAs<PreviewEvent>(asPersonal<PreviewEvent>(one), 1);
      assert.deepEqual(fold(before, event, '10'), fold(undefined, event, '10'), one.type);
    }
  });

  it('is the same as of the whole history, at each of its events', () => {
    const { fold } = forRunner(messageDocuments);
    const longest = { events: 0 };
    fc.assert(
      fc.property(anyCommands, fc.infiniteStream(fc.boolean()), (commands, isShredded) => {
        const happened = historyOf(commands).map((event) => (isShredded.next().value ? withoutContent(event) : event));
        const history = happened.map((event, index) => recordedAs(event, index));
        let whole: unknown;
        for (const event of history) {
          whole = fold(whole, event, '10');
          const [first] = history;
          const short = first === event || first === undefined ? undefined : fold(undefined, first, '10');
          assert.deepEqual(fold(short, event, '10'), whole);
        }
        longest.events = Math.max(longest.events, history.length);
      }),
      propertyRun(300),
    );
    assert.ok(longest.events > 5, 'the histories are too short to show anything');
  });
});
