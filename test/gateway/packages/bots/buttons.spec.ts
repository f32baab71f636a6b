import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { MessageButtonInit, SendMessageBotInfoInit } from '../../../../src/gen/messages.js';
import type { Message } from '../../../../src/gen/types.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { FileId, MessageId } from '../../../../src/kernel/ids.js';
import { botAt, type BotSeat } from '../../../support/house/bots.js';
import { ada, bob, community, general, joined, self } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';

const coffee: MessageButtonInit = { label: 'Coffee', interaction: { data: 'coffee' } };
const docs: MessageButtonInit = { label: 'Docs', url: { url: 'https://docs.example/' } };
const copy: MessageButtonInit = { label: 'Copy', clipboard: { text: 'npm start' } };
const rows = (...buttons: readonly MessageButtonInit[]) => ({ rows: [{ buttons }] });

type Scene = { readonly here: House; readonly node: Node; readonly bot: BotSeat };

const scene = async (t: TestContext): Promise<Scene> => {
  const here = await house();
  t.after(() => here.close());
  const node = await here.node();
  const bot = await botAt(here, node, ada);
  await here.happened(`member-${community.toString()}.${bot.user.toString()}`, joined(bot.user));
  await node.connect(bob);
  return { here, node, bot };
};

const sent = async ({ bot }: Scene, botInfo: SendMessageBotInfoInit, message = 'Which one?'): Promise<MessageId> =>
  (await bot.must('messagesSendMessage', { chatRef: general, message, botInfo })).sentMessage.messageId;

/** The message as Bob reads it. */
const read = async ({ node }: Scene, id: MessageId): Promise<Message> => {
  const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: general });
  const found = messages.messages.find(({ messageId }) => messageId === id);
  assert.ok(found);
  return found;
};

/** Cloak and labels, as a client shows them. */
const shown = ({ botInfo }: Pick<Message, 'botInfo'>): readonly (string | undefined)[] => [
  botInfo?.cloak?.name,
  ...(botInfo?.buttons?.rows ?? []).flatMap(({ buttons }) => buttons.map(({ label }) => label)),
];

const edit = ({ bot, here }: Scene, messageId: MessageId, change: object) => {
  here.clock.at += 20_000;
  return bot.must('messagesEditMessage', { chatRef: general, messageId, ...change });
};

describe('a message of a bot', () => {
  it('has a cloak and buttons, in updates and in history, and is the bot’s all the same', async (t) => {
    const place = await scene(t);
    const id = await sent(place, { cloak: { name: ' Barista ' }, buttons: rows(coffee, docs, copy) });
    const told = place.node.heard(bob).find(({ messageCreated }) => messageCreated !== undefined)?.messageCreated;
    assert.deepEqual(
      [told?.author?.id, told?.author?.bot, told?.message?.authorId],
      [place.bot.user, true, place.bot.user],
    );
    const message = await read(place, id);
    assert.deepEqual(message.botInfo, told?.message?.botInfo);
    assert.deepEqual(shown(message), ['Barista', 'Coffee', 'Docs', 'Copy']);
    const [row] = message.botInfo?.buttons?.rows ?? [];
    assert.deepEqual(
      row?.buttons.map(({ url, interaction, clipboard }) => url?.url ?? interaction?.data ?? clipboard?.text),
      ['coffee', 'https://docs.example/', 'npm start'],
    );
  });

  it('may consist of buttons alone, and then keeps one', async (t) => {
    const place = await scene(t);
    const id = await sent(place, { buttons: rows(coffee) }, '');
    assert.deepEqual([(await read(place, id)).message, ...shown(await read(place, id))], ['', undefined, 'Coffee']);
    const about = { chatRef: general, messageId: id };
    place.here.clock.at += 20_000;
    const emptied = await place.bot.ask('messagesEditMessage', { ...about, buttons: { rows: [] } });
    assert.ok(isRejection(emptied) && emptied.rejected === 'EMPTY_MESSAGE');
    const cloaked = { chatRef: general, message: '', botInfo: { cloak: { name: 'Nobody' } } };
    const nothing = await place.bot.ask('messagesSendMessage', cloaked);
    assert.ok(isRejection(nothing) && nothing.rejected === 'EMPTY_MESSAGE');
    const forwarded = { chatRef: self, from: general, messageIds: [id] };
    assert.equal(await place.node.refused(bob, 'messagesForwardMessage', forwarded), 'EMPTY_MESSAGE');
  });

  it('leaves cloak and buttons behind when it is forwarded', async (t) => {
    const place = await scene(t);
    const id = await sent(place, { cloak: { name: 'Barista' }, buttons: rows(coffee) });
    const forwarded = { chatRef: general, from: general, messageIds: [id] };
    await place.node.must(bob, 'messagesForwardMessage', forwarded);
    const { messages } = await place.node.must(bob, 'messagesGetHistory', { chatRef: general, limit: 1 });
    const [forward] = messages.messages;
    assert.deepEqual([forward?.message, forward?.authorId, forward?.botInfo], ['Which one?', bob, undefined]);
  });

  it('keeps both when its text is edited, also twice, and has other buttons or none when asked', async (t) => {
    const place = await scene(t);
    const id = await sent(place, { cloak: { name: 'Barista' }, buttons: rows(coffee, docs) });
    await edit(place, id, { message: 'Which of them?' });
    await edit(place, id, { message: 'Which of those?' });
    assert.deepEqual(shown(await read(place, id)), ['Barista', 'Coffee', 'Docs']);
    await edit(place, id, { buttons: rows(docs) });
    const { message, ...rest } = await read(place, id);
    assert.deepEqual([message, ...shown(rest)], ['Which of those?', 'Barista', 'Docs']);
    await edit(place, id, { message: 'None.', buttons: { rows: [] } });
    assert.deepEqual(shown(await read(place, id)), ['Barista']);
  });

  it('that is edited to what it is stays as it is, without an update', async (t) => {
    const place = await scene(t);
    const id = await sent(place, { cloak: { name: 'Barista' }, buttons: rows(coffee) });
    place.node.heard(bob);
    await edit(place, id, { message: 'Which one?', buttons: rows(coffee) });
    await edit(place, id, { buttons: rows(coffee) });
    assert.deepEqual(place.node.heard(bob), []);
    assert.equal((await read(place, id)).editedAt, undefined);
  });

  it('is sent once for one nonce, and other buttons are another message', async (t) => {
    const { bot } = await scene(t);
    const send = async (buttons: ReturnType<typeof rows>) => {
      const asked = { chatRef: general, message: 'Which one?', clientId: 5n, botInfo: { buttons } };
      return (await bot.must('messagesSendMessage', asked)).sentMessage.messageId;
    };
    const first = await send(rows(coffee));
    assert.equal(await send(rows(coffee)), first);
    assert.notEqual(await send(rows(docs)), first);
  });
});

describe('a cloak or a button', () => {
  it('of a person is refused and not left out', async (t) => {
    const { node } = await scene(t);
    const asked = { chatRef: general, message: 'I am a bot' };
    for (const botInfo of [{ cloak: { name: 'Barista' } }, { buttons: rows(coffee) }, { cloak: { name: '' } }]) {
      assert.equal(await node.refused(bob, 'messagesSendMessage', { ...asked, botInfo }), 'NOT_A_BOT');
    }
    const messageId = await node.send(bob, { ...asked, botInfo: {} });
    const edited = { chatRef: general, messageId, buttons: rows(coffee) };
    assert.equal(await node.refused(bob, 'messagesEditMessage', edited), 'NOT_A_BOT');
    const emptied = { ...edited, message: 'Other words', buttons: { rows: [] } };
    assert.equal(await node.refused(bob, 'messagesEditMessage', emptied), 'NOT_A_BOT');
  });

  it('of a message of somebody else is not the bot’s to change', async (t) => {
    const { node, bot } = await scene(t);
    const messageId = await node.send(bob, { chatRef: general, message: 'mine' });
    const refused = await bot.ask('messagesEditMessage', { chatRef: general, messageId, buttons: rows(coffee) });
    assert.ok(isRejection(refused) && refused.rejected === 'NOT_AUTHOR');
  });

  it('out of its bounds is refused, and at them it is not', async (t) => {
    const place = await scene(t);
    const outcome = async (botInfo: SendMessageBotInfoInit): Promise<string> => {
      const answer = await place.bot.ask('messagesSendMessage', { chatRef: general, message: 'x', botInfo });
      return isRejection(answer) ? answer.rejected : 'sent';
    };
    const one = (button: MessageButtonInit) => outcome({ buttons: rows(button) });
    assert.equal(await outcome({ cloak: { name: 'x'.repeat(65) } }), 'INVALID_NAME');
    assert.equal(await outcome({ cloak: { name: 'a\u202eb' } }), 'INVALID_NAME');
    assert.equal(await outcome({ cloak: { name: 'Barista', photoId: 5n as FileId } }), 'FILE_NOT_FOUND');
    assert.equal(await outcome({ cloak: { name: 'Barista', photoId: 0n as FileId } }), 'sent');
    assert.equal(await outcome({ buttons: { rows: [{ buttons: [] }] } }), 'INVALID_BUTTONS');
    assert.equal(
      await outcome({ buttons: { rows: Array.from({ length: 6 }, () => ({ buttons: [coffee] })) } }),
      'TOO_MANY',
    );
    assert.equal(await outcome({ buttons: rows(...Array.from({ length: 6 }, () => coffee)) }), 'TOO_MANY');
    for (const label of ['', ' ', 'x'.repeat(81), 'two\nlines']) {
      assert.equal(await one({ ...coffee, label }), 'INVALID_BUTTONS', label);
    }
    assert.equal(await one({ ...coffee, label: '😀'.repeat(40) }), 'sent');
    assert.equal(await one({ label: 'Nothing' }), 'INVALID_BUTTONS');
    for (const url of [
      'javascript:alert(1)',
      'mailto:a@example.org',
      'ftp://example.org',
      'example.org',
      '',
      'http://',
    ]) {
      assert.equal(await one({ label: 'Link', url: { url } }), 'INVALID_BUTTONS', url);
    }
    assert.equal(
      await one({ label: 'Link', url: { url: `https://a.example/${'x'.repeat(2_048)}` } }),
      'INVALID_BUTTONS',
    );
    assert.equal(await one({ label: 'Data', interaction: { data: '한'.repeat(33) } }), 'sent');
    assert.equal(await one({ label: 'Data', interaction: { data: '한'.repeat(34) } }), 'INVALID_BUTTONS');
    assert.equal(await one({ label: 'Copy', clipboard: { text: '' } }), 'INVALID_BUTTONS');
    assert.equal(await one({ label: 'Copy', clipboard: { text: 'x'.repeat(1_001) } }), 'INVALID_BUTTONS');
    const long: MessageButtonInit = { label: 'Copy', clipboard: { text: '한'.repeat(1_000) } };
    assert.equal(await one(long), 'sent');
    const five = { buttons: Array.from({ length: 5 }, () => long) };
    assert.equal(await outcome({ buttons: { rows: [five, five] } }), 'INVALID_BUTTONS');
  });
});
