import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { MessageButtonInit } from '../../../../src/gen/messages.js';
import type { UpdateInteraction } from '../../../../src/gen/updates.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { InteractionId, MessageId } from '../../../../src/kernel/ids.js';
import { botAt, connectBot, madeBot, type BotSeat } from '../../../support/house/bots.js';
import { ada, bob, community, dora, general, hidden, joined } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

const coffee: MessageButtonInit = { label: 'Coffee', interaction: { data: 'coffee' } };
const rows = (...buttons: readonly MessageButtonInit[]) => ({ rows: [{ buttons }] });

type Scene = {
  readonly here: House;
  readonly node: Node;
  readonly bot: BotSeat;
  readonly message: MessageId;
};

/** A bot in the community, and a message of it with a button. */
const scene = async (t: TestContext): Promise<Scene> => {
  const here = await house();
  t.after(() => here.close());
  const node = await here.node();
  const bot = await botAt(here, node, ada);
  await here.happened(`member-${community.toString()}.${bot.user.toString()}`, joined(bot.user));
  const sent = { chatRef: general, message: 'Which one?', botInfo: { buttons: rows(coffee) } };
  const { sentMessage } = await bot.must('messagesSendMessage', sent);
  bot.heard();
  return { here, node, bot, message: sentMessage.messageId };
};

const pressed = ({ heard }: Pick<BotSeat, 'heard'>): readonly UpdateInteraction[] =>
  heard().flatMap(({ interaction }) => interaction ?? []);

/** The next press that the bot is told of. */
const nextPress = async (bot: BotSeat): Promise<UpdateInteraction> => {
  for (let looks = 0; looks < 100; looks += 1) {
    await bot.caughtUp();
    const [press] = pressed(bot);
    if (press !== undefined) return press;
  }
  throw new Error('the bot was told of no press');
};

const press = ({ message: messageId }: Pick<Scene, 'message'>, data = 'coffee') => ({
  chatRef: general,
  messageId,
  data,
});

describe('pressing a button', () => {
  it('tells the bot who pressed what, and the user the answer of the bot', async (t) => {
    const { node, bot, message } = await scene(t);
    const answer = node.must(bob, 'messagesSubmitInteraction', press({ message }));
    const told = await nextPress(bot);
    assert.deepEqual([told.userId, told.messageId, told.data], [bob, message, 'coffee']);
    await bot.must('messagesSetInteractionResponse', { interactionId: told.interactionId, message: 'Here you are' });
    assert.equal((await answer).interactionResponse.message, 'Here you are');
  });

  it('is answered from another node, and an acknowledgement says nothing', async (t) => {
    const { here, node, bot, message } = await scene(t);
    const elsewhere = await connectBot(here, await here.node(), bot);
    const answer = node.must(bob, 'messagesSubmitInteraction', press({ message }));
    const { interactionId } = await nextPress(elsewhere);
    await elsewhere.must('messagesSetInteractionResponse', { interactionId });
    assert.equal((await answer).interactionResponse.message, undefined);
    const second = await bot.ask('messagesSetInteractionResponse', { interactionId, message: 'And again' });
    assert.ok(isRejection(second) && second.rejected === 'INTERACTION_NOT_FOUND');
  });

  it('does not keep the other requests of the connection waiting', async (t) => {
    const { node, bot, message } = await scene(t);
    const answer = node.askOnly(bob, 'messagesSubmitInteraction', press({ message }));
    await node.must(bob, 'messagesGetHistory', { chatRef: general });
    await node.send(bob, { chatRef: general, message: 'while I wait' });
    const { interactionId } = await nextPress(bot);
    await bot.must('messagesSetInteractionResponse', { interactionId });
    assert.ok(!isRejection(await answer));
  });

  it('that is not there is refused, and the bot is told nothing', async (t) => {
    const { here, node, bot, message } = await scene(t);
    const ask = (who: typeof bob, request: ReturnType<typeof press>) =>
      node.refused(who, 'messagesSubmitInteraction', request);
    const plain = await node.send(ada, { chatRef: general, message: 'no buttons here' });
    assert.equal(await ask(bob, press({ message }, 'tea')), 'INVALID_ARGUMENT');
    assert.equal(await ask(bob, press({ message: plain })), 'MESSAGE_NOT_FOUND');
    assert.equal(await ask(bob, { ...press({ message }), chatRef: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await ask(dora, press({ message })), 'CHAT_NOT_FOUND');
    const edited = { chatRef: general, messageId: message };
    const tea: MessageButtonInit = { label: 'Tea', interaction: { data: 'tea' } };
    await bot.must('messagesEditMessage', { ...edited, buttons: rows(tea) });
    assert.equal(await ask(bob, press({ message })), 'INVALID_ARGUMENT');
    here.clock.at += 20_000;
    await bot.must('messagesEditMessage', { ...edited, buttons: { rows: [] } });
    assert.equal(await ask(bob, press({ message }, 'tea')), 'MESSAGE_NOT_FOUND');
    await bot.must('messagesDeleteMessage', { chatRef: general, messageIds: [message] });
    assert.equal(await ask(bob, press({ message })), 'MESSAGE_NOT_FOUND');
    await bot.caughtUp();
    assert.deepEqual(pressed(bot), []);
  });

  it('is refused for now when the bot is not connected', async (t) => {
    const { here, node, bot, message } = await scene(t);
    await bot.close();
    await here.settled();
    assert.equal(await node.refused(bob, 'messagesSubmitInteraction', press({ message })), 'UNAVAILABLE');
  });

  it('is answered by its bot alone', async (t) => {
    const { here, node, bot, message } = await scene(t);
    const stranger = await connectBot(here, node, await madeBot(node, bob));
    const answer = node.must(bob, 'messagesSubmitInteraction', press({ message }));
    const { interactionId } = await nextPress(bot);
    const respond = { interactionId, message: 'from somebody else' };
    const refused = await stranger.ask('messagesSetInteractionResponse', respond);
    assert.ok(isRejection(refused) && refused.rejected === 'INTERACTION_NOT_FOUND');
    assert.equal(await node.refused(bob, 'messagesSetInteractionResponse', respond), 'INTERACTION_NOT_FOUND');
    const refusalOf = async (response: { readonly message: string; readonly interactionId?: InteractionId }) => {
      const outcome = await bot.ask('messagesSetInteractionResponse', { interactionId, ...response });
      return isRejection(outcome) ? outcome.rejected : 'taken';
    };
    assert.equal(await refusalOf({ message: 'x'.repeat(2_001) }), 'MESSAGE_TOO_LONG');
    assert.equal(await refusalOf({ message: '\u200b' }), 'EMPTY_MESSAGE');
    assert.equal(await refusalOf({ message: 'x', interactionId: 1n as InteractionId }), 'INTERACTION_NOT_FOUND');
    assert.equal(await refusalOf({ message: 'x'.repeat(2_000) }), 'taken');
    await answer;
  });

  it('shows nothing to a user who lost sight of the chat meanwhile', async (t) => {
    const { here, node, bot, message } = await scene(t);
    const answer = node.refused(bob, 'messagesSubmitInteraction', press({ message }));
    const { interactionId } = await nextPress(bot);
    await here.happened(`member-${community.toString()}.${bob.toString()}`, {
      type: 'MemberLeft',
      data: { community, user: bob },
    });
    await bot.ask('messagesSetInteractionResponse', { interactionId, message: 'too late' });
    assert.equal(await answer, 'CHAT_NOT_FOUND');
  });
});
