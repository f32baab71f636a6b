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
  ann,
  ben,
  chatOfGeneral,
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
  await node.append(...founded(), joined(ben));
  await node.tell();
});

describe('the renderer', () => {
  it('cares about nothing while nobody is connected', () => {
    const topics = [chatOfGeneral, communityTopic(guild), userTopic(ann), directChat(ann, ben), nobody];
    const types = ['MessageSent', 'MemberLeft', 'NameChanged', 'MarkerMoved'];
    const cared = topics.flatMap((topic) => types.filter((type) => node.renderer.isRelevant(topic, type)));
    assert.deepEqual(cared, []);
  });

  it('cares about what connected users may hear', async () => {
    await node.renderer.connect(ben);
    const cares = (topic: string, type: string): boolean => node.renderer.isRelevant(topic, type);
    assert.equal(cares(chatOfGeneral, 'MessageSent'), true);
    assert.equal(cares('channel.999.1', 'MessageSent'), false);
    assert.equal(cares(directChat(ann, ben), 'MessageSent'), true);
    assert.equal(cares(directChat(ann, 9n as UserId), 'MessageSent'), false);
    assert.equal(cares(selfChat(ben), 'MessageSent'), true);
    assert.equal(cares(groupChat(5n as GroupId), 'MessageSent'), false);
    assert.equal(cares(userTopic(ben), 'MarkerMoved'), true);
    assert.equal(cares(userTopic(ann), 'MarkerMoved'), false);
    assert.equal(cares(userTopic(ann), 'NameChanged'), true);
    assert.equal(cares(userTopic(ann), 'SessionRevoked'), false);
    assert.equal(cares(nobody, 'InviteCreated'), false);
  });

  it('shows a message as of the event, whatever has happened to it since', async () => {
    await node.renderer.connect(ben);
    await node.append(sent(1000n, ann), edited(1000n, ann), messageDeleted(1000n, ann));
    await node.tell();
    const texts = await Promise.all(
      views.map(async (view) => (await view.documentAsOf(messageDocuments, '1000'))?.text),
    );
    assert.deepEqual(texts, ['text 1000', 'edited 1000', undefined]);
  });

  it('knows a conversation that this message begins', async () => {
    const chat = directChat(ann, ben);
    await node.renderer.connect(ben);
    await node.append(sent(1000n, ann, chat), sent(1001n, ben, chat));
    await node.project();
    const begun: unknown[] = [];
    node.renderWith(async (event, view) => {
      const { message } = event.data as EventOf<MessageEvent, 'MessageSent'>['data']; // Nothing else happens below.
      const conversation = await view.documentAsOf(conversationDocuments, chat);
      begun.push(conversation && mayHaveBegunWith(conversation, message));
      return [];
    });
    await node.tell();
    await node.happens(sent(1002n, ann, chat));
    assert.deepEqual(begun, [true, false, false]);
  });

  it('knows users, also those who changed just now', async () => {
    const changed: AnyEvent = { type: 'NameChanged', data: { user: ann, name: 'Anna' } };
    await node.append(registered(ann));
    await node.renderer.connect(ben);
    const names: unknown[] = [];
    node.renderWith(async (_, view) => {
      names.push((await view.user(ann))?.name);
      return [];
    });
    await node.tell();
    await node.happens(changed);
    assert.deepEqual(names, ['user 1', 'Anna']);
  });

  it('fetches those who join at once by one read, each as they are when it is told', async () => {
    const joiners = Array.from({ length: 50 }, (_, at) => BigInt(1_000 + at) as UserId);
    await node.append(...joiners.map(registered));
    await node.renderer.connect(ben);
    await node.tell();
    const names: unknown[] = [];
    node.renderWith(async ({ type, data }, view) => {
      // Which of the ids an event has follows from its type.
      const { user } = data as { readonly user: UserId };
      if (type === 'MemberJoined') names.push((await view.user(user))?.name);
      return [];
    });
    const before = node.reads.length;
    const renamed: AnyEvent = { type: 'NameChanged', data: { user: joiners[1] ?? ben, name: 'Anna' } };
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
    await node.renderer.connect(ben);
    node.renderWith(() => {
      throw new Error('cannot be rendered');
    });
    await assert.rejects(node.happens(joined(9n as UserId)), /rendered/);
    node.renderWith(() => []);
    await node.renderer.connect(9n as UserId);
    await node.tell();
    assert.deepEqual([...node.rules.viewersOf(chatOfGeneral)], [ben, 9n]);
  });
});
