import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ChatRefInit } from '../../src/gen/refs.js';
import type { MessageId } from '../../src/kernel/ids.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { testServer, type TestServer } from '../support/server.js';
import { found, inChannel, join } from './places.js';
import { resume, signUp, type Seat } from './seat.js';
import { messagesLogged } from './stored.js';

const usersCount = 12;
const connectionsCount = 20;
const messagesEach = 25;
const messagesCount = connectionsCount * messagesEach;
const pageMessages = 100;

/** The ids of the messages that this connection was told of, in the order in which it was. */
const heardBy = (seat: Seat): readonly MessageId[] =>
  seat.updates().flatMap(({ messageCreated }) => messageCreated?.message?.messageId ?? []);

const allHeard = async (seat: Seat): Promise<readonly MessageId[]> => {
  await seat.raw.find(() => heardBy(seat).length >= messagesCount);
  return heardBy(seat);
};

/** From the first to the last, as a client pages through it. */
const historyOf = async (seat: Seat, chatRef: ChatRefInit): Promise<readonly MessageId[]> => {
  const ids: MessageId[] = [];
  for (;;) {
    const since = ids.at(-1) ?? beforeAllMessages;
    const { messages } = await seat.do('messagesGetHistory', { chatRef, since, limit: pageMessages });
    if (messages.length === 0) return ids;
    ids.push(...messages.map(({ messageId }) => messageId).toSorted(byId));
  }
};
const beforeAllMessages = 1n as MessageId;

const byId = (one: bigint, other: bigint): number => (one < other ? -1 : 1);

type Crowd = {
  readonly seats: readonly Seat[];
  readonly chatRef: ChatRefInit;
  /** What the senders were told of their messages. */
  readonly acknowledged: readonly MessageId[];
};

/** Twenty connections that write into one channel at once. */
const crowd = async (server: Pick<Deployment, 'url'>): Promise<Crowd> => {
  const people = await Promise.all(
    Array.from({ length: usersCount }, (_, index) => signUp(server.url, `No. ${index.toString()}`)),
  );
  const [owner, ...others] = people;
  assert.ok(owner);
  const town = await found(owner, 'Town');
  await join(owner, town, ...others);
  const chatRef = inChannel(town.community, town.general);
  const again = people.slice(0, connectionsCount - usersCount).map(({ token }) => resume(server.url, token));
  const seats = [...people, ...(await Promise.all(again))];
  const sends = seats.flatMap((seat, index) =>
    Array.from({ length: messagesEach }, async (_, count) => {
      const message = `${index.toString()}.${count.toString()}`;
      return (await seat.do('messagesSendMessage', { chatRef, message })).messageId;
    }),
  );
  return { seats, chatRef, acknowledged: await Promise.all(sends) };
};

onEachDeployment('twenty connections that write into one channel at once', (start) => {
  let server: Deployment;
  let all: Crowd;
  before(async () => {
    server = await start();
    all = await crowd(server);
  });
  after(() => server.remove());

  it('are all told of every message once, in the same order', async () => {
    const { seats, acknowledged } = all;
    const [first, ...others] = await Promise.all(seats.map(allHeard));
    assert.ok(first);
    assert.equal(new Set(first).size, messagesCount);
    for (const heard of others) assert.deepEqual(heard, first);
    assert.deepEqual(first.toSorted(byId), acknowledged.toSorted(byId));
  });

  it('find every message once in the history', async () => {
    const { chatRef, seats, acknowledged } = all;
    for (const seat of seats.slice(0, 2)) assert.deepEqual(await historyOf(seat, chatRef), acknowledged.toSorted(byId));
  });

  it('write in the order in which each of them sent', async () => {
    const [seat] = all.seats;
    assert.ok(seat);
    await allHeard(seat);
    const texts = seat.updates().flatMap(({ messageCreated }) => messageCreated?.message?.message ?? []);
    for (let index = 0; index < connectionsCount; index += 1) {
      const own = texts.filter((text) => text.startsWith(`${index.toString()}.`));
      assert.deepEqual(
        own,
        Array.from({ length: messagesEach }, (_, count) => `${index.toString()}.${count.toString()}`),
      );
    }
  });
});

/** Among several nodes ids follow the order of the log only as closely as the clocks of the nodes follow each other. */
describe('twenty connections of one node', () => {
  let server: TestServer;
  let all: Crowd;
  before(async () => {
    server = await testServer();
    all = await crowd(server);
  });
  after(() => server.remove());

  it('are told in the order of the ids, which is that of the history', async () => {
    const { chatRef, seats } = all;
    const [seat] = seats;
    assert.ok(seat);
    const heard = await allHeard(seat);
    assert.deepEqual(heard, heard.toSorted(byId));
    assert.deepEqual(await historyOf(seat, chatRef), heard);
  });

  it('have the ids of their messages in the order of the log', async () => {
    await server.close();
    const ids = await messagesLogged(server.dataDir);
    assert.equal(ids.length, messagesCount);
    assert.deepEqual(ids, ids.toSorted(byId));
  });
});
