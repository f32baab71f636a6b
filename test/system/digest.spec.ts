import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { lmdbLogFollower } from '../../src/adapters/eventLog/lmdbFollower.js';
import { closedSealer } from '../../src/adapters/sealer/closedSealer.js';
import { eventKinds } from '../../src/domain/registry.js';
import { foldersIn } from '../../src/engines.js';
import { connect, type Client } from '../../src/client/client.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { ChannelType } from '../../src/gen/types.js';
import type { ChannelId, CommunityId, FileId, RoleId, StickerPackId, UserId } from '../../src/kernel/ids.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { collectionOf, streamsOf } from '../../src/kernel/document.js';
import { beforeAll } from '../../src/kernel/event.js';
import { permission } from '../../src/kernel/permissions.js';
import { botDocuments } from '../../src/projections/bots/fold.js';
import { removalDocuments } from '../../src/projections/members/fold.js';
import { fileUseDocuments, photoUseDocuments, reportFilesDocuments } from '../../src/projections/files/fold.js';
import { previewDocuments } from '../../src/projections/previews/fold.js';
import { projections } from '../../src/projections/registry.js';
import { freshDatabase, onNodes, startNodes, type Deployment } from '../support/deployments.js';
import { generationsAt, servedDocuments } from '../support/generations.js';
import { testServer } from '../support/server.js';
import { portIn } from '../support/operatorPorts.js';
import { flatPng } from '../support/pictures/samples.js';
import { caughtUp, documentsIn, documentsOf } from './stored.js';

const client = (url: string): Promise<Client> => connect({ url, openSocket: nodeSocket });

type Town = { readonly communityId: CommunityId; readonly channelId: ChannelId };

const foundTown = async (owner: Client): Promise<Town> => {
  await owner.call('communities.createCommunity', { name: 'Town' });
  const [community] = (await owner.call('communities.getCommunities', {})).communities;
  assert.ok(community);
  const [channel] = (await owner.call('communities.getChannels', { communityId: community.id })).channels;
  assert.ok(channel);
  return { communityId: community.id, channelId: channel.id };
};

/** Something of everything that leaves a trace in a read model. */
const live = async ({ urls: [url = '', other = url] }: Pick<Deployment, 'urls'>): Promise<void> => {
  const ada = await client(url);
  const ben = await client(other);
  await ada.signUp({ name: 'Ada', email: 'ada@example.org', password: 'correct horse' });
  const { user } = await ben.signUp({ name: 'Ben' });
  assert.ok(user);
  const place = await foundTown(ada);
  const chatRef = { channel: place };
  const { code } = await ada.call('chats.createChatInvite', { chatRef, maxUses: 3 });
  await ben.call('auth.useInvite', { code });
  await govern(ada, place, user.id);
  await talk(ada, ben, chatRef);
  const direct = { user: { userId: user.id } };
  await ada.call('messages.sendMessage', { chatRef: direct, message: 'Only between us' });
  await ada.call('messages.sendMessage', { chatRef: { self: {} }, message: 'Only to me' });
  await ada.call('settings.editProfile', {
    name: 'Ada L.',
    username: 'ada',
    bio: 'Counts.',
    icon: 5n as FileId,
    color: 255,
  });
  await decorate(ada, chatRef);
  await ada.call('settings.editProfile', { username: 'lovelace' });
  await ada.signIn({ email: 'ada@example.org', password: 'correct horse' });
  const { sessions, current } = await ada.call('auth.getSessions', {});
  const others = sessions.map(({ id }) => id).filter((id) => id !== current);
  await ada.call('auth.revokeSessions', { sessionIds: others });
  await ben.call('communities.leaveCommunity', place);
  await foundTown(ben);
  await Promise.all([ada.close(), ben.close()]);
};

const govern = async (ada: Client, { communityId }: Town, memberId: UserId): Promise<void> => {
  const named = async (name: string) => {
    const { channels } = await ada.call('communities.getChannels', { communityId });
    const channel = channels.find((one) => one.name === name);
    assert.ok(channel);
    return channel.id;
  };
  await ada.call('communities.createRole', { communityId, name: 'Guide', priority: 2, permissions: 64n });
  await ada.call('communities.createRole', { communityId, name: 'Guest', priority: 1 });
  const { roles } = await ada.call('communities.getRoles', { communityId });
  const roleIds = roles.map(({ id }) => id);
  const [guide, guest] = roleIds;
  assert.ok(guide && guest);
  await ada.call('communities.editMember', { communityId, memberId, nickname: 'Benny', roleIds: { roleIds } });
  await ada.call('communities.editRole', { communityId, id: guide, name: 'Leader', priority: 3, permissions: 80n });
  await ada.call('communities.deleteRole', { communityId, id: guest });
  await ada.call('communities.createChannel', { communityId, name: 'rooms', type: ChannelType.CATEGORY });
  const category = await named('rooms');
  for (const name of ['one', 'two']) {
    await ada.call('communities.createChannel', { communityId, name, type: ChannelType.TEXT, parentId: category });
  }
  const [one, two] = [await named('one'), await named('two')];
  const everybody = { communityId, roleId: 0n as RoleId, permissions: { neg: permission.viewChannel } };
  await ada.call('communities.createChannelOverride', { ...everybody, channelId: category });
  await ada.call('communities.createChannelOverride', { ...everybody, channelId: one, roleId: guide });
  await ada.call('communities.deleteChannelOverride', { communityId, channelId: one, roleId: guide });
  const about = { description: 'Quiet.', explicit: true, slowmodeSeconds: 5, position: 1 };
  await ada.call('communities.editChannel', { channel: { communityId, channelId: one }, name: 'first', ...about });
  await ada.call('communities.deleteChannel', { channel: { communityId, channelId: two } });
  await ada.call('communities.deleteChannel', { channel: { communityId, channelId: category } });
};

const talk = async (ada: Client, ben: Client, chatRef: { readonly channel: Town }): Promise<void> => {
  const sent = [];
  for (let count = 0; count < 40; count += 1) {
    const author = count % 3 === 0 ? ben : ada;
    sent.push((await author.call('messages.sendMessage', { chatRef, message: `No. ${count.toString()}` })).messageId);
  }
  const [first, second, third, fourth] = sent;
  assert.ok(first && second && third && fourth);
  const quote = { message: 'No', entities: [{ startIndex: 0, length: 2, bold: true }] };
  await ben.call('messages.sendMessage', { chatRef, message: '@lovelace', replyTo: { messageId: second, quote } });
  await ada.call('messages.editMessage', { chatRef, messageId: second, message: 'Edited' });
  for (const unicodeEmoji of ['👍', '❤', '🎉']) {
    await ben.call('reactions.addReaction', { chatRef, messageId: second, emoji: { unicodeEmoji } });
  }
  await ada.call('reactions.addReaction', { chatRef, messageId: second, emoji: { unicodeEmoji: '👍' } });
  await ben.call('reactions.removeReaction', { chatRef, messageId: second, emoji: { unicodeEmoji: '🎉' } });
  await ben.call('messages.forwardMessage', { chatRef, from: chatRef, messageIds: [second, third] });
  for (const messageId of [second, third]) await ada.call('messages.setMessagePin', { chatRef, messageId, pin: true });
  await ada.call('messages.deleteMessage', { chatRef, messageIds: [first, third] });
  await ben.call('chats.markChatRead', { chatRef, messageId: fourth });
  await ada.call('communities.editChannel', { ...chatRef, highlightedMsgId: { highlightedMsgId: fourth } });
};

/** Two emoji, of which one is removed again, and the other is in a text and a reaction. */
const decorate = async (ada: Client, chatRef: { readonly channel: Town }): Promise<void> => {
  const pack = { id: chatRef.channel.communityId as bigint as StickerPackId };
  for (const id of [1n, 2n]) {
    await ada.call('media.uploadFilePart', { uploadId: id, part: 0, data: flatPng(2, 2) });
    const metadata = { customEmoji: { emoji: `emoji_${id.toString()}` } };
    await ada.call('stickers.addStickerToPack', { pack, sticker: { file: { id, partCount: 1 }, metadata } });
  }
  const { stickers } = await ada.call('stickers.getStickerPack', { pack });
  const [kept, gone] = stickers.map(({ fileId }) => fileId);
  assert.ok(kept && gone);
  const entities = [{ startIndex: 0, length: 1, customEmoji: { emojiId: kept } }];
  const { messageId } = await ada.call('messages.sendMessage', { chatRef, message: 'x', entities });
  for (const customEmoji of [kept, gone]) {
    await ada.call('reactions.addReaction', { chatRef, messageId, emoji: { customEmoji } });
  }
  await ada.call('reactions.removeReaction', { chatRef, messageId, emoji: { customEmoji: kept } });
  await ada.call('stickers.removeStickerFromPack', { pack, stickerId: gone });
};

/** No request removes a member in this release; nobody here has a bot or a photo, sends a link or attaches a file. */
const leftEmpty = [
  ...[botDocuments, removalDocuments, previewDocuments].map(collectionOf),
  ...[fileUseDocuments, photoUseDocuments, reportFilesDocuments].map(collectionOf),
];

/** Workers of a build have the documents of their own streams, so another stream must not be folded into one of them. */
const assertOneStreamEach = async (dataDir: string): Promise<void> => {
  const types = projections.flatMap(({ documents }) => documents).filter(({ streams }) => streams !== 'log');
  const log = lmdbLogFollower(foldersIn(dataDir).log);
  const records = await log.readAll({ from: beforeAll, limit: eventsMax });
  assert.equal(records.at(-1)?.position, await log.end());
  await log.close();
  const codec = eventCodec(eventKinds, closedSealer);
  const folded = new Set<string>();
  for (const record of records) {
    const event = codec.readSealed(record);
    assert.ok(event);
    for (const type of types) {
      for (const key of type.keysOf(event)) {
        assert.deepEqual(streamsOf(type, key), [event.stream], `${type.name} folds ${event.type}`);
        folded.add(collectionOf(type));
      }
    }
  }
  const without = types.map(collectionOf).filter((name) => !folded.has(name));
  assert.ok(
    without.every((name) => leftEmpty.includes(name)),
    without.join(', '),
  );
};
const eventsMax = 10_000;

describe('the documents', () => {
  it('are the same when they are all deleted and made again from the log', async (t) => {
    const server = await testServer();
    t.after(() => rm(server.dataDir, { recursive: true, force: true }));
    await live({ urls: [server.url] });
    await caughtUp(server.port);
    await server.close();
    const before = await documentsIn(server.dataDir);
    assert.deepEqual(before.empty, leftEmpty);
    await assertOneStreamEach(server.dataDir);

    await rm(foldersIn(server.dataDir).documents, { recursive: true });
    const again = await testServer({ dataDir: server.dataDir });
    await caughtUp(again.port);
    await again.close();
    assert.deepEqual(await documentsIn(server.dataDir), before);
  });
});

onNodes('the documents of two nodes', () => {
  it('are the same in another database that is made from the log', async (t) => {
    const nodes = await startNodes(2);
    t.after(() => nodes.remove());
    await live(nodes);
    await Promise.all(nodes.nodes.map(({ url }) => caughtUp(portIn(url))));
    await nodes.stop();
    const { OSMIUM_DOCUMENTS: database = '' } = nodes.environment;

    const another = freshDatabase({
      after: (work) => {
        t.after(work);
      },
    });
    const again = await startNodes(1, { ...nodes.environment, OSMIUM_DOCUMENTS: another, OSMIUM_VAULT: database });
    t.after(() => again.remove());
    await caughtUp(portIn(again.url));
    await again.stop();
    const before = await documentsOf(await servedDocuments(generationsAt(database)));
    assert.deepEqual(before.empty, leftEmpty);
    assert.deepEqual(await documentsOf(await servedDocuments(generationsAt(another))), before);
  });
});
