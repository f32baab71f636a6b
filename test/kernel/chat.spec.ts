import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  byKind,
  channelChat,
  chatKindOf,
  directChat,
  groupChat,
  isChatKey,
  membersNamedBy,
  parseChatKey,
  selfChat,
  type Chat,
  type ChatKey,
} from '../../src/kernel/chat.js';
import type { ChannelId, CommunityId, GroupId, UserId } from '../../src/kernel/ids.js';

const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const chat: fc.Arbitrary<Chat> = fc.oneof(
  fc.tuple(id, id).map(([community, channel]): Chat => ({
    kind: 'channel',
    community: community as CommunityId,
    channel: channel as ChannelId,
  })),
  id.map((group): Chat => ({ kind: 'group', group: group as GroupId })),
  fc
    .tuple(id, id)
    .filter(([one, other]) => one < other)
    .map(([lower, higher]): Chat => ({ kind: 'direct', lower: lower as UserId, higher: higher as UserId })),
  id.map((user): Chat => ({ kind: 'self', user: user as UserId })),
);

const keyOf = (of: Chat): ChatKey =>
  byKind(of, {
    channel: ({ community, channel }) => channelChat(community, channel),
    group: ({ group }) => groupChat(group),
    // The other way around than the key has them.
    direct: ({ lower, higher }) => directChat(higher, lower),
    self: ({ user }) => selfChat(user),
  });

describe('the key of a chat', () => {
  it('is taken apart into what it was made of', () => {
    fc.assert(
      fc.property(chat, (made) => {
        const key = keyOf(made);
        assert.deepEqual(parseChatKey(key), made);
        assert.equal(chatKindOf(key), made.kind);
        assert.equal(isChatKey(key), true);
      }),
    );
  });

  it('is written as it always was, because it is stored', () => {
    assert.deepEqual(
      [
        channelChat(1n as CommunityId, 2n as ChannelId),
        groupChat(3n as GroupId),
        directChat(5n as UserId, 4n as UserId),
        selfChat(6n as UserId),
      ],
      ['channel.1.2', 'group.3', 'dm.4.5', 'self.6'],
    );
  });

  it('names the members of direct chats and of saved messages', () => {
    assert.deepEqual(membersNamedBy(directChat(5n as UserId, 4n as UserId)), [4n, 5n]);
    assert.deepEqual(membersNamedBy(selfChat(6n as UserId)), [6n]);
    assert.deepEqual(membersNamedBy(channelChat(1n as CommunityId, 2n as ChannelId)), []);
    assert.deepEqual(membersNamedBy(groupChat(3n as GroupId)), []);
  });

  it('is not any other string', () => {
    for (const other of ['', 'self', 'self.', 'self.1.2', 'dm.1', 'channel.1', 'thread.1', 'xself.1', 'self.a']) {
      assert.equal(isChatKey(other), false, other);
    }
    assert.throws(() => chatKindOf('thread.1' as ChatKey), /no chat has the key thread\.1/);
  });
});
