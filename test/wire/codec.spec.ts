import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RevokeSessions, Session } from '../../src/gen/auth.js';
import { UploadFilePart } from '../../src/gen/media.js';
import { SendMessage, SetMessagePin } from '../../src/gen/messages.js';
import { ChatRef, UserRef } from '../../src/gen/refs.js';
import { ChannelType, MessageEntity, User } from '../../src/gen/types.js';
import type { CommunityId, MessageId, SessionId, UserId } from '../../src/kernel/ids.js';
import { decode, encode, isValueOf, type Codec } from '../../src/wire/codec.js';
import { codecs, messagesOf, nameOf, protocolRoot, type AnyCodec } from './definitions.js';
import { arbitraryOf, oracleDecode, oracleEncode, type Plain } from './oracle.js';

const uint64Max = 2n ** 64n - 1n;
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

const decoded = <Value>(codec: Codec<Value, never>, from: Uint8Array): Value => {
  const result = decode(codec, from);
  assert.ok(result.ok, 'decodes');
  return result.value;
};

// What protobufjs says of bytes that end too early.
const outOfRange = /^index out of range/;

const reasonOf = (codec: AnyCodec, from: Uint8Array): string => {
  const result = decode(codec, from);
  assert.ok(!result.ok, 'does not decode');
  return result.reason;
};

describe('64-bit numbers', () => {
  it('keep all their bits as fixed64', () => {
    const userId = uint64Max as UserId;
    assert.equal(hex(encode(UserRef, { userId })), '09ffffffffffffffff');
    assert.deepEqual(decoded(UserRef, bytes('09 ffffffffffffffff')), { userId });
  });

  it('keep all their bits as uint64', () => {
    const part = { uploadId: uint64Max, part: 0, data: new Uint8Array(0) };
    assert.equal(hex(encode(UploadFilePart, part)), '08ffffffffffffffffff01');
    assert.deepEqual(decoded(UploadFilePart, encode(UploadFilePart, part)), part);
  });

  it('keep all their bits as uint64 of every length', () => {
    for (let bits = 1n; bits <= 64n; bits += 1n)
      for (const uploadId of [2n ** bits - 1n, 2n ** (bits - 1n), 0xa5a5_a5a5_a5a5_a5a5n >> (64n - bits)])
        assert.equal(decoded(UploadFilePart, encode(UploadFilePart, { uploadId, part: 1 })).uploadId, uploadId);
  });

  it('above 2^53 are not rounded', () => {
    const userId = 9_007_199_254_740_993n as UserId;
    assert.equal(decoded(UserRef, encode(UserRef, { userId })).userId, userId);
  });

  it('are 0n when absent, never undefined or 0', () => {
    assert.deepEqual(decoded(UserRef, new Uint8Array(0)), { userId: 0n });
    assert.equal(encode(UserRef, { userId: 0n as UserId }).length, 0);
  });

  it('are refused as plain numbers instead of written as something else', () => {
    assert.throws(() => encode(UserRef, { userId: 5 as unknown as UserId }), TypeError);
  });

  it('in lists are written packed', () => {
    const sessionIds = [1n, uint64Max] as SessionId[];
    assert.equal(hex(encode(RevokeSessions, { sessionIds })), '0a100100000000000000ffffffffffffffff');
    assert.equal(encode(RevokeSessions, { sessionIds: [] }).length, 0);
  });

  it('in lists are read packed, one by one and mixed', () => {
    const expected = { sessionIds: [1n, 2n, 3n] };
    const packed = '0a 18 0100000000000000 0200000000000000 0300000000000000';
    const single = '09 0100000000000000 09 0200000000000000 09 0300000000000000';
    const mixed = '09 0100000000000000 0a 10 0200000000000000 0300000000000000';
    for (const form of [packed, single, mixed]) assert.deepEqual(decoded(RevokeSessions, bytes(form)), expected);
  });

  it('in lists must fill their bytes', () => {
    assert.match(reasonOf(RevokeSessions, bytes('0a 07 01000000000000')), outOfRange);
    // The bytes that are missing in the list are there behind it.
    assert.match(reasonOf(RevokeSessions, bytes('0a 07 01000000000000 00')), outOfRange);
  });
});

describe('decoded values', () => {
  it('have every plain field and list, and leave out what is absent', () => {
    assert.deepEqual(decoded(User, new Uint8Array(0)), { id: 0n, name: '', bot: false });
    assert.deepEqual(Object.keys(decoded(SetMessagePin, new Uint8Array(0))), ['messageId', 'pin']);
  });

  it('tell an optional zero from nothing', () => {
    assert.equal(decoded(SendMessage, encode(SendMessage, { clientId: 0n })).clientId, 0n);
    assert.equal(decoded(SendMessage, encode(SendMessage, {})).clientId, undefined);
  });

  it('have the last member of a oneof only', () => {
    const user = encode(ChatRef, { user: { userId: 1n as UserId } });
    const self = encode(ChatRef, { self: {} });
    assert.deepEqual(decoded(ChatRef, Buffer.concat([user, self])), { self: {} });
    const entity = bytes('18 01 20 01 2a 00');
    assert.deepEqual(decoded(MessageEntity, entity), { startIndex: 0, length: 0, italic: true });
  });

  it('merge a sub-message that comes in parts', () => {
    const first = encode(ChatRef, { channel: { communityId: 1n as CommunityId } });
    const second = bytes('12 09 11 0200000000000000');
    assert.deepEqual(decoded(ChatRef, Buffer.concat([first, second])), {
      channel: { communityId: 1n, channelId: 2n },
    });
  });

  it('keep a number that an enum does not list, and it can be told', () => {
    assert.ok(isValueOf(ChannelType, 2));
    assert.ok(!isValueOf(ChannelType, 99));
  });

  it('have byte fields as plain Uint8Array, from a Buffer too', () => {
    const part = encode(UploadFilePart, { data: new Uint8Array([7]) });
    assert.deepEqual(decoded(UploadFilePart, Buffer.from(part)).data, new Uint8Array([7]));
  });
});

describe('text', () => {
  it('keeps every character, a byte order mark and NUL included', () => {
    const name = '\uFEFF\u0000a\u{1F600}é';
    assert.equal(decoded(User, encode(User, { name })).name, name);
  });

  it('is measured in bytes at every size around the limits of its length', () => {
    for (const length of [0, 1, 42, 43, 63, 64, 127, 128, 4096, 4097, 16_383, 16_384, 100_000])
      for (const unit of ['a', 'é', '\u{1F600}']) {
        const name = unit.repeat(length);
        assert.equal(decoded(User, encode(User, { name })).name, name);
      }
  });

  it('with a lone surrogate is written as valid UTF-8', () => {
    assert.equal(decoded(User, encode(User, { name: 'a\uD800b' })).name, 'a\uFFFDb');
    const long = 'x'.repeat(5000);
    assert.equal(decoded(User, encode(User, { name: `${long}\uDC00` })).name, `${long}\uFFFD`);
  });

  it('that is not UTF-8 is malformed', () => {
    for (const text of ['ff', 'c0 80', 'e2 82', 'ed a0 80', 'f4 90 80 80'])
      assert.match(reasonOf(User, new Uint8Array([0x12, bytes(text).length, ...bytes(text)])), /not valid .* utf-8/);
  });
});

describe('every message', () => {
  for (const type of messagesOf(protocolRoot())) {
    const codec = codecs.get(nameOf(type));
    assert.ok(codec, nameOf(type));

    it(`${nameOf(type).slice('osmium.client.'.length)} is written and read as protobufjs does`, () => {
      const twoValues = fc.tuple(arbitraryOf(type), arbitraryOf(type));
      const agrees = ([value, other]: [Plain, Plain]) => {
        const [written, more] = [encode(codec, value as never), encode(codec, other as never)];
        assert.equal(hex(written), hex(oracleEncode(type, value)));
        assert.deepEqual(decoded(codec, written), oracleDecode(type, written));
        const both = new Uint8Array(Buffer.concat([written, more]));
        assert.deepEqual(decoded(codec, both), oracleDecode(type, both));
      };
      fc.assert(fc.property(twoValues, agrees), { numRuns: 15 });
    });
  }

  it('is read from random bytes without an exception', () => {
    const all = [...codecs.values()];
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.uint8Array({ maxLength: 64 }), (codec, random) => {
        decode(codec, random);
      }),
      { numRuns: 2000 },
    );
  });

  it('is malformed, not half read, when it is cut off inside a field', () => {
    const session = encode(Session, { id: uint64Max as SessionId, appName: 'console' });
    for (let length = 1; length < session.length; length += 1)
      assert.equal(decode(Session, session.subarray(0, length)).ok, length === 9, `${length.toString()} bytes`);
  });

  it('passes over fields that it does not know, of every wire type', () => {
    const unknown = '9806 05 9906 0102030405060708 9a06 02 abcd 9d06 01020304 9b06 a006 01 9c06';
    const known = encode(SetMessagePin, { messageId: 5n as MessageId, pin: true });
    const value = decoded(SetMessagePin, new Uint8Array([...bytes(unknown), ...known, ...bytes(unknown)]));
    assert.deepEqual(value, { messageId: 5n, pin: true });
  });

  it('takes a known field with another wire type for an unknown one', () => {
    assert.deepEqual(decoded(UserRef, bytes('08 05')), { userId: 0n });
  });

  it('is malformed with field number 0, an open group or an unknown wire type', () => {
    assert.equal(reasonOf(UserRef, bytes('02 00')), 'illegal tag: field number 0');
    assert.match(reasonOf(UserRef, bytes('9b06')), outOfRange);
    assert.equal(reasonOf(UserRef, bytes('9b06 a406')), 'invalid end group tag');
    assert.equal(reasonOf(UserRef, bytes('9b06'.repeat(102))), 'max depth exceeded');
    assert.match(reasonOf(UserRef, bytes('0e')), /^invalid wire type 6/);
    assert.equal(reasonOf(UserRef, bytes('08 ffffffffffffffffffff01')), 'invalid varint encoding');
  });

  it('must not be longer than the message that it is in', () => {
    assert.equal(reasonOf(ChatRef, bytes('0a 09 09 01000000000000')), 'field longer than its message');
    assert.match(reasonOf(ChatRef, bytes('0a 02 09 01 00 00 00 00 00 00 00')), outOfRange);
  });
});
