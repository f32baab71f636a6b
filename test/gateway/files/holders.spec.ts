import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { messageStream } from '../../../src/domain/messages/events.js';
import { channelChat, directChat, type ChatKey } from '../../../src/kernel/chat.js';
import { readEvents } from '../../../src/kernel/codec.js';
import type { ChannelId, CommunityId, FileId, MessageId, UserId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dm, dora, general, hidden, self } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';
import { bytesOf, sentFile, whole } from './filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

let ids = 9_000n;

/** As many messages as there are chats, each with the file of this message. */
const copiesOf = async (messageId: MessageId, chats: readonly ChatKey[]): Promise<void> => {
  const stored = await here.log.readStream(messageStream(messageId), { limit: 1 });
  const [sent] = await readEvents(here.codec, here.sealer, stored);
  if (sent === undefined) throw new Error('there is no such message');
  const copies = chats.map(async (chat) => {
    const message = (ids += 1n) as MessageId;
    await here.happened(messageStream(message), {
      type: sent.type,
      data: { ...(sent.data as object), message, chat },
    });
  });
  await Promise.all(copies);
};
const many = (chatOf: (index: number) => ChatKey): readonly ChatKey[] =>
  Array.from({ length: 230 }, (_, at) => chatOf(at));
const found = Buffer.from(bytesOf(3));

describe('a file in very many chats', () => {
  let first: { readonly file: FileId; readonly messageId: MessageId };
  before(async () => {
    first = await sentFile(node, ada, hidden, bytesOf(3));
    const elsewhere = 1n as CommunityId;
    await copiesOf(first.messageId, [
      ...many((at) => channelChat(elsewhere, BigInt(at + 1) as ChannelId)),
      ...many((at) => directChat(1n as UserId, BigInt(at + 1_000) as UserId)),
    ]);
  });

  it('is not found by those who see none of them', async () => {
    for (const user of [bob, cleo, dora]) assert.equal(await whole(node, user, first.file), 'FILE_NOT_FOUND');
  });

  it('is found in a channel behind all others', async () => {
    const made = Array.from({ length: 230 }, (_, at) => {
      const about = { community, channel: BigInt(1_000 + at), by: ada };
      return [
        { type: 'ChannelCreated', data: { ...about, kind: 'text', position: 0, name: 'a channel' } },
        { type: 'OverrideSet', data: { ...about, role: 0n, pos: 0n, neg: permission.viewChannel } },
      ];
    }).flat();
    while (made.length > 0) await here.happened('community-100', ...made.splice(0, 100));
    await copiesOf(
      first.messageId,
      many((at) => channelChat(community, BigInt(1_000 + at) as ChannelId)),
    );
    assert.equal(await whole(node, bob, first.file), 'FILE_NOT_FOUND');
    await copiesOf(first.messageId, [channelChat(community, general.channel?.channelId ?? assert.fail())]);
    assert.deepEqual(await whole(node, bob, first.file), found);
    assert.equal(await whole(node, dora, first.file), 'FILE_NOT_FOUND');
  });

  it('is found in a direct chat and in saved messages, whoever is named first in their keys', async () => {
    const { file, messageId } = await sentFile(node, ada, hidden, bytesOf(3));
    await copiesOf(
      messageId,
      many((at) => directChat(1n as UserId, BigInt(at + 1_000) as UserId)),
    );
    assert.equal(await whole(node, cleo, file), 'FILE_NOT_FOUND');
    await node.must(ada, 'messagesForwardMessage', { chatRef: dm(cleo), from: hidden, messageIds: [messageId] });
    assert.deepEqual(await whole(node, cleo, file), found);
    assert.equal(await whole(node, dora, file), 'FILE_NOT_FOUND');
    await node.must(cleo, 'messagesForwardMessage', {
      chatRef: dm(dora),
      from: dm(ada),
      messageIds: [await newest(cleo, dm(ada))],
    });
    assert.deepEqual(await whole(node, dora, file), found);
    await node.must(dora, 'messagesForwardMessage', {
      chatRef: self,
      from: dm(cleo),
      messageIds: [await newest(dora, dm(cleo))],
    });
    await node.must(cleo, 'messagesDeleteMessage', { chatRef: dm(dora), messageIds: [await newest(cleo, dm(dora))] });
    assert.deepEqual(await whole(node, dora, file), found);
  });
});

const newest = async (user: UserId, chatRef: typeof self): Promise<MessageId> => {
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, limit: 1 });
  return messages.messages[0]?.messageId ?? assert.fail();
};
