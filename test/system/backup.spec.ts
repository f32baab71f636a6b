import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { identityStream, keysStream } from '../../src/domain/deployments/events.js';
import { messageEvents, messageStreams } from '../../src/domain/messages/events.js';
import { storedType } from '../../src/kernel/codec.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { openLogReader } from '../../src/logs.js';
import { backUp, putBack } from '../support/backups.js';
import { freshFolder } from '../support/dataFolders.js';
import { testServer, type TestServer } from '../support/server.js';
import { found, type Town } from './places.js';
import { resume, signIn, signUp, signUpWith, type Credentials, type Seat } from './seat.js';

const backups = 20;
/** Backups that are looked at side by side: they wait for the disk more than they compute. */
const atOnce = 5;
/** So much is acknowledged between two backups at most. */
const stepsMax = 12;

/** Numbers that look random and are the same in each run with the seed. */
const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** What the server has said yes to, in that order. */
type Acknowledged = { readonly messages: bigint[]; readonly accounts: Credentials[] };

type Load = {
  readonly acknowledged: Acknowledged;
  readonly owner: Seat;
  /** Resolves once so many more messages were acknowledged. */
  readonly more: (messages: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const writers = 3;

/** People who write, edit, sign up and found communities as fast as they are answered. */
const load = async (server: TestServer): Promise<Load> => {
  const owner = await signUp(server.url, 'Ada');
  const town: Town = await found(owner, 'Town');
  const chatRef = { channel: { communityId: town.community, channelId: town.general } };
  const acknowledged: Acknowledged = { messages: [], accounts: [] };
  let [isOver, waiting]: [boolean, { readonly until: number; readonly go: () => void } | undefined] = [
    false,
    undefined,
  ];
  const write = async (writer: number): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      const { messageId } = await owner.do('messagesSendMessage', {
        chatRef,
        message: `${writer.toString()} ${turn.toString()}`,
      });
      acknowledged.messages.push(messageId);
      if (turn % 5 === 0) await owner.do('messagesEditMessage', { chatRef, messageId, message: 'edited' });
      if (turn % 9 === 0) await owner.do('communitiesCreateCommunity', { name: `Village ${turn.toString()}` });
      if (acknowledged.messages.length >= (waiting?.until ?? Infinity)) waiting?.go();
    }
  };
  const arrive = async (): Promise<void> => {
    for (let number = 0; !isOver; number += 1) {
      const credentials = {
        email: `guest${number.toString()}@example.org`,
        password: `correct horse ${number.toString()}`,
      };
      const guest = await signUpWith(server.url, 'Guest', credentials);
      acknowledged.accounts.push(credentials);
      await guest.raw.leave();
    }
  };
  const all = Promise.all([...Array.from({ length: writers }, (_, writer) => write(writer)), arrive()]);
  return {
    acknowledged,
    owner,
    more: (messages) =>
      new Promise((go, fail) => {
        waiting = { until: acknowledged.messages.length + messages, go };
        all.catch(fail);
      }),
    stop: async () => {
      isOver = true;
      await all;
    },
  };
};

const eventsIn = async (dataDir: string): Promise<readonly StoredEvent[]> => {
  const log = openLogReader(dataDir);
  try {
    return log.readAll({ from: beforeAll, limit: Number.MAX_SAFE_INTEGER });
  } finally {
    await log.close();
  }
};

const messagesOf = (events: readonly StoredEvent[]): readonly bigint[] =>
  events
    .filter(({ type }) => type === storedType(messageEvents.MessageSent))
    .map(({ stream }) => BigInt(messageStreams.keyOf(stream) ?? ''));

const metadataOf = ({ metadata }: StoredEvent): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(metadata).toString()) as Readonly<Record<string, unknown>>; // The log has nothing else.

/** How many events of one stream came of one request. */
const appendsIn = (events: readonly StoredEvent[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  // Of a stream that keeps its newest event alone the earlier ones are gone by the end.
  for (const event of events.filter(({ stream }) => stream !== keysStream)) {
    const key = `${String(metadataOf(event)['$correlationId'])} ${event.stream}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
};

type Backup = {
  readonly folder: string;
  readonly messages: readonly bigint[];
  readonly account: Credentials | undefined;
};

const restored = async (t: TestContext, { folder }: Backup, key: string): Promise<string> => {
  const dataDir = join(freshFolder(t), 'data');
  const { code, errors } = await putBack(dataDir, { folder, key });
  assert.equal(code, 0, errors);
  return dataDir;
};

/** Everything of before is there, and nothing half; and a server goes on with it. */
const checkRestored = async (dataDir: string, backup: Backup, whole: readonly StoredEvent[]): Promise<void> => {
  const events = await eventsIn(dataDir);
  const sent = new Set(messagesOf(events));
  assert.deepEqual(
    backup.messages.filter((id) => !sent.has(id)),
    [],
  );
  const appends = appendsIn(whole);
  for (const [append, count] of appendsIn(events)) assert.equal(count, appends.get(append), append);
  assert.deepEqual(
    events.filter(({ stream }) => stream === identityStream).map(({ id }) => id),
    whole.filter(({ stream }) => stream === identityStream).map(({ id }) => id),
  );
  const server = await testServer({ dataDir });
  try {
    const { account } = backup;
    const seat = account === undefined ? await signUp(server.url, 'Late') : await signIn(server.url, account);
    const { messageId } = await seat.do('messagesSendMessage', { chatRef: { self: {} }, message: 'after' });
    assert.ok(messagesOf(events).every((id) => id < messageId));
    await seat.raw.leave();
  } finally {
    await server.close();
  }
};

describe('a backup of a server at work', () => {
  it('has everything that was acknowledged before it began, and nothing half, twenty times', async (t) => {
    const server = await testServer({ dataDir: freshFolder(t) });
    const [random, taken] = [randomFrom(12), [] as Backup[]];
    const { acknowledged, owner, more, stop } = await load(server);
    for (let number = 0; number < backups; number += 1) {
      await more(1 + random(stepsMax));
      const backup = {
        folder: join(freshFolder(t), 'backup'),
        messages: [...acknowledged.messages],
        account: acknowledged.accounts.at(-1),
      };
      const { code, errors } = await backUp(server.dataDir, { folder: backup.folder });
      assert.equal(code, 0, errors);
      taken.push(backup);
    }
    await stop();
    await server.close();
    const whole = await eventsIn(server.dataDir);
    const key = join(server.dataDir, 'master.key');
    const check = async (backup: Backup): Promise<void> => checkRestored(await restored(t, backup, key), backup, whole);
    for (let first = 0; first < backups; first += atOnce) {
      await Promise.all(taken.slice(first, first + atOnce).map(check));
    }
    assert.equal(new Set(taken.map(({ messages }) => messages.length)).size, backups);
    await owner.raw.leave();
  });

  it('lets a session go on, and shows what was written', async (t) => {
    const server = await testServer({ dataDir: freshFolder(t) });
    const ada = await signUp(server.url, 'Ada');
    await ada.do('messagesSendMessage', { chatRef: { self: {} }, message: 'kept' });
    const folder = join(freshFolder(t), 'backup');
    assert.equal((await backUp(server.dataDir, { folder, withKey: true })).code, 0);
    await ada.do('messagesSendMessage', { chatRef: { self: {} }, message: 'lost' });
    await ada.raw.leave();
    await server.close();
    const dataDir = join(freshFolder(t), 'data');
    assert.equal((await putBack(dataDir, { folder })).code, 0);
    const again = await testServer({ dataDir });
    const back = await resume(again.url, ada.token);
    const { messages } = await back.do('messagesGetHistory', { chatRef: { self: {} } });
    assert.deepEqual(
      messages.map(({ message }) => message),
      ['kept'],
    );
    await back.raw.leave();
    await again.close();
  });
});
