import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memberStreams } from '../../../../src/domain/members/events.js';
import { userStream } from '../../../../src/domain/users/events.js';
import type { MessageEvent } from '../../../../src/domain/messages/events.js';
import type { Delivery } from '../../../../src/gateway/contract/updates.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import { UserStatusStatus } from '../../../../src/gen/types.js';
import { channelChat } from '../../../../src/kernel/chat.js';
import type { EventOf } from '../../../../src/kernel/event.js';
import type { ChannelId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import type { Bare } from '../../../support/bare.js';
import {
  ada,
  bob,
  cleo,
  community,
  dm,
  dora,
  general,
  hidden,
  joined,
  nobody,
  self,
} from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
/** Where the clients are connected that hear updates, and the node that all requests go to. */
let node: Node;
let desk: Node;
before(async () => {
  here = await house();
  node = await here.node();
  desk = await here.node();
  await node.connect(ada, bob, dora);
});
after(() => here.close());

type Update = { readonly audience: readonly UserId[]; readonly update: Readonly<Record<string, unknown>> };
const seen = (told: readonly Delivery[]): readonly Update[] =>
  told.map(({ audience, update }) => ({ audience: [...audience], update: { ...update } }));
const kinds = (told: readonly Delivery[]): readonly (readonly [string, ...UserId[]])[] =>
  seen(told).map(({ audience, update }) => [Object.keys(update).join(), ...audience]);
const send = async (user: UserId, chatRef: ChatRefInit, more = {}): Promise<MessageId> => {
  here.clock.at += 10;
  return desk.send(user, { chatRef, message: 'hello', ...more });
};

describe('a message in a channel', () => {
  it('is told once for all who see it and are connected, with its author', async () => {
    const messageId = await send(cleo, general);
    const told = node.told();
    assert.deepEqual(kinds(told), [['messageCreated', ada, bob]]);
    assert.deepEqual(seen(told)[0]?.update['messageCreated'], {
      message: { chatRef: general, messageId, authorId: cleo, message: 'hello', entities: [] },
      author: {
        id: cleo,
        name: 'Cleo',
        username: undefined,
        status: { status: UserStatusStatus.ONLINE, activities: [] },
        bot: false,
        icon: undefined,
        photo: undefined,
        color: undefined,
      },
    });
  });
  it('names its author also when they have no profile', async () => {
    const data = { message: 990n as MessageId, chat: channelChat(community, 101n as ChannelId), author: nobody };
    const sent: Bare<EventOf<MessageEvent, 'MessageSent'>> = {
      type: 'MessageSent',
      data: { ...data, mentions: [], text: 'hello', entities: [] },
    };
    await here.happened('message-990', sent);
    const { author } = (seen(node.told())[0]?.update['messageCreated'] ?? {}) as { readonly author?: unknown };
    assert.deepEqual(author, { id: nobody, name: 'Deleted' });
  });
  it('counts for each who has not read it, and is named to its sender', async () => {
    await desk.must(bob, 'chatsMarkChatRead', { chatRef: general, messageId: await send(cleo, general) });
    node.told();
    await send(ada, general, { clientId: 77n });
    const told = node.told();
    assert.deepEqual(kinds(told).slice(0, 1), [['messageCreated', ada, bob]]);
    const { update, perRecipient } = told[0] ?? assert.fail('nothing was told');
    assert.deepEqual(perRecipient?.counts, [0, 1]);
    assert.deepEqual(perRecipient.countField(5), { messageCreated: { channelUnreadCount: 5 } });
    assert.ok('messageCreated' in update && !('clientId' in update.messageCreated));
    assert.deepEqual(perRecipient.own, { recipient: ada, fields: { messageCreated: { clientId: 77n } } });
  });
  it('is not told to who does not see it', async () => {
    await send(ada, hidden);
    assert.deepEqual(kinds(node.told()), [['messageCreated', ada]]);
  });
});

describe('a message in a direct chat', () => {
  it('that is new tells of the chat first, to each by the name of the other', async () => {
    const messageId = await send(bob, dm(dora));
    const told = node.told();
    assert.deepEqual(kinds(told).toSorted(), [
      ['chat', bob],
      ['chat', dora],
      ['messageCreated', bob],
      ['messageCreated', dora],
    ]);
    const [first, second] = seen(told);
    assert.ok(first?.update['chat'] !== undefined && second?.update['chat'] !== undefined);
    const theirs = seen(told).find(({ audience, update }) => audience[0] === dora && 'chat' in update)?.update['chat'];
    const { chat } = theirs as { chat: { chat: object; message: object; users: readonly { id: UserId }[] } };
    assert.deepEqual(chat.chat, {
      chatRef: dm(bob),
      lastMessageId: messageId,
      lastReadMessageId: undefined,
      unreadCount: 1,
      permissions: undefined,
      notifPrefs: 3,
      unreadMentionsCount: 0,
    });
    assert.deepEqual(
      chat.users.map(({ id }) => id),
      [bob, dora],
    );
  });
  it('that goes on tells only of the message, to each side by the name of the other', async () => {
    await send(dora, dm(bob));
    const told = node.told().filter(({ update }) => 'messageCreated' in update);
    const names = told.map(({ audience, update }) => [
      [...audience],
      'messageCreated' in update ? update.messageCreated.message?.chatRef : undefined,
    ]);
    assert.deepEqual(
      new Map(names.map(([audience, ref]) => [(audience as UserId[])[0], ref])),
      new Map([
        [bob, dm(dora)],
        [dora, dm(bob)],
      ]),
    );
  });
  it('shows no presence to a stranger, and that of both to each other from the first answer on', async () => {
    await node.connect(cleo);
    type Shown = { readonly id: UserId; readonly status?: object };
    /** For each update: who is shown the statuses of whom, or told of one. */
    const statusesTold = (told: readonly Delivery[]): readonly unknown[] =>
      seen(told).flatMap(({ audience, update }) => {
        const { userStatus, chat, messageCreated } = update as {
          readonly userStatus?: { readonly userId: UserId };
          readonly chat?: { readonly chat: { readonly users: readonly Shown[] } };
          readonly messageCreated?: { readonly author: Shown };
        };
        if (userStatus !== undefined) return [[...audience, 'told of', userStatus.userId]];
        const users = chat?.chat.users ?? (messageCreated === undefined ? [] : [messageCreated.author]);
        const shown = users.filter(({ status }) => status !== undefined).map(({ id }) => id);
        return shown.length === 0 ? [] : [[...audience, 'shown', ...shown]];
      });
    await send(cleo, dm(dora));
    assert.deepEqual(statusesTold(node.told()), [
      [cleo, 'shown', cleo],
      [dora, 'shown', dora],
      [cleo, 'shown', cleo],
    ]);
    await send(dora, dm(cleo));
    assert.deepEqual(statusesTold(node.told()), [
      [cleo, 'shown', dora],
      [dora, 'shown', dora],
      [dora, 'told of', cleo],
      [cleo, 'told of', dora],
    ]);
    await send(cleo, dm(dora));
    assert.deepEqual(statusesTold(node.told()), [
      [cleo, 'shown', cleo],
      [dora, 'shown', cleo],
    ]);
    await node.disconnect(cleo);
  });
  it('with oneself is one’s own', async () => {
    await send(ada, self);
    assert.deepEqual(kinds(node.told()), [
      ['chat', ada],
      ['messageCreated', ada],
    ]);
  });
  it('is told to nobody where nobody is connected', async () => {
    await send(cleo, self);
    assert.deepEqual(node.told(), []);
  });
});

describe('what happens to a message', () => {
  it('is told as the whole message when it was edited', async () => {
    const messageId = await send(cleo, general, { replyTo: undefined });
    node.told();
    await desk.must(cleo, 'messagesEditMessage', { chatRef: general, messageId, message: 'bye' });
    const told = node.told();
    assert.deepEqual(kinds(told), [['message', ada, bob]]);
    const { message } = seen(told)[0]?.update['message'] as { message: object };
    const editedAt = BigInt(here.clock.at);
    assert.deepEqual(message, { chatRef: general, messageId, authorId: cleo, message: 'bye', entities: [], editedAt });
  });
  it('is told by its id when it was deleted', async () => {
    const messageId = await send(dora, dm(bob));
    node.told();
    await desk.must(dora, 'messagesDeleteMessage', { chatRef: dm(bob), messageIds: [messageId] });
    const told = seen(node.told());
    assert.deepEqual(told.find(({ audience }) => audience[0] === bob)?.update['messageDeleted'], {
      chatRef: dm(dora),
      messageIds: [messageId],
    });
    assert.equal(told.length, 2);
  });
});

describe('a message of somebody who had not read everything', () => {
  const lastRead = async () =>
    seen(node.told()).flatMap(({ audience, update }) =>
      'conversationLastRead' in update ? [{ audience, ...(update['conversationLastRead'] as object) }] : [],
    );
  const readBy = (user: UserId, messageId: MessageId) => [
    { audience: [user], chatRef: general, lastReadMessageId: messageId, unreadCount: 0, unreadMentionsCount: 0 },
  ];

  it('moves their marker, which they are told once, behind the message', async () => {
    await send(bob, general);
    await send(ada, general);
    node.told();
    const messageId = await send(bob, general);
    await send(bob, general);
    assert.deepEqual(await lastRead(), readBy(bob, messageId));
  });
  it('is told as such also by a node that has counted nothing yet', async () => {
    await send(ada, general);
    const other = await here.node();
    await other.connect(bob);
    other.told();
    const messageId = await send(bob, general);
    const told = seen(other.told());
    assert.deepEqual(
      told.map(({ audience, update }) => [Object.keys(update).join(), ...audience]),
      [
        ['messageCreated', bob],
        ['conversationLastRead', bob],
      ],
    );
    assert.deepEqual(told[1]?.update['conversationLastRead'], {
      chatRef: general,
      lastReadMessageId: messageId,
      unreadCount: 0,
      unreadMentionsCount: 0,
    });
  });
  it('is nothing new to a node that has counted nothing, when they had read everything', async () => {
    const deleted = await send(bob, general);
    await desk.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [deleted] });
    const other = await here.node();
    await other.connect(bob);
    other.told();
    await send(bob, general);
    assert.deepEqual(kinds(other.told()), [['messageCreated', bob]]);
  });
});

describe('a marker that moves', () => {
  it('is neither stored nor told where it would stay below what the member was let see', async () => {
    const user = 50n as UserId;
    const before = await send(ada, general);
    here.clock.at += 1;
    await here.happened(userStream(user), { type: 'UserRegistered', data: { user, name: 'Edna', bot: false } });
    await here.happened(memberStreams.named(`${community.toString()}.${user.toString()}`), joined(user));
    await node.connect(user);
    const end = await here.log.end();
    await node.must(user, 'chatsMarkChatRead', { chatRef: general, messageId: before });
    assert.deepEqual([await here.log.end(), node.told()], [end, []]);
    const after = await send(ada, general);
    await node.must(user, 'chatsMarkChatRead', { chatRef: general, messageId: after });
    assert.equal(kinds(node.told()).at(-1)?.[0], 'conversationLastRead');
    await node.disconnect(user);
  });

  it('is told to its user alone, with exact counts', async () => {
    const [first] = [await send(ada, general), await send(ada, general), await send(ada, general)];
    node.told();
    await desk.must(bob, 'chatsMarkChatRead', { chatRef: general, messageId: first });
    assert.deepEqual(seen(node.told()), [
      {
        audience: [bob],
        update: {
          conversationLastRead: {
            chatRef: general,
            lastReadMessageId: first,
            unreadCount: 2,
            unreadMentionsCount: 0,
          },
        },
      },
    ]);
  });
});
