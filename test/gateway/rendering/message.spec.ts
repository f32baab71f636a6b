import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chatKeyFrom, chatRefFor } from '../../../src/gateway/contract/chatRefs.js';
import { messageFor } from '../../../src/gateway/rendering/message.js';
import { channelChat, directChat, groupChat, selfChat } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, GroupId, MessageId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import { asPersonal } from '../../support/bare.js';
import { ada, bob, dm, general, self } from '../../support/house/cast.js';

describe('the name of a chat', () => {
  it('means the chat that its viewer means', () => {
    assert.equal(chatKeyFrom(dm(bob) as never, ada), directChat(ada, bob));
    assert.equal(chatKeyFrom(dm(ada) as never, bob), directChat(ada, bob));
    assert.equal(chatKeyFrom(dm(ada) as never, ada), selfChat(ada));
    assert.equal(chatKeyFrom(self as never, ada), selfChat(ada));
  });
  it('is what its viewer calls it', () => {
    assert.deepEqual(chatRefFor(directChat(ada, bob), ada), dm(bob));
    assert.deepEqual(chatRefFor(directChat(ada, bob), bob), dm(ada));
    assert.deepEqual(chatRefFor(selfChat(ada), ada), self);
    assert.deepEqual(chatRefFor(channelChat(100n as CommunityId, 101n as ChannelId), ada), general);
    assert.deepEqual(chatRefFor(groupChat(7n as GroupId), ada), { group: { groupId: 7n } });
  });
});

describe('a message whose content was erased', () => {
  it('is shown empty, and still says what it answered', () => {
    const id = 10n as MessageId;
    const replyTo = 9n as MessageId;
    const erased = { text: shredded, entities: shredded, quote: shredded };
    assert.deepEqual(
      messageFor(
        asPersonal<Parameters<typeof messageFor>[0]>({ id, chat: selfChat(ada), author: ada, replyTo, ...erased }),
        ada,
      ),
      {
        chatRef: self,
        messageId: id,
        authorId: ada,
        message: '',
        entities: [],
        replyTo,
        reply: { messageId: replyTo },
      },
    );
  });
});
