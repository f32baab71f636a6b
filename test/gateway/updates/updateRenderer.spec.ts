import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { UpdateView } from '../../../src/gateway/contract/updateView.js';
import { directChat, groupChat, selfChat } from '../../../src/kernel/chat.js';
import type { GroupId, UserId } from '../../../src/kernel/ids.js';
import { mayHaveBegunWith } from '../../../src/projections/conversations/documents.js';
import { conversationDocuments } from '../../../src/projections/conversations/fold.js';
import { messageDocuments } from '../../../src/projections/messages/fold.js';
import type { MessageEvent } from '../../../src/domain/messages/events.js';
import type { EventOf } from '../../../src/kernel/event.js';
import { communityTopic, nobody, userTopic } from '../../../src/kernel/topics.js';
import {
  ada,
  bob,
  chatOfGeneral,
  cleo,
  edited,
  founded,
  guild,
  joined,
  messageDeleted,
  registered,
  sent,
} from '../access/facts.js';
import { nodeOf, type AnyEvent, type Node } from '../access/node.js';

let node: Node;
let views: UpdateView[];
beforeEach(async () => {
  node = await nodeOf();
  views = [];
  node.renderWith((_, view) => {
    views.push(view);
    return [];
  });
  await node.append(...founded(), joined(bob));
  await node.tell();
});

describe('the renderer', () => {
  it('cares about nothing while nobody is connected', () => {
    const topics = [chatOfGeneral, communityTopic(guild), userTopic(ada), directChat(ada, bob), nobody];
    const types = ['MessageSent', 'MemberLeft', 'NameChanged', 'MarkerMoved'];
    const cared = topics.flatMap((topic) => types.filter((type) => node.renderer.isRelevant(topic, type)));
    assert.deepEqual(cared, []);
  });

  it('cares about what connected users may hear', async () => {
    await node.renderer.connect(bob);
    const cares = (topic: string, type: string): boolean => node.renderer.isRelevant(topic, type);
    assert.equal(cares(chatOfGeneral, 'MessageSent'), true);
    assert.equal(cares('channel.999.1', 'MessageSent'), false);
    assert.equal(cares(directChat(ada, bob), 'MessageSent'), true);
    assert.equal(cares(directChat(ada, 9n as UserId), 'MessageSent'), false);
    assert.equal(cares(selfChat(bob), 'MessageSent'), true);
    assert.equal(cares(groupChat(5n as GroupId), 'MessageSent'), false);
    assert.equal(cares(userTopic(bob), 'MarkerMoved'), true);
    assert.equal(cares(userTopic(ada), 'MarkerMoved'), false);
    assert.equal(cares(userTopic(ada), 'NameChanged'), true);
    assert.equal(cares(userTopic(ada), 'SessionRevoked'), false);
    assert.equal(cares(nobody, 'InviteCreated'), false);
  });

  it('waits for the read models that it reads alone, so that another one which has stopped disturbs nobody', async () => {
    await node.renderer.connect(bob);
    await node.access.load(guild, [cleo]);
    node.renderWith(async (_, view) => {
      await view.unreadCounts(chatOfGeneral, [bob]);
      await view.seeing(ada);
      return [];
    });
    await node.happens(sent(1000n, ada));
    const awaited = new Set(node.waits.flat());
    assert.deepEqual([...awaited].sort(), ['communities', 'conversations', 'members', 'messages', 'reads']);
  });

  it('shows a message as of the event, whatever has happened to it since', async () => {
    await node.renderer.connect(bob);
    await node.append(sent(1000n, ada), edited(1000n, ada), messageDeleted(1000n, ada));
    await node.tell();
    const texts = await Promise.all(
      views.map(async (view) => (await view.documentAsOf(messageDocuments, '1000'))?.text),
    );
    assert.deepEqual(texts, ['text 1000', 'edited 1000', undefined]);
  });

  it('knows a conversation that this message begins', async () => {
    const chat = directChat(ada, bob);
    await node.renderer.connect(bob);
    await node.append(sent(1000n, ada, chat), sent(1001n, bob, chat));
    await node.project();
    const begun: unknown[] = [];
    node.renderWith(async (event, view) => {
      const { message } = event.data as EventOf<MessageEvent, 'MessageSent'>['data']; // Nothing else happens below.
      const conversation = await view.documentAsOf(conversationDocuments, chat);
      begun.push(conversation && mayHaveBegunWith(conversation, message));
      return [];
    });
    await node.tell();
    await node.happens(sent(1002n, ada, chat));
    assert.deepEqual(begun, [true, false, false]);
  });

  it('knows users, also those who changed just now', async () => {
    const changed: AnyEvent = { type: 'NameChanged', data: { user: ada, name: 'Anna' } };
    await node.append(registered(ada));
    await node.renderer.connect(bob);
    const names: unknown[] = [];
    node.renderWith(async (_, view) => {
      names.push((await view.user(ada))?.name);
      return [];
    });
    await node.tell();
    await node.happens(changed);
    assert.deepEqual(names, ['user 1', 'Anna']);
  });

  it('fetches those who join at once by one read, each as they are when it is told', async () => {
    const joiners = Array.from({ length: 50 }, (_, at) => BigInt(1_000 + at) as UserId);
    await node.append(...joiners.map(registered));
    await node.renderer.connect(bob);
    await node.tell();
    const names: unknown[] = [];
    node.renderWith(async ({ type, data }, view) => {
      // Which of the ids an event has follows from its type.
      const { user } = data as { readonly user: UserId };
      if (type === 'MemberJoined') names.push((await view.user(user))?.name);
      return [];
    });
    const before = node.reads.length;
    const renamed: AnyEvent = { type: 'NameChanged', data: { user: joiners[1] ?? bob, name: 'Anna' } };
    const [first, ...others] = joiners.map((user) => joined(user));
    await node.happens(...[first, renamed, ...others].filter((event) => event !== undefined));
    assert.deepEqual(names, ['user 1000', 'Anna', ...joiners.slice(2).map((user) => `user ${user.toString()}`)]);
    const ofJoiners = node.reads.slice(before).filter((keys) => keys.includes('1049'));
    assert.deepEqual(
      ofJoiners.map((keys) => keys.length),
      [50],
    );
  });

  it('hands on a failure to render, and is exact for the next event', async () => {
    await node.renderer.connect(bob);
    node.renderWith(() => {
      throw new Error('cannot be rendered');
    });
    await assert.rejects(node.happens(joined(9n as UserId)), /rendered/);
    node.renderWith(() => []);
    await node.renderer.connect(9n as UserId);
    await node.tell();
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [bob, 9n]);
  });
});
