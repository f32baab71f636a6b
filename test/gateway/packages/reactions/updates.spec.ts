import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Delivery } from '../../../../src/gateway/contract/updates.js';
import type { MessageId, RoleId, UserId, ChannelId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { userReactionsCollection } from '../../../../src/projections/reactions/documents.js';
import { ada, bob, cleo, community, dm, dora, general, hidden } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { add, generalChat, hiddenChat, lines, reacted, strangers, takeBack } from './reacting.js';

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

/** What is told once the read model has come to the end of the log. */
const deliveries = async (): Promise<readonly Delivery[]> => {
  await here.settled();
  return node.told();
};
/** Groups of users, each with the lines that they are told. */
const told = async (): Promise<readonly (readonly [readonly UserId[], ...unknown[]])[]> =>
  (await deliveries()).flatMap(({ audience, update }) =>
    'messageReactions' in update ? [[[...audience], ...lines(update.messageReactions.reactions ?? {})] as const] : [],
  );
const say = async (chatRef = general, user = ada): Promise<MessageId> => {
  const message = await desk.send(user, { chatRef, message: 'hello' });
  node.told();
  return message;
};
const deleted = (message: MessageId, chat = generalChat) =>
  here.unnoticed(`message-${message.toString()}`, {
    type: 'MessageDeleted',
    data: { message, chat, author: ada, by: ada },
  });

describe('a reaction', () => {
  it('is told to all who see the chat, with all others and with what is their own', async () => {
    const message = await say();
    await reacted(here, message, [[ada, '👍']]);
    assert.deepEqual(await told(), [
      [[ada], ['👍', 1, true, ada]],
      [[bob], ['👍', 1, false, ada]],
    ]);
    await reacted(here, message, [[cleo, '🎉']]);
    assert.deepEqual(await told(), [
      [[ada], ['👍', 1, true, ada], ['🎉', 1, false, cleo]],
      [[bob], ['👍', 1, false, ada], ['🎉', 1, false, cleo]],
    ]);
  });
  it('that is taken back is told, with an empty list when it was the last', async () => {
    const message = await say();
    await reacted(here, message, [
      [cleo, '👍'],
      [cleo, '👍', 'Removed'],
    ]);
    assert.deepEqual(await told(), [[[ada, bob]]]);
  });
  it('that changes nothing is told to nobody', async () => {
    const message = await say();
    await add(desk, ada, message, '👍');
    node.told();
    await add(desk, ada, message, '👍');
    await takeBack(desk, ada, message, '👎');
    assert.deepEqual(await told(), []);
  });
  it('names the chat, the message and the emoji', async () => {
    const message = await say();
    await reacted(here, message, [[cleo, '👍']]);
    assert.deepEqual(
      (await deliveries()).map(({ update }) => update),
      [
        {
          messageReactions: {
            chatRef: general,
            reactions: {
              messageId: message,
              reactionFields: [{ emoji: { unicodeEmoji: '👍' }, count: 1, me: false, previewUserIds: [cleo] }],
            },
          },
        },
      ],
    );
  });
  it('in a direct chat is told to each by the name of the other', async () => {
    const message = await say(dm(dora));
    await add(desk, dora, { message, chatRef: dm(ada) }, '👍');
    assert.deepEqual(
      (await deliveries()).map(({ audience, update }) => [
        [...audience],
        'messageReactions' in update ? update.messageReactions.chatRef : undefined,
      ]),
      [
        [[ada], dm(dora)],
        [[dora], dm(ada)],
      ],
    );
  });
  it('is not told to who does not see the chat', async () => {
    const message = await say(hidden);
    await reacted(here, message, [[ada, '👍']], hiddenChat);
    assert.deepEqual(await told(), [[[ada], ['👍', 1, true, ada]]]);
  });
});

describe('reactions that come together', () => {
  it('are told once, as they are after the last', async () => {
    const message = await say();
    const many = strangers(30);
    await reacted(
      here,
      message,
      many.map((user) => [user, '👍']),
    );
    const newest = many.toReversed().slice(0, 3);
    assert.deepEqual(await told(), [
      [
        [ada, bob],
        ['👍', 30, false, ...newest],
      ],
    ]);
  });
  it('are told to each with what is their own, also where many others came since, by one read', async () => {
    const message = await say();
    await reacted(here, message, [[bob, '👍'], [bob, '🎉'], ...strangers(20).map((user) => [user, '👍'] as const)]);
    // Nobody is rendered for there, so what is read is read for the clients.
    await desk.disconnect(ada);
    const read: string[] = [];
    const { getMany } = here.store;
    here.store.getMany = (collection, keys) => {
      if (collection === userReactionsCollection) read.push(keys.join());
      return getMany(collection, keys);
    };
    const newest = strangers(20).toReversed().slice(0, 3);
    assert.deepEqual(await told(), [
      [[ada], ['👍', 21, false, ...newest], ['🎉', 1, false, bob]],
      [[bob], ['👍', 21, true, ...newest], ['🎉', 1, true, bob]],
    ]);
    here.store.getMany = getMany;
    const prefix = `${message.toString()}.`;
    assert.deepEqual(
      read.filter((keys) => keys.startsWith(prefix)),
      [`${prefix}1,${prefix}2`],
    );
  });
  it('are not told to who could not see the chat any more when the last came', async () => {
    const message = await say();
    await reacted(here, message, [[cleo, '👍']]);
    const channel = general.channel?.channelId ?? (0n as ChannelId);
    const override = { community, channel, role: 0n as RoleId, pos: 0n, neg: permission.viewChannel, by: ada };
    await here.unnoticed('community-100', { type: 'OverrideSet', data: override });
    await reacted(here, message, [[cleo, '🎉']]);
    assert.deepEqual(await told(), [[[ada], ['👍', 1, false, cleo], ['🎉', 1, false, cleo]]]);
    const cleared = { community, channel, role: 0n as RoleId, by: ada };
    await here.unnoticed('community-100', { type: 'OverrideRemoved', data: cleared });
    node.told();
  });
});

describe('reactions to a message that is deleted', () => {
  it('are told no more when the deletion is in the read model', async () => {
    const message = await say();
    await reacted(here, message, [[cleo, '👍']]);
    await deleted(message);
    assert.deepEqual(await told(), []);
  });
  it('are not told when they stand behind the deletion in the log', async () => {
    const message = await say();
    await deleted(message);
    await reacted(here, message, [[cleo, '👍']]);
    await reacted(here, message, [[cleo, '👍', 'Removed']]);
    assert.deepEqual(await told(), []);
  });
});
