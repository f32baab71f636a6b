import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  nothing,
  rpcNames,
  rpcsByNumber,
  rpcTable,
  type RpcName,
  type RpcPath,
  type RpcPaths,
  type Rpcs,
} from '../../src/gen/rpcs.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import {
  decodeRequest,
  encodeHeartbeat,
  encodeRequest,
  encodeResult,
  encodeUpdate,
  frameOf,
  frameSize,
  readClientMessage,
  readServerMessage,
  writeFrame,
} from '../../src/wire/envelope.js';
import { encodeTail, spliceable, splicedSize, writeSpliced } from '../../src/wire/spliceable.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('a ClientMessage', () => {
  it('with nothing but the id 1 is a heartbeat', () => {
    assert.equal(hex(encodeHeartbeat()), '0801');
    assert.deepEqual(readClientMessage(bytes('08 01')), { kind: 'heartbeat' });
    assert.deepEqual(readClientMessage(bytes('08 01 10 05 a5 06 00000000')), { kind: 'heartbeat' });
  });

  it('with nothing but another id, or without any, is malformed', () => {
    assert.deepEqual(readClientMessage(bytes('08 05')), { kind: 'malformed', id: 5 });
    assert.deepEqual(readClientMessage(bytes('08 00')), { kind: 'malformed', id: 0 });
    assert.deepEqual(readClientMessage(bytes('')), { kind: 'malformed', id: undefined });
    assert.deepEqual(readClientMessage(bytes('0a 01 05')), { kind: 'malformed', id: undefined });
  });

  it('without id has id 0', () => {
    assert.deepEqual(readClientMessage(bytes('ca 02 00')), { kind: 'request', id: 0, number: 41, body: bytes('') });
  });

  it('may have its id behind the request', () => {
    assert.deepEqual(readClientMessage(bytes('ca 02 00 08 07')), {
      kind: 'request',
      id: 7,
      number: 41,
      body: bytes(''),
    });
  });

  it('with two requests is the last one', () => {
    const frame = readClientMessage(bytes('08 07 7a 02 0a 00 ca 02 00'));
    assert.deepEqual(frame, { kind: 'request', id: 7, number: 41, body: bytes('') });
  });

  it('with a request that nobody knows still is a request', () => {
    const frame = readClientMessage(bytes('08 07 c2 3e 01 ff'));
    assert.deepEqual(frame, { kind: 'request', id: 7, number: 1000, body: bytes('ff') });
    assert.equal(rpcsByNumber[1000], undefined);
  });

  it('keeps ids up to 2^32 - 1', () => {
    fc.assert(
      fc.property(uint32, (id) => {
        const frame = encodeRequest(id, 'authGetSessions', {});
        assert.deepEqual(readClientMessage(frame), { kind: 'request', id, number: 41, body: bytes('') });
      }),
    );
  });

  it('that is cut off is malformed, with the id where it is known', () => {
    assert.deepEqual(readClientMessage(bytes('08 07 22 05 0a')), { kind: 'malformed', id: 7 });
    assert.deepEqual(readClientMessage(bytes('08')), { kind: 'malformed', id: undefined });
    assert.deepEqual(readClientMessage(bytes('22 ffffffff0f')), { kind: 'malformed', id: undefined });
  });

  it('cut off anywhere is never read past its end', () => {
    const frame = encodeRequest(300, 'messagesSendMessage', { message: 'x'.repeat(300) });
    for (let length = 0; length < frame.length; length += 1) {
      assert.equal(readClientMessage(frame.subarray(0, length)).kind, 'malformed', `${length.toString()} bytes`);
    }
  });

  it('of random bytes never throws, nor does its request', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (random) => {
        const frame = readClientMessage(random);
        if (frame.kind === 'request') requestOf(frame.number, frame.body);
      }),
      { numRuns: 5000 },
    );
  });

  it('with random damage never throws', () => {
    const frame = encodeRequest(9, 'messagesSendMessage', { chatRef: { self: {} }, message: 'hé', entities: [{}] });
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.nat(255), (at, byte) => {
        const damaged = frame.with(at, byte);
        const read = readClientMessage(damaged);
        if (read.kind === 'request') requestOf(read.number, read.body);
      }),
      { numRuns: 2000 },
    );
  });
});

const requestOf = (number: number, body: Uint8Array) => {
  const rpc = rpcsByNumber[number];
  return rpc === undefined ? undefined : decodeRequest<RpcName>(rpc, body);
};

describe('a request', () => {
  it('with text that is not UTF-8 is refused as a value', () => {
    const request = decodeRequest(rpcTable.authAuthorize, bytes('2a 01 ff'));
    assert.ok(!request.ok);
    assert.match(request.reason, /not valid .* utf-8/);
  });

  it('that is longer than its frame is refused as a value', () => {
    assert.ok(!decodeRequest(rpcTable.authAuthorize, bytes('2a 05 61')).ok);
  });

  it('is found by number for every RPC, 2 to 119', () => {
    const numbers = Object.values(rpcTable).map(({ number }) => number);
    assert.deepEqual(
      numbers,
      Array.from({ length: 118 }, (_, index) => index + 2),
    );
    for (const rpc of Object.values(rpcTable)) assert.equal(rpcsByNumber[rpc.number], rpc);
  });

  it('is found by its public name for every RPC', () => {
    assert.equal(rpcNames['messages.sendMessage'], 'messagesSendMessage');
    for (const [path, name] of Object.entries(rpcNames)) assert.equal(rpcTable[name].path, path);
  });
});

describe('a ServerMessage', () => {
  it('with an empty result is exact to the byte', () => {
    assert.equal(hex(frameOf(7, encodeResult(5, nothing))), '08071a020805');
    assert.equal(hex(frameOf(7, encodeResult(0, {}))), '08071a00');
  });

  it('has its result read back', () => {
    const error = { errorCode: 404, errorMessage: 'no such chat' };
    assert.deepEqual(readServerMessage(frameOf(9, encodeResult(5, { error }, 'trace'))), {
      kind: 'result',
      id: 9,
      result: { reqId: 5, error, traceId: 'trace' },
    });
    assert.deepEqual(readServerMessage(bytes('08 07 1a 00')), { kind: 'result', id: 7, result: { reqId: 0 } });
  });

  it('keeps a member that is present and empty', () => {
    const frame = frameOf(1, encodeResult(2, { initialized: {} }));
    assert.equal(hex(frame), '08011a0408027200');
    assert.deepEqual(readServerMessage(frame), { kind: 'result', id: 1, result: { reqId: 2, initialized: {} } });
  });

  it('with an update that is newer than this code is an update without members', () => {
    assert.deepEqual(readServerMessage(bytes('08 01 12 03 f2 01 00')), { kind: 'update', id: 1, update: {} });
  });

  it('with neither is empty, and with damage malformed', () => {
    assert.deepEqual(readServerMessage(bytes('08 01')), { kind: 'empty', id: 1 });
    assert.deepEqual(readServerMessage(bytes('08 01 12 05')), {
      kind: 'malformed',
      reason: 'field longer than its message',
    });
  });

  it('of random bytes never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (random) => {
        readServerMessage(random);
      }),
      { numRuns: 5000 },
    );
  });

  it('is written in place for many connections from one body', () => {
    const body = encodeUpdate({ sessionDeleted: {} });
    const target = new Uint8Array(64);
    let end = 3;
    const ids = [1, 127, 128, 2 ** 32 - 1];
    for (const id of ids) {
      const start = end;
      end = writeFrame(target, start, id, body);
      assert.equal(end - start, frameSize(id, body));
      assert.deepEqual(target.slice(start, end), frameOf(id, body));
      assert.deepEqual(readServerMessage(target.slice(start, end)), {
        kind: 'update',
        id,
        update: { sessionDeleted: { sessionId: 0n } },
      });
    }
  });
});

describe('an update that differs by viewer', () => {
  const author = { id: 7n as UserId, name: 'Ada' };
  const message = (text: string) => ({ messageId: 5n as MessageId, message: text });

  it('reads like one that was encoded whole, at every size', () => {
    fc.assert(
      fc.property(fc.nat(40_000), uint32, uint32, (length, id, channelUnreadCount) => {
        const update = spliceable('messageCreated', { message: message('x'.repeat(length)), author });
        const tail = encodeTail('messageCreated', { channelUnreadCount, clientId: 9n });
        const size = splicedSize({ id, update, tail });
        const target = new Uint8Array(size + 2);
        assert.equal(writeSpliced(target, 2, { id, update, tail }), size + 2);
        const whole = { message: message('x'.repeat(length)), author, channelUnreadCount, clientId: 9n };
        const expected = frameOf(id, encodeUpdate({ messageCreated: whole }));
        assert.deepEqual(readServerMessage(target.subarray(2)), readServerMessage(expected));
      }),
      { numRuns: 200 },
    );
  });

  it('needs no tail', () => {
    const update = spliceable('conversationLastRead', { unreadCount: 3 });
    const delivery = { id: 1, update, tail: encodeTail('conversationLastRead', {}) };
    const target = new Uint8Array(splicedSize(delivery));
    writeSpliced(target, 0, delivery);
    assert.deepEqual(target, frameOf(1, encodeUpdate({ conversationLastRead: { unreadCount: 3 } })));
  });
});

// Nothing runs here: that it compiles, and does not where it says so, is the test.
type Handler<Name extends RpcName> = (request: Rpcs[Name]['request']) => Rpcs[Name]['result'];
type Handlers = { readonly [Name in RpcName]: Handler<Name> };
type Call = <Path extends RpcPath>(
  path: Path,
  request: Rpcs[RpcPaths[Path]]['requestInit'],
) => Rpcs[RpcPaths[Path]]['response'];

export const typesOfHandlers: Partial<Handlers> = {
  messagesSendMessage: (request) => ({ sentMessage: { messageId: request.replyTo?.messageId } }),
  chatsMarkChatRead: () => nothing,
  // @ts-expect-error An empty result has no members.
  chatsSetTyping: () => ({ sentMessage: {} }),
  // @ts-expect-error A result has its own member and no other.
  chatsGetChat: () => ({ chats: {} }),
};

export const typesOfCalls = (call: Call): MessageId => {
  // @ts-expect-error There is no such field.
  call('messages.sendMessage', { text: 'hello' });
  // @ts-expect-error There is no such RPC.
  call('messages.send', {});
  return call('messages.sendMessage', { message: 'hello' }).sentMessage.messageId;
};
