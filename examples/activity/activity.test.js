// node --test activity.test.js
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { projection } from './activity.js';

const { keys, fold, indexes } = projection.documents.days;

/** Folds events as the server does. */
const folded = (events) => {
  const documents = new Map();
  for (const event of events) {
    for (const key of keys[event.type](event)) {
      documents.set(key, fold[event.type](documents.get(key), event, key));
    }
  }
  return documents;
};

const sent = (chat, at) => ({ type: 'MessageSent', at: Date.parse(at), data: { chat, text: { sealed: true } } });

it('counts the messages of each channel and day, and no others', () => {
  const documents = folded([
    sent('channel.1.7', '2026-11-30T23:59:59Z'),
    sent('channel.1.7', '2026-12-01T00:00:00Z'),
    { ...sent('channel.1.7', '2026-12-01T09:30:00Z'), type: 'MessageForwarded' },
    sent('channel.1.8', '2026-12-01T10:00:00Z'),
    sent('dm.3.4', '2026-12-01T10:00:00Z'),
  ]);
  assert.deepEqual(
    [...documents].map(([key, { messages }]) => [key, messages]),
    [
      ['channel.1.7 2026-11-30', 1],
      ['channel.1.7 2026-12-01', 2],
      ['channel.1.8 2026-12-01', 1],
    ],
  );
});

it('finds them by day and by channel', () => {
  const document = { channel: 'channel.1.7', day: '2026-12-01', messages: 2 };
  assert.deepEqual(indexes.byDay(document), [['2026-12-01']]);
  assert.deepEqual(indexes.byChannel(document), [['channel.1.7', '2026-12-01']]);
});
