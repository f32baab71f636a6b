import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { of } from '../../../../src/container/tokens.js';
import { refusedAs } from '../../../../src/gateway/updates/judge.js';
import type { Message } from '../../../../src/gen/types.js';
import type { Event } from '../../../../src/kernel/event.js';
import type { MessageId, RoleId, ChannelId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { startWorkflow } from '../../../../src/workflows/runner.js';
import { withdrawMessages } from '../../../../src/workflows/withdrawMessages.js';
import { ada, bob, cleo, community, general } from '../../../support/house/cast.js';
import { holding } from '../../../support/house/holding.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { needsOn } from '../../../workflows/needs.js';
import { reacted, seenBy } from '../reactions/reacting.js';

let here: House;
/** Where Ada is told things. */
let near: Node;
/** Where Bob is; what it writes is on its way until a test releases it. */
let far: Node;
let onTheWay: ReturnType<typeof holding>;
before(async () => {
  here = await house();
  onTheWay = holding(here.log);
  near = await here.node({ judges: true });
  far = await here.node({ judges: true, log: onTheWay });
  await near.connect(ada);
});
after(() => here.close());

const denied = (neg: bigint): Event => ({
  type: 'OverrideSet',
  data: { community, channel: 101n as ChannelId, role: 0n as RoleId, pos: 0n, neg, by: ada },
});
const deny = (neg: bigint) => here.happened('community-100', denied(neg));

/** Resolves once the request has handed in its event, which is then on its way. */
const handedIn = async (): Promise<void> => {
  while (onTheWay.held.length === 0) await new Promise(setImmediate);
};
const arrive = async (): Promise<void> => {
  onTheWay.held.shift()?.();
  await here.settled();
};
/** What Bob asks for is decided with the right, and comes behind its loss in the log. */
const late = async <T>(neg: bigint, asking: () => Promise<T>): Promise<T> => {
  const answer = asking();
  await handedIn();
  await deny(neg);
  await arrive();
  return answer;
};

/** The workflow as the server has it, over all that is in the log. What happens `meanwhile` comes behind its first look. */
const withdrawn = async (meanwhile?: () => Promise<unknown>): Promise<void> => {
  const judge = near.get(of.judge) ?? assert.fail('nobody judges');
  let happens = meanwhile;
  const readStream: typeof here.log.readStream = async (stream, options) => {
    const page = await here.log.readStream(stream, options);
    const now = happens;
    happens = undefined;
    await now?.();
    return page;
  };
  const workflow = withdrawMessages({
    ...{ log: { readStream }, codec: here.codec, sealer: here.sealer },
    isRefused: refusedAs(judge),
    reached: near.get(of.gateway).fanOut.reached,
  });
  const execute = near.get(of.execute);
  const running = startWorkflow(workflow, needsOn({ ...here, execute }));
  const end = await here.log.end();
  while ((running.position() ?? 0n) < end) await new Promise(setImmediate);
  await running.stop();
  await here.settled();
};

const edit = (messageId: MessageId, message: string) => () =>
  far.askOnly(bob, 'messagesEditMessage', { chatRef: general, messageId, message });
const react = (messageId: MessageId) => () =>
  far.askOnly(bob, 'reactionsAddReaction', { chatRef: general, messageId, emoji: { unicodeEmoji: '👍' } });
const shown = async (messageId: MessageId): Promise<Message | undefined> => {
  const { messages } = await near.must(ada, 'messagesGetHistory', { chatRef: general, around: messageId, limit: 1 });
  return messages.messages.find((one) => one.messageId === messageId);
};
const said = (): readonly (string | undefined)[] =>
  near.heard(ada).flatMap(({ message }) => (message === undefined ? [] : [message.message?.message]));

describe('what came behind the loss of its right in the log', () => {
  let message: MessageId;
  beforeEach(async () => {
    await deny(0n);
    message = await near.send(bob, { chatRef: general, message: 'hello' });
    near.heard(ada);
  });

  it('when it is an edit, is refused, told to nobody and taken back', async () => {
    assert.deepEqual(await late(permission.sendMessages, edit(message, 'late')), {
      rejected: 'MISSING_PERMISSION',
    });
    assert.deepEqual(said(), []);
    assert.equal((await shown(message))?.message, 'late', 'reads show it for a moment');
    await withdrawn();
    const { message: text, editedAt } = (await shown(message)) ?? assert.fail('it is gone');
    assert.deepEqual([text, editedAt], ['hello', undefined]);
    assert.deepEqual(said(), ['hello']);
    await withdrawn();
    assert.deepEqual(said(), [], 'once');
  });

  /** Decided on a node that knows nothing yet of what the log has. */
  const behind = async (text: string): Promise<void> => {
    const answer = await near.askOnly(bob, 'messagesEditMessage', {
      chatRef: general,
      messageId: message,
      message: text,
    });
    assert.deepEqual(answer, {}, 'the node of the author cannot know better');
  };

  it('when it is two edits, is taken back to what was shown before both', async () => {
    await here.unnoticed('community-100', denied(permission.sendMessages));
    await behind('one');
    await behind('two');
    await here.settled();
    assert.deepEqual(said(), []);
    await withdrawn();
    assert.equal((await shown(message))?.message, 'hello');
    assert.deepEqual(said(), ['hello']);
  });

  it('when it is an edit, and another one was made with the right since, is not taken back', async () => {
    await here.unnoticed('community-100', denied(permission.sendMessages));
    await behind('one');
    await deny(0n);
    await near.must(bob, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'two' });
    await withdrawn();
    assert.equal((await shown(message))?.message, 'two');
    assert.deepEqual(said(), ['two']);
  });

  const [own, gained] = [{ embed: { url: 'https://own.example' } }, { embed: { url: 'https://gained.example' } }];
  const urls = async (id: MessageId) =>
    ((await shown(id)) ?? assert.fail('it is gone')).media.map(({ embed }) => embed?.url);
  const attach = (messageId: MessageId, change: { readonly message?: string; readonly removeMedia?: boolean } = {}) =>
    near.askOnly(bob, 'messagesEditMessage', { chatRef: general, messageId, media: [gained], ...change });

  it('when it is an edit that attaches, loses that also below a later edit of words alone', async () => {
    const id = await near.send(bob, { chatRef: general, message: 'see', media: [own] });
    await here.unnoticed('community-100', denied(permission.sendMedia));
    assert.deepEqual(await attach(id, { removeMedia: true }), {});
    await here.settled();
    await near.must(bob, 'messagesEditMessage', { chatRef: general, messageId: id, message: 'words' });
    const { editedAt } = (await shown(id)) ?? assert.fail('it is gone');
    near.heard(ada);
    await withdrawn();
    assert.deepEqual(await urls(id), ['https://own.example']);
    assert.deepEqual([(await shown(id))?.message, (await shown(id))?.editedAt], ['words', editedAt]);
    assert.deepEqual(said(), ['words']);
    await withdrawn();
    assert.deepEqual(said(), [], 'once');
  });

  it('when it is an edit that attaches, loses that also below an edit of words that comes meanwhile', async () => {
    await here.unnoticed('community-100', denied(permission.sendMedia));
    assert.deepEqual(await attach(message), {});
    await here.settled();
    const words = { chatRef: general, messageId: message, message: 'words' };
    await withdrawn(() => near.must(bob, 'messagesEditMessage', words));
    assert.deepEqual([(await shown(message))?.message, await urls(message)], ['words', []]);
  });

  it('when it is an edit that attaches, leaves what an edit with the right attached since', async () => {
    await here.unnoticed('community-100', denied(permission.sendMedia));
    assert.deepEqual(await attach(message), {});
    await deny(0n);
    const again = { chatRef: general, messageId: message, message: 'mine', removeMedia: true, media: [gained] };
    await near.must(bob, 'messagesEditMessage', again);
    await withdrawn();
    assert.deepEqual(await urls(message), ['https://gained.example']);
  });

  it('when it is an edit that attaches, leaves no message without anything to show', async () => {
    await here.unnoticed('community-100', denied(permission.sendMedia));
    assert.deepEqual(await attach(message), {});
    await here.settled();
    await near.must(bob, 'messagesEditMessage', { chatRef: general, messageId: message, message: '' });
    await withdrawn();
    assert.equal(await shown(message), undefined);
  });

  it('when it is an edit of a reply with a quote, shows all again that was there', async () => {
    const reply = { messageId: message, quote: { message: 'hello', entities: [], offset: 0n } };
    const answer = await near.send(bob, { chatRef: general, message: 'yes', replyTo: reply });
    const before = await shown(answer);
    await late(permission.sendMessages, edit(answer, 'no'));
    await withdrawn();
    assert.deepEqual(await shown(answer), before);
  });

  it('when it is one edit of two, leaves what was shown before both', async () => {
    here.clock.at += 1_000;
    const first = edit(message, 'first')();
    await handedIn();
    await arrive();
    await first;
    const before = await shown(message);
    await late(permission.sendMessages, edit(message, 'second'));
    here.clock.at += 1_000;
    await withdrawn();
    assert.deepEqual(await shown(message), before);
  });

  it('when it is an edit, is not told by other updates of the message either', async () => {
    await here.unnoticed('community-100', denied(permission.sendMessages));
    const asked = { chatRef: general, messageId: message, message: 'late', suppressEmbeds: true };
    assert.deepEqual(await near.askOnly(bob, 'messagesEditMessage', asked), {});
    await here.settled();
    assert.deepEqual(said(), ['hello'], 'that its previews are hidden');
    await near.must(ada, 'messagesSetMessagePin', { chatRef: general, messageId: message, pin: true });
    assert.deepEqual(said(), ['hello'], 'that it is pinned');
    await withdrawn();
    assert.deepEqual(said(), ['hello']);
  });

  it('when it is a reaction, is refused, told to nobody and removed', async () => {
    const answer = await late(permission.addReactions, react(message));
    assert.deepEqual(answer, { rejected: 'MISSING_PERMISSION' });
    assert.deepEqual(
      near.heard(ada).filter(({ messageReactions }) => messageReactions !== undefined),
      [],
    );
    await withdrawn();
    assert.deepEqual(await seenBy(near, ada, message), []);
  });

  it('when it is a reaction, keeps no other one from being told', async () => {
    const others = () =>
      near.heard(ada).flatMap(({ messageReactions }) => (messageReactions === undefined ? [] : [messageReactions]));
    await reacted(here, message, [[cleo, '🎉']]);
    await here.unnoticed('community-100', denied(permission.addReactions));
    const reaction = { chatRef: general, messageId: message, emoji: { unicodeEmoji: '👍' } };
    assert.deepEqual(await near.askOnly(bob, 'reactionsAddReaction', reaction), {});
    await here.settled();
    const [told, ...more] = others();
    assert.deepEqual(
      [told?.reactions?.reactionFields.map(({ emoji }) => emoji?.unicodeEmoji), more],
      [['🎉', '👍'], []],
    );
    await withdrawn();
    assert.deepEqual(
      others().map(({ reactions }) => reactions?.reactionFields.map(({ emoji }) => emoji?.unicodeEmoji)),
      [['🎉']],
    );
  });

  it('stands when the right is another one', async () => {
    await late(permission.addReactions, edit(message, 'in time'));
    await withdrawn();
    assert.equal((await shown(message))?.message, 'in time');
    assert.deepEqual(said(), ['in time']);
  });
});
