import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { customEmojiMax } from '../../../../src/gateway/rendering/entities.js';
import type { ChatRefInit } from '../../../../src/gen/refs.js';
import type { CommunityId, FileId, MessageId, UserId } from '../../../../src/kernel/ids.js';
import { usualPermissions } from '../../../../src/kernel/permissions.js';
import {
  ada,
  bob,
  cleo,
  dm,
  dora,
  general,
  joined,
  self,
  slow,
  slowSeconds,
  voice,
} from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node, Who } from '../../../support/house/node.js';
import { emojiEntity, newEmoji, removeSticker } from './emoji.js';

let here: House;
let node: Node;
let desk: Node;
before(async () => {
  here = await house();
  node = await here.node();
  desk = await here.node();
  await desk.connect(ada, bob);
  await here.happened('community-300', {
    type: 'CommunityCreated',
    data: { community: club, owner: ada, defaultPermissions: usualPermissions, name: 'Club' },
  });
  for (const user of [ada, bob]) await comes(user);
});
after(() => here.close());

/** Of Ada and Bob, and nobody else. */
const club = 300n as CommunityId;
const comes = (user: UserId): Promise<void> =>
  here.happened(`member-300.${user.toString()}`, {
    type: 'MemberJoined',
    data: { ...(joined(user).data as object), community: club },
  });
const leaves = (user: UserId): Promise<void> =>
  here.happened(`member-300.${user.toString()}`, { type: 'MemberLeft', data: { community: club, user } });

const atWait = (readModel: string, work: () => unknown): void => {
  node.atNextWait((waited) => {
    assert.deepEqual(waited, [readModel]);
    return work();
  });
};
const atSecondWait = (readModel: string, work: () => unknown): void => {
  node.atNextWait(() => {
    atWait(readModel, work);
  });
};

const textWith = (...emoji: readonly FileId[]) => ({
  message: 'x'.repeat(Math.max(1, emoji.length)),
  entities: emoji.map((one, at) => emojiEntity(one, at)),
});

const outcome = (answer: object): string => ('rejected' in answer ? String(answer.rejected) : 'done');
type In = { readonly chatRef?: ChatRefInit; readonly on?: Node };
const say = async (who: Who, emoji: readonly FileId[], { chatRef = general, on = node }: In = {}): Promise<string> => {
  here.clock.at += 10;
  return outcome(await on.ask(who, 'messagesSendMessage', { chatRef, ...textWith(...emoji) }));
};
const said = (who: Who, emoji: FileId): Promise<MessageId> => node.send(who, { chatRef: general, ...textWith(emoji) });
const edit = async (who: Who, messageId: MessageId, emoji: readonly FileId[], text = {}): Promise<string> =>
  outcome(await node.ask(who, 'messagesEditMessage', { chatRef: general, messageId, ...textWith(...emoji), ...text }));
const changing =
  (rpc: 'reactionsAddReaction' | 'reactionsRemoveReaction') =>
  async (
    who: Who,
    messageId: MessageId,
    customEmoji: FileId,
    { chatRef = general, on = node }: In = {},
  ): Promise<string> =>
    outcome(await on.ask(who, rpc, { chatRef, messageId, emoji: { customEmoji } }));
const [react, takeBack] = [changing('reactionsAddReaction'), changing('reactionsRemoveReaction')];

const shownAt = async (messageId: MessageId, chatRef = general, who: Who = ada) => {
  const { messages } = await node.must(who, 'messagesGetHistory', { chatRef, around: messageId, limit: 1 });
  const message = messages.messages.find((one) => one.messageId === messageId);
  const reactions = messages.reactions.filter((one) => one.messageId === messageId);
  return {
    emoji: (message?.entities ?? []).map(({ customEmoji }) => customEmoji?.emojiId),
    reactions: reactions.flatMap(({ reactionFields }) =>
      reactionFields.map(({ emoji, count, me }) => [emoji?.customEmoji ?? emoji?.unicodeEmoji, count, me]),
    ),
  };
};

describe('a custom emoji in a text', () => {
  it('may stand in every chat where a member of its community writes', async () => {
    const emoji = await newEmoji(node, ada, club);
    for (const chatRef of [general, voice, dm(dora), self]) assert.equal(await say(bob, [emoji], { chatRef }), 'done');
    assert.equal(await say(bob, [emoji], { on: desk }), 'done');
    const alone = await node.send(bob, { chatRef: general, message: ' ', entities: [emojiEntity(emoji)] });
    assert.deepEqual((await shownAt(alone)).emoji, [emoji]);
  });

  it('is refused alike when it never was, or is of a community that its author is not in', async () => {
    const emoji = await newEmoji(node, ada, club);
    for (const chatRef of [general, dm(bob), self]) {
      assert.equal(await say(cleo, [emoji], { chatRef }), 'EMOJI_NOT_FOUND');
      assert.equal(await say(cleo, [5n as FileId], { chatRef }), 'EMOJI_NOT_FOUND');
    }
    const own = await newEmoji(node, ada);
    assert.equal(await say(cleo, [own, emoji]), 'EMOJI_NOT_FOUND');
    assert.equal(await say(cleo, [own]), 'done');
  });

  it('follows its author in and out of its community at once, on every node', async () => {
    const emoji = await newEmoji(node, ada, club);
    await comes(cleo);
    assert.equal(await say(cleo, [emoji], { on: desk }), 'done');
    await leaves(cleo);
    assert.equal(await say(cleo, [emoji], { on: desk }), 'EMOJI_NOT_FOUND');
  });

  it('is refused once its author left, also between the look for it and the append', async () => {
    const emoji = await newEmoji(node, ada, club);
    for (const [wait, leavesAt] of [
      ['stickers', atWait],
      // In slow mode, for which messages are looked at last.
      ['messages', atSecondWait],
    ] as const) {
      await comes(cleo);
      here.clock.at += slowSeconds * 1_000;
      leavesAt(wait, () => leaves(cleo));
      assert.equal(await say(cleo, [emoji], { chatRef: slow }), 'EMOJI_NOT_FOUND', wait);
    }
  });

  it('stays where it was when it is removed, and is not used anew', async () => {
    const [emoji, other] = [await newEmoji(node, ada), await newEmoji(node, ada)];
    const message = await said(bob, emoji);
    assert.equal(await removeSticker(node, ada, emoji), 'done');
    assert.deepEqual((await shownAt(message)).emoji, [emoji]);
    assert.equal(await say(bob, [emoji], { on: desk }), 'EMOJI_NOT_FOUND');
    assert.equal(await say(ada, [other, emoji]), 'EMOJI_NOT_FOUND');
    // An edit keeps it, beside new ones, and cannot bring it back.
    assert.equal(await edit(bob, message, [other, emoji]), 'done');
    assert.deepEqual((await shownAt(message)).emoji, [other, emoji]);
    assert.equal(await edit(bob, message, [other]), 'done');
    assert.equal(await edit(bob, message, [other, emoji]), 'EMOJI_NOT_FOUND');
    assert.deepEqual((await shownAt(message)).emoji, [other]);
  });

  it('is looked at in edits as in messages', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await node.send(cleo, { chatRef: general, message: 'x' });
    assert.equal(await edit(cleo, message, [emoji]), 'EMOJI_NOT_FOUND');
    // Entities alone change a text as well.
    assert.equal(await edit(cleo, message, [emoji], { message: undefined }), 'EMOJI_NOT_FOUND');
    assert.deepEqual((await shownAt(message)).emoji, []);
    assert.equal(await edit(cleo, await node.send(bob, { chatRef: general, message: 'x' }), [emoji]), 'NOT_AUTHOR');
  });

  it('goes with a forward and a quote, whoever makes them, also when it was removed', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await said(bob, emoji);
    await removeSticker(node, ada, emoji, club);
    const forward = { chatRef: voice, from: general, messageIds: [message] };
    await node.must(cleo, 'messagesForwardMessage', forward);
    const { messages } = await node.must(cleo, 'messagesGetHistory', { chatRef: voice, limit: 1 });
    assert.equal(messages.messages[0]?.entities[0]?.customEmoji?.emojiId, emoji);
    const quote = { message: 'x', entities: [emojiEntity(emoji)] };
    const replyTo = { messageId: message, quote };
    const reply = await node.send(cleo, { chatRef: general, message: 'yes', replyTo });
    const shown = await node.must(cleo, 'messagesGetHistory', { chatRef: general, around: reply, limit: 1 });
    const quoted = shown.messages.messages.find(({ messageId }) => messageId === reply)?.reply?.quote;
    assert.equal(quoted?.entities[0]?.customEmoji?.emojiId, emoji);
    // One that the original does not have is left out, as any other entity.
    const forged = { messageId: await node.send(bob, { chatRef: general, message: 'x' }), quote };
    const other = await node.send(cleo, { chatRef: general, message: 'yes', replyTo: forged });
    const { messages: after } = await node.must(cleo, 'messagesGetHistory', {
      chatRef: general,
      around: other,
      limit: 1,
    });
    assert.deepEqual(after.messages.find(({ messageId }) => messageId === other)?.reply?.quote?.entities, []);
  });

  it('is one of so many different ones', async () => {
    const emoji = await newEmoji(node, ada);
    const strange = Array.from({ length: customEmojiMax }, (_, at) => BigInt(at + 10) as FileId);
    assert.equal(await say(ada, strange), 'EMOJI_NOT_FOUND');
    assert.equal(await say(ada, [...strange, emoji]), 'TOO_MANY');
    const message = await said(ada, emoji);
    assert.equal(await edit(ada, message, [...strange, emoji]), 'TOO_MANY');
    assert.equal(
      await say(
        ada,
        Array.from({ length: 200 }, () => emoji),
      ),
      'done',
    );
  });
});

describe('a reaction with a custom emoji', () => {
  it('is counted, told and taken back as others are', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await node.send(cleo, { chatRef: general, message: 'hello' });
    desk.heard(ada);
    assert.equal(await react(bob, message, emoji), 'done');
    assert.equal(await react(bob, message, emoji), 'done');
    assert.equal(await react(ada, message, emoji, { on: desk }), 'done');
    assert.deepEqual((await shownAt(message)).reactions, [[emoji, 2, true]]);
    const told = desk.heard(ada).at(-1)?.messageReactions?.reactions?.reactionFields;
    assert.deepEqual(
      told?.map((field) => [field.emoji, field.count]),
      [[{ customEmoji: emoji }, 2]],
    );
    assert.equal(await takeBack(bob, message, emoji), 'done');
    assert.deepEqual((await shownAt(message, general, bob)).reactions, [[emoji, 1, false]]);
  });

  it('is refused alike when it never was, or is of a community that the user is not in', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await node.send(bob, { chatRef: general, message: 'hello' });
    await react(bob, message, emoji);
    for (const one of [emoji, 5n as FileId, 0n as FileId])
      assert.equal(await react(cleo, message, one), 'EMOJI_NOT_FOUND');
    assert.equal(await takeBack(cleo, message, emoji), 'done');
    assert.deepEqual((await shownAt(message)).reactions, [[emoji, 1, false]]);
  });

  it('keeps its count when the emoji is removed, can be taken back, and not be joined', async () => {
    const emoji = await newEmoji(node, ada);
    const message = await node.send(bob, { chatRef: general, message: 'hello' });
    for (const user of [ada, bob]) await react(user, message, emoji);
    await removeSticker(node, ada, emoji);
    assert.deepEqual((await shownAt(message)).reactions, [[emoji, 2, true]]);
    assert.equal(await react(cleo, message, emoji, { on: desk }), 'EMOJI_NOT_FOUND');
    assert.equal(await takeBack(ada, message, emoji), 'done');
    assert.equal(await react(ada, message, emoji), 'EMOJI_NOT_FOUND');
    assert.deepEqual((await shownAt(message)).reactions, [[emoji, 1, false]]);
  });

  it('is refused once the user left between the look for the emoji and the append', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await node.send(bob, { chatRef: general, message: 'hello' });
    await comes(cleo);
    atSecondWait('reactions', () => leaves(cleo));
    assert.equal(await react(cleo, message, emoji), 'EMOJI_NOT_FOUND');
    assert.deepEqual((await shownAt(message)).reactions, []);
  });

  it('can be taken back by somebody who left the community of the emoji', async () => {
    const emoji = await newEmoji(node, ada, club);
    const message = await node.send(bob, { chatRef: general, message: 'hello' });
    await comes(cleo);
    assert.equal(await react(cleo, message, emoji), 'done');
    await leaves(cleo);
    assert.equal(await takeBack(cleo, message, emoji), 'done');
    assert.equal(await react(cleo, message, emoji), 'EMOJI_NOT_FOUND');
    assert.deepEqual((await shownAt(message)).reactions, []);
  });

  it('counts as one of the different ones that a message may have', async () => {
    const message = await node.send(bob, { chatRef: general, message: 'hello' });
    for (let count = 0; count < 20; count += 1)
      assert.equal(await react(bob, message, await newEmoji(node, ada)), 'done');
    assert.equal(await react(bob, message, await newEmoji(node, ada)), 'TOO_MANY');
  });
});
