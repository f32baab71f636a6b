import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rpcTable } from '../../src/gen/rpcs.js';
import type { ChannelId, CommunityId, MessageId, UserId } from '../../src/kernel/ids.js';
import {
  decodeRequest,
  encodeRequest,
  encodeResult,
  encodeUpdate,
  frameOf,
  readClientMessage,
  readServerMessage,
} from '../../src/wire/envelope.js';

// Written out by hand from field numbers and wire types: tag = number * 8 + type (0 varint, 1 eight bytes, 2 length).
// The ids are 0x0102030405060708, 0x1112131415161718 and so on; eight bytes go lowest first.
const communityId = 0x0102030405060708n as CommunityId;
const channelId = 0x1112131415161718n as ChannelId;
const messageId = 0x2122232425262728n as MessageId;
const authorId = 0x3132333435363738n as UserId;

const community = [0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01];
const channel = [0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11];
const message = [0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21];
const author = [0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31];

/** ChatRef { channel = 2 { community_id = 1, channel_id = 2 } }: 20 bytes, of which the ChannelRef is 18. */
const chatRef = [0x12, 18, 0x09, ...community, 0x11, ...channel];

const bytes = (...parts: (number | readonly number[])[]): Uint8Array => new Uint8Array(parts.flat());

describe('byte for byte', () => {
  it('a message is sent to a channel', () => {
    // ClientMessage { id = 1: 300, messages_send_message = 4 { chat_ref = 1, message = 2: "hé" } }
    const sendMessage = [0x0a, 20, ...chatRef, 0x12, 3, 0x68, 0xc3, 0xa9];
    const expected = bytes(0x08, 0xac, 0x02, 0x22, 27, sendMessage);
    const request = { chatRef: { channel: { communityId, channelId } }, message: 'hé' };

    assert.deepEqual(encodeRequest(300, 'messagesSendMessage', request), expected);
    const frame = readClientMessage(expected);
    assert.deepEqual(frame, { kind: 'request', id: 300, number: 4, body: bytes(sendMessage) });
    assert.deepEqual(decodeRequest(rpcTable.messagesSendMessage, frame.body), {
      ok: true,
      value: { ...request, media: [], entities: [], suppressEmbeds: false },
    });
  });

  it('it is answered with its id', () => {
    // ServerMessage { id = 1: 2, result = 3: RPCResult { req_id = 1: 300, sent_message = 3 { message_id = 1 } } }
    const expected = bytes(0x08, 2, 0x1a, 14, 0x08, 0xac, 0x02, 0x1a, 9, 0x09, message);

    assert.deepEqual(frameOf(2, encodeResult(300, { sentMessage: { messageId } })), expected);
    assert.deepEqual(readServerMessage(expected), {
      kind: 'result',
      id: 2,
      result: { reqId: 300, sentMessage: { messageId } },
    });
  });

  it('everybody is told', () => {
    // Message { chat_ref = 1, message_id = 2, author_id = 3, message = 4: "hé" }: 22 + 9 + 9 + 5 bytes
    const created = [0x0a, 20, ...chatRef, 0x11, ...message, 0x19, ...author, 0x22, 3, 0x68, 0xc3, 0xa9];
    // ServerMessage { id = 1: 3, update = 2 { message_created = 1 { message = 1, channel_unread_count = 2: 1 } } }
    const expected = bytes(0x08, 3, 0x12, 51, 0x0a, 49, 0x0a, 45, created, 0x10, 1);
    const value = { chatRef: { channel: { communityId, channelId } }, messageId, authorId, message: 'hé' };

    const body = encodeUpdate({ messageCreated: { message: value, channelUnreadCount: 1 } });
    assert.deepEqual(frameOf(3, body), expected);
    assert.deepEqual(readServerMessage(expected), {
      kind: 'update',
      id: 3,
      update: { messageCreated: { message: { ...value, media: [], entities: [] }, channelUnreadCount: 1 } },
    });
  });
});
