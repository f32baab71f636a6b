import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { messageEvents } from '../../src/domain/messages/events.js';
import type { RPCResult } from '../../src/gen/core.js';
import type { Update } from '../../src/gen/updates.js';
import { storedType } from '../../src/kernel/codec.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { MessageId } from '../../src/kernel/ids.js';
import { mongoProxy, type MongoProxy } from '../adapters/mongoProxy.js';
import { freshDatabase, onNodes, redisUrl, startNodes, type Node, type Nodes } from '../support/deployments.js';
import { startStandInProcess, type StandInProcess } from '../support/eventStoreDb/process.js';
import { mongoUrl } from '../support/mongoServer.js';
import { tcpProxy, type TcpProxy } from '../support/tcpProxy.js';
import { everythingIn, isGone, isOnline, isText, pair, readiness, type Report } from './nodes.js';
import { found, inChannel, join, say } from './places.js';
import { metricsOf, portIn } from '../support/operatorPorts.js';
import { outcomeOf, resume, signUp, type Seat } from './seat.js';

/** Resolves once all of the nodes say so. */
const all = async ({ nodes }: Nodes, fits: (report: Report) => boolean): Promise<void> => {
  while (!(await Promise.all(nodes.map(readiness))).every(fits));
};

/** Resolves when so many messages are in the log. */
const logged = async (connectionString: string, messages: number): Promise<void> => {
  const log = await eventStoreDbEventLog({ connectionString });
  let count = 0;
  for await (const batch of log.subscribe(beforeAll)) {
    count += batch.filter(({ type }) => type === storedType(messageEvents.MessageSent)).length;
    if (count === messages) break;
  }
  await log.close();
};

onNodes('nodes whose event log is away for longer than they try again', () => {
  let log: StandInProcess;
  let proxy: TcpProxy;
  let nodes: Nodes;
  before(async () => {
    log = await startStandInProcess();
    proxy = await tcpProxy(log.connectionString);
    nodes = await startNodes(2, { OSMIUM_EVENT_LOG: proxy.url });
  });
  after(async () => {
    await nodes.remove();
    await proxy.close();
    await log.stop();
  });

  it('say so, refuse for the moment what they cannot do, do once what is asked again, and go on by themselves', async () => {
    const [here, there] = pair(nodes);
    const owner = await signUp(here.url, 'Owner');
    const guest = await signUp(there.url, 'Guest');
    const town = await found(owner, 'Town');
    await join(owner, town, guest);
    const chatRef = inChannel(town.community, town.general);
    const send = (seat: Seat, message: string): Promise<RPCResult> =>
      seat.ask('messagesSendMessage', { chatRef, message, clientId: BigInt(texts.indexOf(message) + 1) });
    const texts = ['before', 'and before', 'taken', 'and taken', 'refused', 'late'];
    const sent: RPCResult[] = [await send(owner, 'before'), await send(guest, 'and before')];
    await guest.update(isText('before'));

    // The log takes what it is sent, and nobody hears of it.
    proxy.loseAnswers();
    const taken = [send(owner, 'taken'), send(guest, 'and taken')];
    await logged(log.connectionString, 4);
    await proxy.goAway();
    const refused = [...taken, send(guest, 'refused')];
    await all(nodes, ({ ready, log: answer }) => !ready && answer === 'away');
    assert.equal((await everythingIn(owner, town)).length, 2);
    assert.deepEqual((await Promise.all(refused)).map(outcomeOf), [503, 503, 503]);
    const late = send(owner, 'late');
    await proxy.comeBack();

    const elsewhere = await resume(here.url, guest.token);
    sent.push(await late);
    const again = [send(owner, 'taken'), send(elsewhere, 'and taken'), send(guest, 'refused')];
    sent.push(...(await Promise.all(again)));
    const ids = sent.map(({ sentMessage }) => sentMessage?.messageId);
    for (const text of texts) await guest.update(isText(text));
    const told = guest.updates().flatMap(({ messageCreated }) => messageCreated?.message?.messageId ?? []);
    assert.deepEqual([...told].sort(), [...ids].sort());
    for (const { url } of nodes.nodes) {
      const reader = await resume(url, owner.token);
      assert.deepEqual(await everythingIn(reader, town), [...ids].sort());
    }
    await all(nodes, ({ ready }) => ready);
  });
});

const isAlone = async ({ url }: Node): Promise<boolean> => {
  return /^osmium_alone 1$/m.test(await metricsOf(portIn(url)));
};

onNodes('nodes whose Redis is away', () => {
  let proxy: TcpProxy;
  let nodes: Nodes;
  before(async () => {
    proxy = await tcpProxy(redisUrl);
    nodes = await startNodes(2, { OSMIUM_PUBSUB: proxy.url, OSMIUM_RATE_LIMITS: 'on' });
  });
  after(async () => {
    await nodes.remove();
    await proxy.close();
  });

  it('say so, go on with presence and limits of their own, and know of each other again by themselves', async () => {
    const [here, there] = pair(nodes);
    const owner = await signUp(here.url, 'Owner');
    const leaver = await signUp(here.url, 'Leaver');
    const comer = await signUp(here.url, 'Comer');
    const guest = await signUp(there.url, 'Guest');
    const town = await found(owner, 'Town');
    for (const seat of [leaver, comer, guest]) await join(owner, town, seat);
    const chatRef = inChannel(town.community, town.general);
    await comer.raw.leave();
    const gone = await guest.update(isGone(comer));

    await proxy.goAway();
    await all(nodes, ({ ready, otherNodes }) => ready && otherNodes !== 'ok');
    assert.deepEqual(await Promise.all(nodes.nodes.map(isAlone)), [true, true]);
    await leaver.raw.leave();
    await owner.update(isGone(leaver));
    const back = await resume(here.url, comer.token);
    const isLater =
      (seat: Seat, before: Update) =>
      (update: Update): boolean =>
        isOnline(comer)(update) && seat.updates().indexOf(update) > seat.updates().indexOf(before);
    await owner.update(isLater(owner, await owner.update(isGone(comer))));
    const lookups = Array.from({ length: 70 }, () => owner.ask('authLookupInvite', { code: 'nosuchcode' }));
    const outcomes = (await Promise.all(lookups)).map(outcomeOf);
    assert.deepEqual(new Set(outcomes), new Set([404, 429]));
    assert.equal(guest.updates().some(isGone(leaver)), false);

    await proxy.comeBack();
    await all(nodes, ({ otherNodes }) => otherNodes === 'ok');
    assert.deepEqual(await Promise.all(nodes.nodes.map(isAlone)), [false, false]);
    await guest.update(isGone(leaver));
    await guest.update(isLater(guest, gone));
    await back.do('chatsSetTyping', { chatRef, typing: true });
    await guest.update(({ chatTyping }) => chatTyping?.userId === comer.user);
  });
});

const awayMillis = 10_000;

onNodes('nodes whose MongoDB is away for longer than their leases last', () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  let proxy: MongoProxy;
  let nodes: Nodes;
  before(async () => {
    proxy = await mongoProxy({ url: mongoUrl });
    const documents = freshDatabase({ after: (work) => cleanups.push(work) }, proxy.url);
    nodes = await startNodes(2, { OSMIUM_DOCUMENTS: documents });
  });
  after(async () => {
    await nodes.remove();
    await proxy.close();
    for (const work of cleanups) await work();
  });

  it('say so, refuse for the moment what they cannot do, keep their clients, and go on by themselves', async () => {
    const [here, there] = pair(nodes);
    const owner = await signUp(here.url, 'Owner');
    const guest = await signUp(there.url, 'Guest');
    const town = await found(owner, 'Town');
    await join(owner, town, guest);
    const chatRef = inChannel(town.community, town.general);
    const sent = new Set<MessageId>([await say(owner, chatRef, 'before')]);

    await proxy.goAway();
    const awayOver = passed(awayMillis);
    const refused = new Set<unknown>();
    for (const node of nodes.nodes) while ((await readiness(node)).ready);
    // Once they have no numbers any more, nothing that needs an id is done.
    while (!(await Promise.all(nodes.nodes.map(readiness))).every(({ node }) => node === null));
    for (const seat of [owner, guest]) {
      refused.add(outcomeOf(await seat.ask('messagesSendMessage', { chatRef, message: 'refused' })));
    }
    assert.deepEqual([...refused], [503]);
    await awayOver;
    await proxy.comeBack();

    while (!(await Promise.all(nodes.nodes.map(readiness))).every(({ ready }) => ready));
    const roles = (await Promise.all(nodes.nodes.map(readiness))).map(({ role }) => role);
    assert.deepEqual(roles.sort(), ['follows', 'projects']);
    for (const seat of [owner, guest]) sent.add(await say(seat, chatRef, 'after'));
    await guest.update(isText('after'));
    const reader = await resume(there.url, owner.token);
    assert.deepEqual(new Set(await everythingIn(reader, town)), sent);
  });
});
