import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openedContents } from '../../src/kernel/openedContents.js';
import type { SealedValue } from '../../src/kernel/sealed.js';

const value: SealedValue = {
  event: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c11',
  type: 'messages.MessageSent.v1',
  stream: 'message-7',
  subject: '42',
  scope: 'channel.11.12',
  position: 9n,
  sealed: Uint8Array.of(1, 2, 3),
};
const content = { text: 'hello' };

describe('content that was opened', () => {
  it('is there for the same bytes in the same place, wherever that is in the log', () => {
    const contents = openedContents();
    contents.keep(value, content);
    assert.equal(contents.of({ ...value, sealed: value.sealed.slice(), position: 10n }), content);
  });

  it('holds no more memory than its own, whatever its value shares', () => {
    const contents = openedContents();
    const shared = Buffer.of(1, 2, 3);
    contents.keep({ ...value, sealed: shared.subarray(0, 2) }, content);
    shared.fill(9);
    assert.equal(contents.of({ ...value, sealed: Uint8Array.of(1, 2) }), content);
  });

  it('is not there for other bytes, nor in another place', () => {
    const contents = openedContents();
    contents.keep(value, content);
    const { subject: _, ...nobodys } = value;
    const others: readonly SealedValue[] = [
      nobodys,
      { ...value, event: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c12' },
      { ...value, type: 'messages.MessageEdited.v1' },
      { ...value, stream: 'message-8' },
      { ...value, subject: '43' },
      { ...value, scope: 'channel.11.13' },
      { ...value, sealed: Uint8Array.of(1, 2, 4) },
      { ...value, sealed: Uint8Array.of(2, 2, 3) },
      { ...value, sealed: Uint8Array.of(1, 2) },
    ];
    for (const other of others) assert.equal(contents.of(other), undefined);
  });

  it('takes no more than its bytes, and goes when it is cleared', () => {
    const contents = openedContents(2_000);
    const many = Array.from({ length: 10 }, (_, index) => ({ ...value, event: index.toString() }));
    for (const one of many) contents.keep(one, content);
    const kept = many.filter((one) => contents.of(one) !== undefined);
    assert.ok(kept.length >= 1 && kept.length <= 4);
    assert.equal(kept.at(-1), many.at(-1));
    contents.clear();
    assert.ok(many.every((one) => contents.of(one) === undefined));
  });
});
