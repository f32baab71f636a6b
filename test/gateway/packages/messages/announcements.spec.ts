import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { of } from '../../../../src/container/tokens.js';
import { MessageType, type Message } from '../../../../src/gen/types.js';
import type { MessageId, UserId } from '../../../../src/kernel/ids.js';
import {
  announcedAgainMillisMin,
  announcedBurstMax,
  announcedMillisMax,
  announceMembers,
} from '../../../../src/workflows/announceMembers.js';
import { startWorkflow, type RunningWorkflow } from '../../../../src/workflows/runner.js';
import { ada, bob, cleo, community, dora, general, hidden, self } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

let here: House;
let node: Node;
const running: RunningWorkflow[] = [];

/** One that begins at the start of the log, as a node that has lost its checkpoint, and keeps none. */
const begin = (): RunningWorkflow => {
  const { log, codec, sealer, store } = here;
  const workflow = announceMembers({ streams: node.get(of.streams), clock: node.get(of.clock) });
  const one = startWorkflow(workflow, {
    ...{ log, codec, sealer, execute: node.get(of.execute) },
    documents: { ...store, checkpoint: async () => 0n, commit: async () => undefined },
    pause: () => Promise.resolve(),
    alarm: ({ error }) => {
      throw error;
    },
  });
  running.push(one);
  return one;
};
const met = async (): Promise<void> => {
  for (const one of running) {
    for (let end = await here.log.end(); (one.position() ?? 0n) < end; end = await here.log.end()) {
      await new Promise(setImmediate);
    }
  }
  await here.settled();
};
const settings = async (chat: typeof general | undefined, { joinMessages } = { joinMessages: true }) => {
  // Later than all that has happened, and so late that the same may be said of a user again.
  here.clock.at += announcedAgainMillisMin;
  const systemMessages = { channelId: chat?.channel?.channelId, joinMessages };
  await node.must(ada, 'communitiesEditSettings', { communityId: community, settings: { systemMessages } });
};
const join = async (user = dora): Promise<void> => {
  const { createdInvite } = await node.must(ada, 'chatsCreateChatInvite', { chatRef: general });
  await node.must(user, 'authUseInvite', { code: createdInvite.code });
  await met();
};
const leave = async (user = dora): Promise<void> => {
  await node.must(user, 'communitiesLeaveCommunity', { communityId: community });
  await met();
};
const posted = async (chatRef = general): Promise<readonly Message[]> => {
  const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef });
  return messages.messages.filter(({ type }) => type !== undefined);
};
const unreadOf = async (user: UserId): Promise<number | undefined> => {
  const { communities } = await node.must(user, 'communitiesGetCommunities', {});
  return communities.communityUserInfo[0]?.unreadCount;
};
/** A message that was posted now. */
const announcement = async (): Promise<MessageId> => {
  await settings(general);
  await join();
  return (await posted())[0]?.messageId ?? (0n as MessageId);
};

before(async () => {
  here = await house();
  node = await here.node();
  await node.connect(ada, bob);
  begin();
  // Of two nodes both may read an event, for a moment.
  begin();
});
after(async () => {
  for (const one of running) await one.stop();
  await here.close();
});

describe('a message about a member', () => {
  it('comes once when somebody joins and once when they leave, where the settings say so', async () => {
    await join();
    await leave();
    assert.deepEqual(await posted(), [], 'nobody has asked for them');
    await settings(general);
    node.heard(bob);
    await join();
    await leave();
    const told = node.heard(bob).flatMap(({ messageCreated }) => messageCreated ?? []);
    const shown = (await posted()).toReversed();
    assert.deepEqual(
      shown.map(({ type, authorId, message }) => [type, authorId, message]),
      [
        [MessageType.JOIN, dora, ''],
        [MessageType.LEAVE, dora, ''],
      ],
    );
    assert.deepEqual(
      told.map(({ message, author }) => [message?.messageId, message?.type, author?.id]),
      shown.map(({ messageId, type }) => [messageId, type, dora]),
    );
  });

  it('does not come again when the log is read again', async () => {
    const before = await posted();
    begin();
    await met();
    assert.deepEqual(await posted(), before);
    const [newest] = before;
    await node.must(ada, 'messagesDeleteMessage', {
      chatRef: general,
      messageIds: newest === undefined ? [] : [newest.messageId],
    });
    begin();
    await met();
    assert.deepEqual((await posted()).length, before.length - 1, 'nor after it was deleted');
  });

  it('does not come of long ago, without a channel, unwanted, or when a member is removed', async () => {
    const before = (await posted()).length;
    await settings(undefined);
    await join();
    await settings(general, { joinMessages: false });
    await leave();
    await settings(hidden);
    await join();
    assert.equal((await posted(hidden)).length, 1);
    await settings(general);
    await here.happened(`member-100.${dora.toString()}`, {
      type: 'MemberRemoved',
      data: { community, user: dora, by: ada },
    });
    await met();
    const one = running.splice(0);
    for (const workflow of one) await workflow.stop();
    await join();
    here.clock.at += announcedMillisMax + 1;
    begin();
    await leave();
    const after = await posted();
    assert.equal(after.length - before, 1, 'the leaving alone');
    assert.equal(after[0]?.type, MessageType.LEAVE);
  });

  it('comes once a minute of one user, and of all users of a community as often as it has room', async () => {
    await settings(general);
    const before = (await posted()).length;
    for (let times = 0; times < 3; times += 1) {
      await join();
      await leave();
    }
    assert.equal((await posted()).length - before, 2);
    await settings(general);
    node.heard(bob);
    for (let user = 1_000n; user <= 1_000n + BigInt(announcedBurstMax); user += 1n) {
      here.clock.at += 1;
      await here.happened(`member-100.${user.toString()}`, {
        type: 'MemberJoined',
        data: { community, user, via: 'invite', joining: 1 },
      });
    }
    await met();
    const told = node.heard(bob).filter(({ messageCreated }) => messageCreated?.message?.type === MessageType.JOIN);
    assert.equal(told.length, announcedBurstMax);
  });

  it('is unread for nobody, and reads nothing for its author', async () => {
    await node.send(ada, { chatRef: general, message: 'one' });
    await node.send(ada, { chatRef: general, message: 'two' });
    node.heard(bob);
    const before = await unreadOf(bob);
    const id = await announcement();
    await node.send(ada, { chatRef: general, message: 'three' });
    const told = node.heard(bob).flatMap(({ messageCreated }) => messageCreated?.channelUnreadCount ?? []);
    assert.deepEqual([await unreadOf(bob), told[1]], [(before ?? 0) + 1, (told[0] ?? 0) + 1]);
    assert.equal(await unreadOf(dora), 1, 'the one behind the joining');
    // A node that has counted nothing yet counts the same.
    const other = await here.node();
    await other.connect(bob);
    await other.send(ada, { chatRef: general, message: 'four' });
    const there = other.heard(bob).flatMap(({ messageCreated }) => messageCreated?.channelUnreadCount ?? []);
    assert.deepEqual(there, [(told[1] ?? 0) + 1]);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [id] });
    assert.equal(await unreadOf(bob), (before ?? 0) + 2, 'nor does its deletion take one away');
    await node.send(ada, { chatRef: general, message: 'five' });
    const last = node.heard(bob).flatMap(({ messageCreated }) => messageCreated?.channelUnreadCount ?? []);
    assert.equal(last.at(-1), (told[1] ?? 0) + 2);
    await leave();
    // An author who has read nothing has still read nothing.
    const cleos = await unreadOf(cleo);
    await leave(cleo);
    await join(cleo);
    assert.ok(cleos !== undefined && cleos > 0);
    assert.equal(await unreadOf(cleo), 0, 'the floor of the joining');
  });

  it('is nobody’s to edit or forward, not its author’s to delete, and may be pinned and reacted to', async () => {
    const id = await announcement();
    const where = { chatRef: general, messageId: id };
    assert.equal(await node.refused(dora, 'messagesEditMessage', { ...where, message: 'mine' }), 'NOT_EDITABLE');
    assert.equal(await node.refused(dora, 'messagesEditMessage', { ...where, suppressEmbeds: true }), 'NOT_EDITABLE');
    assert.equal(await node.refused(bob, 'messagesEditMessage', { ...where, message: 'mine' }), 'NOT_AUTHOR');
    const gone = { chatRef: general, messageIds: [id] };
    assert.equal(await node.refused(dora, 'messagesDeleteMessage', gone), 'MISSING_PERMISSION');
    assert.equal(await node.refused(bob, 'messagesDeleteMessage', gone), 'NOT_AUTHOR');
    const forward = { chatRef: self, from: general, messageIds: [id] };
    assert.equal(await node.refused(dora, 'messagesForwardMessage', forward), 'EMPTY_MESSAGE');
    await node.must(bob, 'reactionsAddReaction', { ...where, emoji: { unicodeEmoji: '👋' } });
    await node.must(ada, 'messagesSetMessagePin', { ...where, pin: true });
    const { messages } = await node.must(bob, 'messagesGetPinnedMessages', { chatRef: general });
    assert.deepEqual([messages.messages[0]?.messageId, messages.messages[0]?.type], [id, MessageType.JOIN]);
    await node.send(bob, { chatRef: general, message: 'welcome', replyTo: { messageId: id } });
    assert.equal(await node.refused(bob, 'messagesReportMessage', where), 'INVALID_ARGUMENT', 'nobody wrote it');
    await node.must(ada, 'messagesDeleteMessage', gone);
    assert.ok((await posted()).every(({ messageId }) => messageId !== id));
  });
});
