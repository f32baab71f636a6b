import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestText } from '../../../../../src/gateway/packages/messages/sending/requestText.js';
import type { Sending } from '../../../../../src/gateway/packages/messages/wire.js';
import { selfChat } from '../../../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../../../src/kernel/ids.js';

const chat = selfChat(1n as UserId);
const bold = { kind: 'bold', start: 0, length: 2 } as const;
const sending: Sending = {
  chat,
  text: 'hi',
  entities: [bold],
  reply: { to: 9n as MessageId, quote: { text: 'ho', entities: [], offset: 3 } },
  nonce: 7n,
};

describe('the text of a request to send', () => {
  it('is the same to the letter for ever, because stored messages have a hash of it', () => {
    assert.equal(
      requestText(sending),
      'send:{"entities":[{"kind":"bold","length":2,"start":0}],' +
        '"reply":{"quote":{"entities":[],"offset":3,"text":"ho"},"to":"9"},"text":"hi"}',
    );
  });

  it('does not depend on the order in which a program has put the fields', () => {
    const { reply, entities, text, nonce } = sending;
    const { quote, to } = reply ?? assert.fail();
    const { offset = 0, entities: quoted, text: words } = quote ?? assert.fail();
    const other: Sending = {
      nonce: (nonce ?? 0n) + 1n,
      reply: { quote: { offset, entities: quoted, text: words }, to },
      entities: entities.map(({ length, start, kind }) => ({ length, kind, start })),
      text,
      chat,
    };
    assert.equal(requestText(other), requestText(sending));
  });
});
