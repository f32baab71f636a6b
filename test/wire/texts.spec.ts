import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SendMessage } from '../../src/gen/messages.js';
import { textBytesMax } from '../../src/wire/byteReader.js';
import { decode, decodeBounded, encode } from '../../src/wire/codec.js';

const entityOf = (bytes: number) => ({ length: 1, textUrl: { url: 'x'.repeat(bytes) } });
const bytesOf = (messageBytes: number, ...urlBytes: readonly number[]): Uint8Array =>
  encode(SendMessage, { message: 'x'.repeat(messageBytes), entities: urlBytes.map(entityOf) });

describe('the texts of a request', () => {
  it('have a bound in bytes, all together', () => {
    assert.ok(decodeBounded(SendMessage, bytesOf(textBytesMax)).ok);
    assert.ok(decodeBounded(SendMessage, bytesOf(textBytesMax - 2_000, 1_000, 1_000)).ok);
    const reason = `its texts have at most ${textBytesMax.toString()} bytes together`;
    for (const bytes of [bytesOf(textBytesMax + 1), bytesOf(textBytesMax - 2_000, 1_000, 1_001)])
      assert.deepEqual(decodeBounded(SendMessage, bytes), { ok: false, fault: 'tooLarge', reason });
  });

  it('are not decoded beyond it', (t) => {
    const decoded = t.mock.method(TextDecoder.prototype, 'decode');
    decodeBounded(SendMessage, bytesOf(1_000, ...Array<number>(200).fill(2_000)));
    const bytes = decoded.mock.calls.reduce((sum, { arguments: [text] }) => sum + (text?.byteLength ?? 0), 0);
    assert.ok(bytes <= textBytesMax && bytes > textBytesMax - 4_000, bytes.toString());
  });

  it('have none where they do not come from clients', () => {
    assert.ok(decode(SendMessage, bytesOf(textBytesMax + 1)).ok);
  });
});
