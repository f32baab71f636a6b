import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { UserStatusStatus } from '../../../../src/gen/types.js';
import type { Rpcs } from '../../../../src/gen/rpcs.js';
import { Messages } from '../../../../src/gen/messages.js';
import type { MessageId, UserId } from '../../../../src/kernel/ids.js';
import { encode } from '../../../../src/wire/codec.js';
import { costs, freeMeter } from '../../../../src/gateway/contract/meter.js';
import { meteredReads } from '../../../../src/gateway/contract/meteredReads.js';
import { historyBytesMax } from '../../../../src/gateway/packages/messages/history.js';
import { isRejection } from '../../../../src/kernel/decider.js';
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
import { readsOf } from '../../../support/reads.js';

let here: House;
let node: Node;
const ids: MessageId[] = [];
before(async () => {
  here = await house();
  node = await here.node();
  for (let index = 0; index < 120; index += 1) {
    here.clock.at += 10;
    ids.push(await node.send(bob, { chatRef: general, message: index.toString() }));
  }
});
after(() => here.close());

type Asking = Rpcs['messagesGetHistory']['requestInit'];

const page = async (request: Asking, user: UserId = ada): Promise<readonly (MessageId | undefined)[]> => {
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef: general, ...request });
  return messages.messages.map(({ messageId }) => messageId);
};
const newestFirst = (from: number, to: number): readonly (MessageId | undefined)[] => ids.slice(from, to).toReversed();
const at = (index: number): MessageId => ids[index] ?? (0n as MessageId);

describe('the history of a chat', () => {
  it('is its fifty newest messages, the newest first', async () => {
    assert.deepEqual(await page({}), newestFirst(70, 120));
    assert.deepEqual(await page({ limit: 0 }), newestFirst(70, 120));
  });
  it('has a hundred at most', async () => {
    assert.deepEqual(await page({ limit: 4_000_000_000 }), newestFirst(20, 120));
  });
  it('goes back before a message', async () => {
    assert.deepEqual(await page({ before: at(50), limit: 3 }), newestFirst(47, 50));
  });
  it('goes on after a message with the oldest of the newer ones', async () => {
    assert.deepEqual(await page({ since: at(50), limit: 3 }), newestFirst(51, 54));
  });
  it('begins with the first message after 0', async () => {
    assert.deepEqual(await page({ since: 0n as MessageId, limit: 3 }), newestFirst(0, 3));
  });
  it('has a message with what is around it', async () => {
    assert.deepEqual(await page({ around: at(50), limit: 4 }), newestFirst(48, 52));
    assert.deepEqual(await page({ around: at(50), limit: 1 }), [at(50)]);
  });
  it('is that of the newest when the anchor is 0', async () => {
    assert.deepEqual(await page({ before: 0n as MessageId, limit: 2 }), newestFirst(118, 120));
    assert.deepEqual(await page({ around: 0n as MessageId, limit: 2 }), newestFirst(118, 120));
  });
  it('names authors and mentioned users, and in communities who they are there', async () => {
    await node.send(cleo, { chatRef: voice, message: '2', entities: [{ startIndex: 0, length: 1, userMention: {} }] });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: voice });
    assert.deepEqual(
      messages.users.map(({ id, name }) => [id, name]),
      [
        [cleo, 'Cleo'],
        [bob, 'Bob'],
      ],
    );
    assert.deepEqual(
      messages.members.map(({ id }) => id),
      [cleo, bob],
    );
    assert.deepEqual(messages.reactions, []);
  });
  it('shows no presence of authors who left', async () => {
    const watching = await here.node();
    await node.connect(cleo);
    await node.send(cleo, { chatRef: general, message: 'bye' });
    const statuses = async () => {
      const history = (await watching.must(bob, 'messagesGetHistory', { chatRef: general, limit: 1 })).messages.users;
      const last = (await watching.must(bob, 'chatsGetChat', { chatRef: general })).chat.users;
      return [history[0]?.status, last[0]?.status];
    };
    const online = { status: UserStatusStatus.ONLINE, activities: [] };
    assert.deepEqual(await statuses(), [online, online]);
    const member = `member-${community.toString()}.${cleo.toString()}`;
    await here.happened(member, { type: 'MemberLeft', data: { community, user: cleo } });
    assert.deepEqual(await statuses(), [undefined, undefined]);
    await here.happened(member, {
      type: 'MemberJoined',
      data: { community, user: cleo, via: 'invite', joining: 2 },
    });
  });
  it('of a direct chat has no members', async () => {
    await node.send(dora, { chatRef: dm(ada), message: 'hello' });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: dm(dora) });
    assert.deepEqual([messages.users.length, messages.members], [1, []]);
  });
  it('is for who sees the chat', async () => {
    const asked = async (user: UserId, chatRef: Asking['chatRef']): Promise<unknown> => {
      const answer = await node.ask(user, 'messagesGetHistory', { chatRef });
      return 'rejected' in answer ? answer.rejected : answer.messages.messages.length;
    };
    assert.equal(await asked(dora, general), 'CHAT_NOT_FOUND');
    assert.equal(await asked(bob, hidden), 'CHAT_NOT_FOUND');
    assert.equal(await asked(bob, category), 'NOT_A_TEXT_CHAT');
    assert.equal(await asked(ada, hidden), 0);
  });
  it('fits into a frame, with what is nearest to where it was asked', async () => {
    const large = { chatRef: self, message: '文'.repeat(4000) };
    const entities = Array.from({ length: 10 }, () => ({
      length: 1,
      textUrl: { url: `https://example.org/${'x'.repeat(1000)}` },
    }));
    const sent: MessageId[] = [];
    for (let index = 0; index < 60; index += 1) sent.push(await node.send(cleo, { ...large, entities }));
    const asked = async (request: Asking) => {
      const { messages } = await node.must(cleo, 'messagesGetHistory', { chatRef: self, limit: 60, ...request });
      assert.ok(encode(Messages, messages).length < 1_000_000);
      return messages.messages.map(({ messageId }) => messageId);
    };
    const newest = await asked({});
    assert.ok(newest.length > 10 && newest.length < 60);
    assert.deepEqual(newest, sent.toReversed().slice(0, newest.length));
    const oldest = await asked({ since: 0n as MessageId });
    assert.deepEqual(oldest, sent.slice(0, oldest.length).toReversed());
    const middle: readonly unknown[] = await asked({ around: sent[30] ?? (0n as MessageId) });
    assert.ok(middle.includes(sent[30]) && middle.includes(sent[20]) && middle.includes(sent[40]));
  });
  it('reads no more of the longest messages than an answer holds', async () => {
    const url = `https://example.org/${'x'.repeat(1_900)}`;
    const entities = Array.from({ length: 15 }, () => ({ length: 1, textUrl: { url } }));
    const chatRef = dm(bob);
    for (let index = 0; index < 100; index += 1) await node.send(dora, { chatRef, message: 'x', entities });
    let units = 0;
    const spend = (more: number): void => {
      units += more;
    };
    const plain = { ...here.store };
    const { unopened: _, ...metered } = meteredReads(readsOf(plain), { meter: { ...freeMeter, spend } }).store;
    Object.assign(here.store, metered);
    const answer = await node.ask(dora, 'messagesGetHistory', { chatRef, limit: 100 });
    Object.assign(here.store, plain);
    assert.ok(!isRejection(answer) && answer.messages.messages.length > 10);
    const kibibytesMax = historyBytesMax / 1_024 + 40;
    // The whole page has four times as much.
    assert.ok(units < costs.kibibyteRead * kibibytesMax + costs.document * 100, units.toString());
  });
});
