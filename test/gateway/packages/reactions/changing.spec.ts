import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { emojiBound, emojiPerMessageMax } from '../../../../src/gateway/packages/reactions/emojiBound.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import type { DocumentStore } from '../../../../src/kernel/ports/documentStore.js';
import { reactionsInHistory } from '../../../../src/gateway/packages/reactions/history.js';
import { freeMeter } from '../../../../src/gateway/contract/meter.js';
import { answerBytesMax, bytesOf } from '../../../../src/gateway/rendering/answerSize.js';
import { reactionsFor } from '../../../../src/gateway/rendering/reactions.js';
import { MessageReactions, type ReactionEmojiInit } from '../../../../src/gen/reactions.js';
import type { MessageId, RoleId, ChannelId, UserId } from '../../../../src/kernel/ids.js';
import type { EventLog } from '../../../../src/kernel/ports/eventLog.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { userReactionsCollection, userReactionsPrefix } from '../../../../src/projections/reactions/documents.js';
import {
  ada,
  bob,
  category,
  cleo,
  community,
  dm,
  dora,
  general,
  hidden,
  self,
  voice,
} from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import * as reacting from './reacting.js';
import { add, seenBy, strangers, takeBack } from './reacting.js';
import { readsOf } from '../../../support/reads.js';
import { encodePart } from '../../../../src/wire/codec.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const say = (user = bob, chatRef = general): Promise<MessageId> => node.send(user, { chatRef, message: 'hello' });
const reacted = async (...happened: Parameters<typeof reacting.reacted>): Promise<void> => {
  await reacting.reacted(...happened);
  await here.settled();
};
const emoji = (index: number): string => String.fromCodePoint(0x1f600 + index);

describe('adding a reaction', () => {
  it('shows it to everybody, and to each whether it is theirs', async () => {
    const message = await say();
    assert.equal(await add(node, ada, message, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, message), [['👍', 1, true, ada]]);
    assert.deepEqual(await seenBy(node, cleo, message), [['👍', 1, false, ada]]);
  });
  it('that is there already changes nothing', async () => {
    const message = await say();
    await add(node, ada, message, '👍');
    assert.equal(await add(node, ada, message, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, message), [['👍', 1, true, ada]]);
  });
  it('is the same with and without variation selectors, and another one in another skin tone', async () => {
    const message = await say();
    await add(node, ada, message, '❤');
    await add(node, bob, message, '❤\ufe0f');
    await add(node, ada, message, '👍🏽');
    await add(node, bob, message, '👍');
    assert.deepEqual(await seenBy(node, ada, message), [
      ['❤\ufe0f', 2, true, bob, ada],
      ['👍🏽', 1, true, ada],
      ['👍', 1, false, bob],
    ]);
  });
  it('is possible in direct chats and saved messages', async () => {
    const toDora = await say(ada, dm(dora));
    assert.equal(await add(node, dora, { message: toDora, chatRef: dm(ada) }, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, { message: toDora, chatRef: dm(dora) }), [['👍', 1, false, dora]]);
    const saved = await say(ada, self);
    assert.equal(await add(node, ada, { message: saved, chatRef: self }, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, { message: saved, chatRef: self }), [['👍', 1, true, ada]]);
  });
  it('takes exactly one emoji', async () => {
    const messageId = await say();
    const refusal = async (asked: ReactionEmojiInit | undefined): Promise<string> => {
      const request = { chatRef: general, messageId, ...(asked && { emoji: asked }) };
      const answer = await node.ask(ada, 'reactionsAddReaction', request);
      return 'rejected' in answer ? answer.rejected : 'done';
    };
    for (const asked of [undefined, {}, { unicodeEmoji: '' }, { unicodeEmoji: 'a' }]) {
      assert.equal(await refusal(asked), 'INVALID_ARGUMENT');
    }
    assert.equal(await add(node, ada, messageId, '👍👍'), 'INVALID_ARGUMENT');
    assert.deepEqual(await seenBy(node, ada, messageId), []);
  });
  it('needs a message of a chat that the user sees', async () => {
    const message = await say();
    assert.equal(await add(node, ada, 1n as MessageId, '👍'), 'MESSAGE_NOT_FOUND');
    assert.equal(await add(node, ada, 0n as MessageId, '👍'), 'MESSAGE_NOT_FOUND');
    assert.equal(await add(node, ada, { message, chatRef: voice }, '👍'), 'MESSAGE_NOT_FOUND');
    assert.equal(await add(node, dora, message, '👍'), 'CHAT_NOT_FOUND');
    assert.equal(await add(node, bob, { message: await say(ada, hidden), chatRef: hidden }, '👍'), 'CHAT_NOT_FOUND');
    assert.equal(await add(node, ada, { message, chatRef: category }, '👍'), 'NOT_A_TEXT_CHAT');
    assert.deepEqual(await seenBy(node, ada, message), []);
  });
  it('is refused to a member who leaves while it waits', async () => {
    const message = await say();
    const member = `member-${community.toString()}.${cleo.toString()}`;
    node.atNextWait(() => here.happened(member, { type: 'MemberLeft', data: { community, user: cleo } }));
    const answer = await add(node, cleo, message, '👍');
    const joined = { community, user: cleo, via: 'invite', joining: 2 };
    await here.happened(member, { type: 'MemberJoined', data: joined });
    assert.equal(answer, 'CHAT_NOT_FOUND');
    assert.deepEqual(await seenBy(node, ada, message), []);
  });
  it('needs the right in channels; taking back does not', async () => {
    const message = await say(bob, voice);
    await add(node, bob, { message, chatRef: voice }, '👍');
    const channel = voice.channel?.channelId ?? (0n as ChannelId);
    const denied = { community, channel, role: 0n as RoleId, pos: 0n, neg: permission.addReactions, by: ada };
    await here.happened('community-100', { type: 'OverrideSet', data: denied });
    assert.equal(await add(node, bob, { message, chatRef: voice }, '👎'), 'MISSING_PERMISSION');
    assert.equal(await takeBack(node, bob, { message, chatRef: voice }, '👍'), 'done');
    assert.deepEqual(await seenBy(node, bob, { message, chatRef: voice }), []);
  });
});

describe('taking a reaction back', () => {
  it('takes one’s own, and leaves those of others', async () => {
    const message = await say();
    for (const user of [ada, bob]) await add(node, user, message, '👍');
    await add(node, ada, message, '🎉');
    assert.equal(await takeBack(node, ada, message, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, message), [
      ['👍', 1, false, bob],
      ['🎉', 1, true, ada],
    ]);
  });
  it('that is not there changes nothing', async () => {
    const message = await say();
    await add(node, bob, message, '👍');
    assert.equal(await takeBack(node, ada, message, '👍'), 'done');
    assert.deepEqual(await seenBy(node, bob, message), [['👍', 1, true, bob]]);
    assert.equal(await takeBack(node, ada, 1n as MessageId, '👍'), 'MESSAGE_NOT_FOUND');
    assert.equal(await takeBack(node, ada, message, 'a'), 'INVALID_ARGUMENT');
  });
});

describe('the number of different emoji on a message', () => {
  it('is bounded: joining one of them works all the same, and so does another one in the place of one', async () => {
    const message = await say();
    for (let index = 0; index < emojiPerMessageMax; index += 1) await add(node, ada, message, emoji(index));
    assert.equal(await add(node, bob, message, emoji(emojiPerMessageMax)), 'TOO_MANY');
    assert.equal(await add(node, ada, message, emoji(0)), 'done');
    assert.equal(await add(node, bob, message, emoji(0)), 'done');
    assert.equal((await seenBy(node, ada, message)).length, emojiPerMessageMax);
    await takeBack(node, ada, message, emoji(1));
    assert.equal(await add(node, bob, message, emoji(emojiPerMessageMax)), 'done');
    assert.equal(await add(node, bob, message, emoji(1)), 'TOO_MANY');
  });
  it('is exactly as many when more come at once', async () => {
    const message = await say();
    const all = Array.from({ length: emojiPerMessageMax + 10 }, (_, index) => emoji(index));
    const outcomes = await Promise.all(all.map((one) => add(node, bob, message, one)));
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, emojiPerMessageMax);
    assert.equal((await seenBy(node, ada, message)).length, emojiPerMessageMax);
  });
  it('is looked at a few times only when many bring the same new emoji at once', async () => {
    const message = await say();
    let waits = 0;
    const bound = emojiBound(here.reads);
    const adding = strangers(50).map((user) => {
      const upToDateWithLog = async (): Promise<void> => {
        waits += 1;
        await here.settled();
      };
      // Nothing else of a call is asked for here.
      const counted = { upToDateWithLog } as Pick<Call, 'upToDateWithLog'> as Call;
      return bound(counted, { message, reaction: '👍' }, () => reacted(here, message, [[user, '👍']]));
    });
    await Promise.all(adding);
    assert.ok(waits <= 2, `${waits.toString()} waits for the end of the log`);
    const [line] = await seenBy(node, ada, message);
    assert.deepEqual((line as readonly unknown[]).slice(0, 3), ['👍', 50, false]);
  });
  it('is looked at a bounded number of times for an emoji that comes and goes all the time', async () => {
    const message = await say();
    let looks = 0;
    const thumb = { emoji: '👍', count: 1, newest: [bob] };
    // Gone whenever it is to be joined, and there whenever it is to be begun.
    const get: typeof here.store.get = () => {
      looks += 1;
      assert.ok(looks < 20, 'it looks for ever');
      const emojiThere = looks % 2 === 0 ? [thumb] : [];
      return Promise.resolve({ key: '', position: 1n, document: { emoji: emojiThere, deleted: false } });
    };
    const bound = emojiBound({ store: { ...here.reads.store, get } });
    // Nothing else of a call is asked for here.
    const call = { upToDateWithLog: here.settled } as Pick<Call, 'upToDateWithLog'> as Call;
    assert.equal(await bound(call, { message, reaction: '👍' }, () => Promise.resolve('added')), 'added');
  });
  it('is not gone beyond by joining an emoji that is just being taken back', async () => {
    const message = await say();
    for (let index = 0; index < emojiPerMessageMax; index += 1) await add(node, ada, message, emoji(index));
    const outcomes = await Promise.all([
      takeBack(node, ada, message, emoji(0)),
      add(node, bob, message, emoji(0)),
      add(node, cleo, message, emoji(emojiPerMessageMax)),
      add(node, bob, message, emoji(emojiPerMessageMax + 1)),
    ]);
    assert.equal(outcomes[0], 'done');
    assert.ok((await seenBy(node, ada, message)).length <= emojiPerMessageMax);
  });
});

describe('the reactions to a message that is deleted', () => {
  it('are taken by no request, and taking back has nothing left to do', async () => {
    const message = await say();
    await add(node, ada, message, '👍');
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [message] });
    assert.equal(await add(node, bob, message, '👍'), 'MESSAGE_NOT_FOUND');
    assert.equal(await takeBack(node, ada, message, '👍'), 'done');
    assert.deepEqual(await seenBy(node, ada, message), []);
  });
  it('leave nothing behind when the deletion comes while one is added', async () => {
    const message = await say();
    let deletion: Promise<unknown> | undefined;
    const deleting: EventLog['append'] = async (stream, ...append) => {
      if (stream.startsWith('reactions-')) {
        deletion ??= node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [message] });
        await deletion;
      }
      return here.log.append(stream, ...append);
    };
    const elsewhere = await here.node({ log: { ...here.log, append: deleting } });
    assert.equal(await add(elsewhere, ada, message, '👍'), 'MESSAGE_NOT_FOUND');
    await here.settled();
    const prefix = userReactionsPrefix(message);
    assert.deepEqual(await here.store.scan({ collection: userReactionsCollection, prefix, limit: 10 }), []);
  });
});

describe('a page of history', () => {
  it('has the reactions that the session was told of, because their read model is waited for', async () => {
    const awaited: string[] = [];
    node.atNextWait((readModels) => awaited.push(...readModels));
    await node.ask(ada, 'messagesGetHistory', { chatRef: general });
    assert.ok(awaited.includes('reactions'));
  });
  it('has reactions in its share of the answer, those of the newest messages first', async () => {
    const long = (index: number): string => `${'👍'.repeat(100)}${index.toString()}`;
    const all: MessageId[] = [];
    for (let at = 0; at < 10; at += 1) {
      const message = await say();
      all.unshift(message);
      const emojis = Array.from({ length: 60 }, (_, index) => [ada, long(index)] as const);
      await reacted(here, message, emojis);
    }
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: all.length });
    const shown = messages.reactions;
    assert.deepEqual(
      shown.map(({ messageId }) => messageId),
      all.slice(0, shown.length),
    );
    const sizes = shown.map((reactions) => bytesOf(encodePart(MessageReactions, reactions)));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes <= 180_000 && bytes + Math.max(...sizes) > 180_000, `${bytes.toString()} bytes`);
  });
  it('has room for a hundred messages with twenty long emoji each', () => {
    const fully = reactionsFor(
      {
        message: (2n ** 62n) as MessageId,
        emoji: Array.from({ length: emojiPerMessageMax }, () => ({
          emoji: '👩🏻‍❤️‍💋‍👨🏽',
          count: 1_000_000,
          newest: [2n ** 62n, 2n ** 62n, 2n ** 62n] as UserId[],
        })),
      },
      ['👩🏻‍❤️‍💋‍👨🏽'],
    );
    assert.ok(100 * bytesOf(encodePart(MessageReactions, fully)) <= reactionsInHistory.share * answerBytesMax);
  });
  it('tells of each message what the viewer put there, with one read of many documents for all', async () => {
    const [few, many, none] = [await say(), await say(), await say()];
    await reacted(here, few, [[ada, '👍']]);
    await reacted(here, many, [
      [ada, '👍'],
      [bob, '🎉'],
      ...strangers(20).map((user) => [user, '👍'] as const),
      ...strangers(20).map((user) => [user, '🎉'] as const),
    ]);
    const read: string[] = [];
    const store: DocumentStore = {
      ...here.store,
      getMany: (collection, keys) => {
        if (collection === userReactionsCollection) read.push(keys.join());
        return here.store.getMany(collection, keys);
      },
    };
    const part = { messages: [none, many, few], viewer: ada, bytesMax: answerBytesMax, meter: freeMeter };
    await reactionsInHistory.partOf({ ...part, reads: readsOf(store) });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 3 });
    assert.deepEqual(
      messages.reactions.map(({ messageId }) => messageId),
      [many, few],
    );
    const [, , three, ...newest] = strangers(20).toReversed();
    assert.deepEqual(newest.length, 17);
    assert.deepEqual(await seenBy(node, ada, many), [
      ['👍', 21, true, ...strangers(20).toReversed().slice(0, 2), three],
      ['🎉', 21, false, ...strangers(20).toReversed().slice(0, 2), three],
    ]);
    assert.deepEqual(read, [`${userReactionsPrefix(many)}${ada.toString()}`]);
    assert.deepEqual(await seenBy(node, ada, none), []);
  });
});
