import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { channelChat } from '../../../../../src/kernel/chat.js';
import { messageStream, type MessageEvent } from '../../../../../src/domain/messages/events.js';
import { evidenceScope, reportStream, type ReportEvent } from '../../../../../src/domain/reports/events.js';
import { of } from '../../../../../src/container/tokens.js';
import { evidenceDaysMax, reportKeys } from '../../../../../src/gateway/access/reportKeys.js';
import { wordingsMax } from '../../../../../src/gateway/access/wordings.js';
import { reasonUnitsMax } from '../../../../../src/gateway/packages/messages/reporting/rpcs.js';
import type { ChatRefInit } from '../../../../../src/gen/refs.js';
import { readEvents } from '../../../../../src/kernel/codec.js';
import type { ChannelId, FileId, MessageId, UserId } from '../../../../../src/kernel/ids.js';
import { isShredded } from '../../../../../src/kernel/opened.js';
import type { Bare } from '../../../../support/bare.js';
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
  joined,
  self,
} from '../../../../support/house/cast.js';
import { botAt } from '../../../../support/house/bots.js';
import { painted } from '../../../../support/pictures/samples.js';
import { bytesOf, hourMillis, sentFile, sweep, whole } from '../../../files/filing.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const say = (message: string, user = bob, chatRef = general): Promise<MessageId> => {
  here.clock.at += 10;
  return node.send(user, { chatRef, message });
};
type How = { readonly by?: UserId; readonly chatRef?: ChatRefInit; readonly reason?: string };
const report = async (
  messageId: MessageId,
  { by = cleo, chatRef = general, reason = 'rude' }: How = {},
): Promise<string> => {
  const answer = await node.ask(by, 'messagesReportMessage', { messageId, chatRef, reason });
  return 'rejected' in answer ? answer.rejected : 'done';
};
const reportOf = async (message: MessageId, by = cleo): Promise<readonly Bare<ReportEvent>[]> => {
  const stored = await here.log.readStream(reportStream(message, by), { limit: 200 });
  // The stream holds events of reports, and reading opens them.
  return (await readEvents(here.codec, here.sealer, stored)) as readonly unknown[] as readonly Bare<ReportEvent>[];
};
const keptOf = async (message: MessageId): Promise<readonly unknown[]> =>
  (await reportOf(message)).map((event) => {
    if (event.type === 'MessageReported') return event.data.reason;
    return event.type === 'EvidenceKept' ? [event.data.kind, event.data.text] : [];
  });

it('the neighbours of a reported message are those that somebody wrote', async () => {
  const announced = async (): Promise<void> => {
    const message = (await say('a place for it')) + 1n;
    const data = { message, chat: channelChat(community, 101n as ChannelId), author: dora, announces: 'joined' };
    await here.happened(messageStream(message as MessageId), { type: 'MemberAnnounced', data });
    await here.settled();
  };
  await say('before');
  await announced();
  const message = await say('rude words');
  await announced();
  await say('after');
  await report(message);
  assert.deepEqual(await keptOf(message), [
    'rude',
    ['reported', 'rude words'],
    ['neighbour', 'after'],
    ['neighbour', 'a place for it'],
    ['neighbour', 'a place for it'],
    ['neighbour', 'before'],
  ]);
});

describe('a report', () => {
  it('keeps all wordings and the neighbours, whatever becomes of the message and of all keys', async () => {
    for (const text of ['far', 'before', 'right before']) await say(text);
    const message = await say('first', ada);
    for (const text of ['right after', 'after', 'far']) await say(text);
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'second' });
    assert.equal(await report(message), 'done');
    await node.must(ada, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'third' });
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [message] });
    for (const key of [ada, bob, cleo]) here.sealer.shred(key.toString());
    here.sealer.shred(channelChat(community, 101n as ChannelId));
    assert.deepEqual(await keptOf(message), [
      'rude',
      ['former', 'first'],
      ['reported', 'second'],
      ['neighbour', 'after'],
      ['neighbour', 'right after'],
      ['neighbour', 'right before'],
      ['neighbour', 'before'],
    ]);
    here.sealer.shred(evidenceScope(0));
    assert.ok((await keptOf(message)).every((kept) => !JSON.stringify(kept).includes('rude')));
  });
});

describe('the evidence of a report', () => {
  before(async () => {
    await here.close();
    here = await house();
    node = await here.node();
  });

  const chat = channelChat(community, 101n as ChannelId);
  type Sent = Extract<Bare<MessageEvent>, { readonly type: 'MessageSent' }>['data'];
  const sent = async (id: bigint, shown: Partial<Sent>): Promise<MessageId> => {
    const message = (2n ** 40n + id) as MessageId;
    const data = { message, chat, author: bob, mentions: [], text: 'x', entities: [], ...shown };
    await here.happened(messageStream(message), { type: 'MessageSent', data });
    return message;
  };
  const copiesOf = async (message: MessageId, of = message) =>
    (await reportOf(message)).flatMap(({ type, data }) =>
      type === 'EvidenceKept' && data.copied === of ? [data] : [],
    );
  const bytesOfReport = async (message: MessageId): Promise<number> => {
    const stored = await here.log.readStream(reportStream(message, cleo), { limit: 200 });
    return stored.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
  };
  const botInfo = { cloak: 'Somebody', buttons: [[{ label: 'Press', clipboard: 'words' }]] };

  it('is whole for a message that fills its event', async () => {
    const text = 'w'.repeat(4_000);
    const entities = [{ kind: 'textUrl' as const, start: 0, length: 1, url: `https://e.org/${'p'.repeat(30_000)}` }];
    const media = Array.from({ length: 8 }, (_, at) => ({
      link: `https://e.org/${at.toString()}${'l'.repeat(1_500)}`,
    }));
    const message = await sent(1n, { text, entities, files: [], media, botInfo, hasBotInfo: true });
    assert.equal(await report(message), 'done');
    const parts = await copiesOf(message);
    assert.deepEqual(
      parts.map(({ part, kind }) => [part, kind]),
      [
        [1, 'reported'],
        [2, 'reported'],
      ],
    );
    assert.deepEqual([parts[0]?.text, parts[0]?.entities], [text, entities]);
    assert.deepEqual(
      parts.flatMap((one) => one.media ?? []),
      media,
    );
    assert.deepEqual(
      parts.flatMap((one) => one.botInfo ?? []),
      [botInfo],
    );
  });

  it('is what one append to any log takes: the first wording, and as many of the newest as there is room for', async () => {
    const message = await sent(2n, { text: 'first' });
    const edits = Array.from({ length: 40 }, (_, index): Bare<MessageEvent> => {
      const text = `${index.toString()} ${'e'.repeat(39_000)}`;
      return {
        type: 'MessageEdited',
        data: { message, chat, author: bob, mentions: [], entities: [], text, complete: true },
      };
    });
    await here.happened(messageStream(message), ...edits);
    assert.equal(await report(message), 'done');
    const texts = (await copiesOf(message)).map(({ text }) => (isShredded(text) ? '' : text.split(' ')[0]));
    assert.equal(texts[0], 'first');
    assert.equal(texts.at(-1), '39');
    assert.deepEqual(
      texts.slice(1).map(Number),
      Array.from({ length: texts.length - 1 }, (_, at) => 41 - texts.length + at),
    );
    assert.ok(texts.length > 10);
    assert.ok((await bytesOfReport(message)) < 1_048_576);
  });

  it('has the cloak and the buttons, also of a neighbour', async () => {
    const before = await sent(3n, { text: 'of a bot', botInfo, hasBotInfo: true });
    const message = await sent(4n, { text: 'of a bot too', botInfo, hasBotInfo: true });
    assert.equal(await report(message), 'done');
    for (const of of [before, message]) assert.deepEqual((await copiesOf(message, of))[0]?.botInfo, botInfo);
  });
});

describe('reporting', () => {
  before(async () => {
    await here.close();
    here = await house();
    node = await here.node();
  });

  it('is done once by each user, and nobody is told', async () => {
    const message = await say('hello');
    const other = await here.node();
    await other.connect(ada, bob, cleo);
    assert.equal(await report(message), 'done');
    const before = await reportOf(message);
    await node.must(bob, 'messagesEditMessage', { chatRef: general, messageId: message, message: 'changed' });
    other.told();
    assert.equal(await report(message, { reason: 'again' }), 'done');
    assert.deepEqual(await reportOf(message), before);
    assert.equal(await report(message, { by: ada }), 'done');
    assert.equal((await reportOf(message, ada)).filter(({ type }) => type === 'MessageReported').length, 1);
    assert.deepEqual(other.told(), []);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [message] });
    assert.equal(await report(message), 'done');
    assert.equal(await report(message, { by: bob }), 'MESSAGE_NOT_FOUND');
  });
  it('is one report when it comes twice at once to two nodes', async () => {
    const message = await say('twice');
    const other = await here.node();
    const request = { messageId: message, chatRef: general, reason: 'rude' };
    const answers = await Promise.all(
      [node, other].map((at) => at.ask({ user: cleo, session: 90n }, 'messagesReportMessage', request)),
    );
    assert.ok(answers.every((answer) => !('rejected' in answer)));
    assert.equal((await reportOf(message)).filter(({ type }) => type === 'MessageReported').length, 1);
  });
  it('needs a message that the user sees', async () => {
    const [message, secret] = [await say('hello'), await say('hidden', ada, hidden)];
    assert.equal(await report(secret, { chatRef: hidden }), 'CHAT_NOT_FOUND');
    assert.equal(await report(secret), 'MESSAGE_NOT_FOUND');
    assert.equal(await report(message, { by: dora }), 'CHAT_NOT_FOUND');
    assert.equal(await report(message, { chatRef: category, by: ada }), 'NOT_A_TEXT_CHAT');
    assert.equal(await report(0n as MessageId), 'MESSAGE_NOT_FOUND');
    assert.equal(await report(message, { reason: 'r'.repeat(reasonUnitsMax + 1) }), 'INVALID_ARGUMENT');
    assert.deepEqual(await reportOf(message), []);
    assert.equal(await report(message, { reason: 'r'.repeat(reasonUnitsMax) }), 'done');
    const toDora = await say('direct', ada, dm(dora));
    assert.equal(await report(toDora, { by: dora, chatRef: dm(ada) }), 'done');
    assert.equal(await report(await say('note', cleo, self), { chatRef: self }), 'done');
  });
  it('names who wrote the words of a forward', async () => {
    const original = await say('copied');
    await node.must(ada, 'messagesForwardMessage', { chatRef: general, from: general, messageIds: [original] });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, limit: 1 });
    const copy = messages.messages[0]?.messageId ?? assert.fail();
    await report(copy);
    const [, kept] = await reportOf(copy);
    assert.ok(kept?.type === 'EvidenceKept');
    assert.deepEqual([kept.data.author, kept.data.writtenBy, kept.data.text], [ada, bob, 'copied']);
  });
  it('keeps the first wording and the newest ones of a message that was edited often', async () => {
    const message = await say('first');
    const about = { message, chat: channelChat(community, 101n as ChannelId), author: bob, mentions: [], entities: [] };
    const edits = Array.from({ length: 60 }, (_, index): Bare<MessageEvent> => ({
      type: 'MessageEdited',
      data: { ...about, text: `edit ${index.toString()}`, complete: true },
    }));
    await here.happened(messageStream(message), ...edits);
    assert.equal(await report(message), 'done');
    const texts = (await reportOf(message)).flatMap((event) =>
      event.type === 'EvidenceKept' && event.data.kind !== 'neighbour' ? [event.data.text] : [],
    );
    assert.equal(texts.length, wordingsMax);
    assert.deepEqual([texts[0], texts[1], texts.at(-1)], ['first', 'edit 11', 'edit 59']);
  });
  it('keeps the files of the message as long as the report, for nobody in the chat', async () => {
    const { messageId, file } = await sentFile(node, bob, general, bytesOf(3));
    assert.equal(await report(messageId), 'done');
    const kept = (await reportOf(messageId)).find(({ type }) => type === 'EvidenceKept');
    assert.ok(kept?.type === 'EvidenceKept' && kept.data.media !== undefined && !isShredded(kept.data.media));
    assert.deepEqual(
      kept.data.media.map((one) => one.file?.file),
      [file],
    );
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    const stored = async () => (await here.blobs.list(`files/${file.toString()}/`, { limit: 9 })).length;
    const day = async (): Promise<number> => {
      for (let times = 0; times < 3; times += 1) {
        here.clock.at += 25 * hourMillis;
        await sweep(here, node);
      }
      return stored();
    };
    assert.equal(await day(), 1);
    assert.equal(await whole(node, cleo, file), 'FILE_NOT_FOUND');
    const endAt = async (today: number): Promise<void> => {
      const needs = { vault: node.get(of.vault), execute: node.get(of.execute), reads: here.reads };
      await reportKeys({ ...needs, keyOf: (scope) => scope, today: () => today }).endKept(new AbortController().signal);
      await here.settled();
    };
    await endAt(evidenceDaysMax);
    assert.equal(await day(), 1);
    await endAt(evidenceDaysMax + 1);
    await endAt(evidenceDaysMax + 1);
    assert.equal((await reportOf(messageId)).filter(({ type }) => type === 'ReportEnded').length, 1);
    assert.equal(await day(), 0);
  });
  it('keeps the photo of a cloak', async () => {
    const bot = await botAt(here, node, bob);
    await here.happened(`member-${community.toString()}.${bot.user.toString()}`, joined(bot.user));
    const png = await painted(9, 9).png().toBuffer();
    const { messageId: shows, file } = await sentFile(node, bob, general, png);
    const cloak = { name: 'Barista', photoId: file };
    const { sentMessage } = await bot.must('messagesSendMessage', {
      chatRef: general,
      message: 'Tea?',
      botInfo: { cloak },
    });
    const { messageId } = sentMessage;
    assert.equal(await report(messageId), 'done');
    await bot.must('messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [shows] });
    for (let times = 0; times < 3; times += 1) {
      here.clock.at += 25 * hourMillis;
      await sweep(here, node);
    }
    assert.equal((await here.blobs.list(`files/${file.toString()}/`, { limit: 9 })).length, 1);
    await bot.close();
  });

  it('keeps files that an edit took away, and claims none that were released before', async () => {
    const stored = async (file: FileId) => (await here.blobs.list(`files/${file.toString()}/`, { limit: 9 })).length;
    const editedOut = async () => {
      const { messageId, file } = await sentFile(node, bob, general, bytesOf(3));
      await node.must(bob, 'messagesEditMessage', {
        chatRef: general,
        messageId,
        message: 'no more',
        removeMedia: true,
      });
      return { messageId, file };
    };
    const claimed = async (message: MessageId) =>
      (await reportOf(message)).flatMap((event) => (event.type === 'MessageReported' ? (event.data.files ?? []) : []));
    const [sooner, later] = [await editedOut(), await editedOut()];
    here.clock.at += 1.02 * hourMillis;
    // Nobody has looked for unused files yet, and the next look comes before the report is there.
    let swept: Promise<void> | undefined;
    const append: typeof here.log.append = async (stream, ...rest) => {
      if (stream === reportStream(sooner.messageId, cleo)) await (swept ??= sweep(here, node));
      return here.log.append(stream, ...rest);
    };
    const elsewhere = await here.node({ log: { ...here.log, append } });
    await elsewhere.must(cleo, 'messagesReportMessage', { messageId: sooner.messageId, chatRef: general, reason: '' });
    assert.ok(swept !== undefined);
    await swept;
    assert.equal(await report(later.messageId), 'done');
    for (let times = 0; times < 3; times += 1) {
      here.clock.at += 1.02 * hourMillis;
      await sweep(here, node);
    }
    assert.deepEqual([await claimed(sooner.messageId), await stored(sooner.file)], [[sooner.file], 1]);
    assert.deepEqual([await claimed(later.messageId), await stored(later.file)], [[], 0]);
    await elsewhere.close();
  });
});
