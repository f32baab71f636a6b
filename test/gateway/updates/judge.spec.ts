import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemIds } from '../../../src/adapters/system/ids.js';
import type { BotInfo } from '../../../src/domain/messages/botInfo.js';
import { messages as rules } from '../../../src/domain/messages/decide.js';
import { messageStream, type Media } from '../../../src/domain/messages/events.js';
import type { DecidedAct } from '../../../src/gateway/contract/judge.js';
import { decidedAct, judgeOf, type FollowingJudge } from '../../../src/gateway/updates/judge.js';
import { channelChat } from '../../../src/kernel/chat.js';
import { readEvents } from '../../../src/kernel/codec.js';
import type { Event } from '../../../src/kernel/event.js';
import { executor, type Cause } from '../../../src/kernel/execute.js';
import { foldedStreams } from '../../../src/kernel/foldedStreams.js';
import {
  snowflakes,
  type ChannelId,
  type FileId,
  type MessageId,
  type Millis,
  type RoleId,
  type SessionId,
  type UserId,
} from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import { ada, bob, cleo, community, joined, slowSeconds } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';

const channel = 101n as ChannelId;
const general = channelChat(community, channel);
const session = 7n as SessionId;

type Decided = Pick<Cause, 'asOf' | 'session' | 'slowmodeSeconds'>;

type With = { readonly media?: readonly Media[]; readonly botInfo?: BotInfo };
const cloakPhoto = { file: 77n as FileId, key: 'AAAA', bytes: 3, mimetype: 'image/webp', thumb: 'AAAA' };

type Sending = With & { readonly message: MessageId; readonly author: UserId };

const sentIn = async (here: House, sending: Sending, decided: Decided): Promise<DecidedAct> => {
  const { message, author, media = [], botInfo } = sending;
  const content = { mentions: [], text: 'hi', entities: [], media, ...(botInfo && { botInfo }) };
  const data = { message, chat: general, by: author, ...content };
  const now = () => here.clock.at as Millis;
  const needs = { log: here.log, codec: here.codec, sealer: here.sealer };
  const kernel = { ...needs, clock: { now }, ids: systemIds(snowflakes(0, now)), streams: foldedStreams(needs) };
  const cause = { commandId: `send ${message.toString()}`, correlationId: '', actor: author.toString() };
  await executor(kernel)(rules, { type: 'SendMessage', data }, { ...cause, ...decided });
  const stored = await here.log.readStream(messageStream(message), { limit: 1 });
  const [event] = await readEvents(here.codec, here.sealer, stored);
  return decidedAct(event ?? assert.fail('nothing was sent')) ?? assert.fail('nobody judges it');
};

describe('a message of a node that shares the log', () => {
  let here: House;
  let reads: number;
  let streamReads: number;
  let judge: FollowingJudge;
  let messages = 1_000n;
  before(async () => {
    here = await house();
  });
  after(() => here.close());

  /** The log, as another node reads it. */
  const counted = (log: EventLog): EventLog => ({
    ...log,
    readAll: (read) => {
      reads += 1;
      return log.readAll(read);
    },
    readStream: (...read) => {
      streamReads += 1;
      return log.readStream(...read);
    },
  });
  beforeEach(async () => {
    judge = judgeOf({ log: counted(here.log), codec: here.codec, sealer: here.sealer });
    await pass();
    [reads, streamReads] = [0, 0];
  });
  /** The fan-out passes all that is in the log. */
  const pass = async (): Promise<void> => {
    for (const stored of await here.log.readAll({ limit: 1_000 })) judge.passed(stored);
  };
  const send = (author: UserId, decided: Decided, attached: With = {}): Promise<DecidedAct> =>
    sentIn(here, { message: (messages += 1n) as MessageId, author, ...attached }, decided);
  const asOf = async (): Promise<Decided> => {
    const end = await here.log.end();
    return { asOf: () => end, session: session.toString() };
  };
  /** What happened between the look at the right and the message. */
  const judged = async (happening: () => Promise<void>, attached: With = {}): Promise<string | undefined> => {
    const decided = await asOf();
    await happening();
    const event = await send(bob, decided, attached);
    await pass();
    return judge.refusalOf(event);
  };
  const overridden = (pos: bigint, neg: bigint): Event => ({
    type: 'OverrideSet',
    data: { community, channel, role: 0n as RoleId, pos, neg, by: ada },
  });
  const inCommunity = (...events: readonly Event[]) => here.happened('community-100', ...events);

  it('is judged without a look into the log when nothing that it depends on has changed', async () => {
    assert.equal(
      await judged(() => here.happened('member-100.3', { type: 'MemberLeft', data: { community, user: cleo } })),
      undefined,
    );
    await here.happened('member-100.3', joined(cleo));
    assert.equal(reads, 0);
  });
  it('falls with the right to attach where it has something attached, and only there', async () => {
    const lose = () => inCommunity(overridden(0n, permission.sendMedia));
    const regain = () => inCommunity(overridden(0n, 0n));
    assert.equal(await judged(lose, { media: [{ link: 'https://example.org/' }] }), 'MISSING_PERMISSION');
    await regain();
    assert.equal(await judged(lose), undefined);
    await regain();
    assert.equal(await judged(lose, { botInfo: { cloak: 'Barista', cloakPhoto } }), undefined);
    await regain();
  });
  it('that is edited, or reacted to, is judged by the rights which that takes', async () => {
    const refusals = async (neg: bigint): Promise<readonly (string | undefined)[]> => {
      const { asOf: before } = await asOf();
      const act = await send(bob, await asOf());
      await inCommunity(overridden(0n, neg));
      await pass();
      const position = (await here.log.end()) + 1n;
      const metadata = { ...act.metadata, ...(before && { asOf: before().toString() }) };
      const needing = async (needs: bigint) => judge.refusalOf({ ...act, position, needs, metadata });
      const { sendMessages, sendMedia, addReactions } = permission;
      const looks = [sendMessages, sendMessages | sendMedia, addReactions].map(needing);
      const reasons = await Promise.all(looks);
      await inCommunity(overridden(0n, 0n));
      return reasons;
    };
    const no = 'MISSING_PERMISSION';
    assert.deepEqual(await refusals(permission.sendMessages), [no, no, undefined]);
    assert.deepEqual(await refusals(permission.sendMedia), [undefined, no, undefined]);
    assert.deepEqual(await refusals(permission.addReactions), [undefined, undefined, no]);
  });
  it('in slow mode is judged without a look into the log, also after the fan-out has passed it', async () => {
    const event = await send(bob, { ...(await asOf()), slowmodeSeconds: slowSeconds });
    assert.equal(judge.refusalOf(event), undefined);
    await pass();
    assert.equal(judge.refusalOf(event), undefined);
    assert.equal(reads, 0);
    here.clock.at += slowSeconds * 1000;
  });
  it('of long ago is judged without folding its community, when nothing changed on its way', async () => {
    const before = await asOf();
    await here.happened('member-100.3', { type: 'MemberLeft', data: { community, user: cleo } });
    await here.happened('member-100.3', joined(cleo));
    const event = await send(bob, before);
    const late = judgeOf({ log: counted(here.log), codec: here.codec, sealer: here.sealer });
    assert.equal(await late.refusalOf(event), undefined);
    assert.deepEqual([reads, streamReads], [1, 0]);
  });
  it('must not be where its author lost the right on the way', async () => {
    assert.equal(await judged(() => inCommunity(overridden(0n, permission.sendMessages))), 'MISSING_PERMISSION');
    assert.equal(await judged(() => inCommunity(overridden(0n, permission.viewChannel))), 'CHAT_NOT_FOUND');
  });
  it('may be where its author has the right again', async () => {
    const lostAndBack = () => inCommunity(overridden(0n, permission.sendMessages), overridden(0n, 0n));
    assert.equal(await judged(lostAndBack), undefined);
    assert.ok(reads > 0, 'something had changed');
  });
  it('may be where its author lost the right only afterwards', async () => {
    const event = await send(bob, await asOf());
    await inCommunity(overridden(0n, permission.sendMessages));
    await pass();
    assert.equal(await judge.refusalOf(event), undefined);
    await inCommunity(overridden(0n, 0n));
  });
  it('must not be where its author was banned on the way', async () => {
    assert.equal(
      await judged(() => here.happened('member-100.2', { type: 'MemberLeft', data: { community, user: bob } })),
      'CHAT_NOT_FOUND',
    );
    await here.happened('member-100.2', joined(bob));
  });
  it('must not be where its session was revoked on the way, and may be where another one was', async () => {
    const revoked = (id: SessionId) => () =>
      here.happened('account-2', { type: 'SessionRevoked', data: { user: bob, session: id } });
    assert.equal(await judged(revoked(8n as SessionId)), undefined);
    assert.equal(await judged(revoked(session)), 'NOT_AUTHORIZED');
  });
  it('must not be where its author in slow mode sent another one on the way, deleted or not', async () => {
    const decided = { ...(await asOf()), slowmodeSeconds: slowSeconds };
    const first = await send(bob, decided);
    const message = messages as MessageId;
    const deleted = { message, chat: general, author: bob, by: bob };
    await here.happened(messageStream(message), { type: 'MessageDeleted', data: deleted });
    const second = await send(bob, decided);
    const elsewhere = await send(cleo, decided);
    await pass();
    const reasons = [first, second, elsewhere].map(async (event) => judge.refusalOf(event));
    assert.deepEqual(await Promise.all(reasons), [undefined, 'SLOWMODE', undefined]);
    here.clock.at += slowSeconds * 1000;
    const later = await send(bob, decided);
    assert.equal(await judge.refusalOf(later), undefined);
  });
  it('is judged by the log alone on a node that has seen nothing yet', async () => {
    const decided = await asOf();
    await inCommunity(overridden(0n, permission.sendMessages));
    const event = await send(bob, decided);
    const fresh = judgeOf({ log: here.log, codec: here.codec, sealer: here.sealer });
    assert.equal(await fresh.refusalOf(event), 'MISSING_PERMISSION');
  });
  it('is judged once, and those after it read the community from there on', async () => {
    const decided = await asOf();
    await inCommunity(overridden(0n, permission.sendMessages));
    const first = await send(bob, decided);
    const second = await send(bob, decided);
    await inCommunity(overridden(0n, 0n));
    const third = await send(bob, decided);
    await pass();
    let recordsRead = 0;
    const readStream: EventLog['readStream'] = async (stream, read) => {
      const page = await here.log.readStream(stream, read);
      if (stream === 'community-100') recordsRead += page.length;
      return page;
    };
    const remembering = judgeOf({ log: { ...here.log, readStream }, codec: here.codec, sealer: here.sealer });
    assert.equal(await remembering.refusalOf(first), 'MISSING_PERMISSION');
    assert.ok(recordsRead > 2, 'all of it');
    recordsRead = 0;
    assert.equal(await remembering.refusalOf(second), 'MISSING_PERMISSION');
    assert.equal(await remembering.refusalOf(third), undefined);
    assert.ok(recordsRead <= 2, 'what came since');
    recordsRead = 0;
    const again = [await remembering.refusalOf(first), await remembering.refusalOf(third)];
    assert.deepEqual(again, ['MISSING_PERMISSION', undefined]);
    assert.equal(recordsRead, 0);
    const earlier = judgeOf({ log: here.log, codec: here.codec, sealer: here.sealer });
    assert.equal(await earlier.refusalOf(third), undefined);
    assert.equal(await earlier.refusalOf(first), 'MISSING_PERMISSION', 'also behind a later one');
  });
  it('is judged again where the log could not be read', async () => {
    const decided = await asOf();
    await inCommunity(overridden(0n, permission.sendMessages));
    const event = await send(bob, decided);
    let isAway = true;
    const readAll: EventLog['readAll'] = (read) =>
      isAway ? Promise.reject(new Error('away')) : here.log.readAll(read);
    const hindered = judgeOf({ log: { ...here.log, readAll }, codec: here.codec, sealer: here.sealer });
    await assert.rejects(async () => hindered.refusalOf(event), /away/);
    isAway = false;
    assert.equal(await hindered.refusalOf(event), 'MISSING_PERMISSION');
    await inCommunity(overridden(0n, 0n));
  });
  it('of a release of before, which says nothing, is left alone', async () => {
    await inCommunity(overridden(0n, permission.sendMessages));
    const event = await send(bob, {});
    await pass();
    assert.equal(judge.refusalOf(event), undefined);
  });
});
