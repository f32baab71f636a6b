import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setOf } from '../../src/container/generations/set.js';
import { generationsAdmin } from '../../src/container/generations/admin.js';
import type { MessageEvent } from '../../src/domain/messages/events.js';
import { collectionOf, forRunner, type DocumentType } from '../../src/kernel/document.js';
import { unchanged, none } from '../../src/projections/runner/foldHelpers.js';
import { readModels, type DeclaredReadModels } from '../../src/projections/registry.js';
import { freshFolder } from '../support/dataFolders.js';
import { freshDatabase, onNodes, redisUrl } from '../support/deployments.js';
import { startStandInProcess } from '../support/eventStoreDb/process.js';
import { generationsAt, ownSet } from '../support/generations.js';
import { objectIn, on } from '../cli/projections.js';
import { testServer, type TestServer } from '../support/server.js';
import { caughtUp } from './stored.js';
import { found, inChannel, join, say, type Town } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

const lookMillis = 50;

type SentDocument = { readonly version: number; readonly sent: number };

/** A type of documents of this test alone, which counts the messages of each chat. */
const sentOf = (version: number): DocumentType<SentDocument, MessageEvent> => ({
  name: 'sentInTest',
  version,
  keys: {
    MessageSent: ({ data }) => [data.chat],
    MessageForwarded: none,
    MemberAnnounced: none,
    MessageEdited: none,
    MessageDeleted: none,
  },
  streams: 'log',
  indexes: {},
  evolve: {
    MessageSent: (before) => ({ version, sent: (before?.sent ?? 0) + 1 }),
    MessageForwarded: unchanged,
    MemberAnnounced: unchanged,
    MessageEdited: unchanged,
    MessageDeleted: unchanged,
  },
});

const releaseWith = (version: number): DeclaredReadModels => {
  const type = sentOf(version);
  return {
    projections: [...readModels.projections, { name: 'sentInTest', documents: [forRunner(type)] }],
    collections: [...readModels.collections, { name: collectionOf(type), indexes: [] }],
  };
};

const [former, later] = [releaseWith(1), releaseWith(2)];

type Environment = Readonly<Record<string, string>>;

const shared = async (t: TestContext): Promise<Environment> => {
  const log = await startStandInProcess();
  t.after(() => log.stop());
  const key = joined(freshFolder(t), 'master.key');
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const cleanup = {
    after: (work: () => void | Promise<void>): void => {
      t.after(work);
    },
  };
  return {
    OSMIUM_EVENT_LOG: log.connectionString,
    OSMIUM_DOCUMENTS: freshDatabase(cleanup),
    OSMIUM_PUBSUB: redisUrl,
    OSMIUM_MASTER_KEY_FILE: key,
    OSMIUM_BLOBS: `file://${freshFolder(t)}`,
  };
};

const nodeOf = async (t: TestContext, environment: Environment, release: DeclaredReadModels): Promise<TestServer> => {
  const node = await testServer({ dataDir: freshFolder(t), environment, readModels: release });
  t.after(() => node.close());
  for (;;) {
    const { ready, reason } = await node.readiness();
    if (ready) return node;
    assert.doesNotMatch(reason, /has stopped/);
  }
};

/** Somebody who writes and reads all the time, and moves from node to node. A request that is refused throws. */
const busyBody = (first: Seat, town: Town) => {
  const chatRef = inChannel(town.community, town.general);
  let seat = first;
  let wanted: string | undefined;
  let moved: () => void = () => undefined;
  let isOver = false;
  let sent = 0;
  const move = async (): Promise<void> => {
    if (wanted === undefined) return;
    const next = await resume(wanted, seat.token);
    await seat.raw.leave();
    seat = next;
    wanted = undefined;
    moved();
  };
  const work = async (): Promise<void> => {
    while (!isOver) {
      const id = await say(seat, chatRef, `No. ${sent.toString()}`);
      sent += 1;
      const { messages } = await seat.do('messagesGetHistory', { chatRef, limit: 20 });
      assert.ok(messages.some(({ messageId }) => messageId >= id));
      await move();
    }
  };
  const working = work();
  return {
    moveTo: (url: string): Promise<void> => {
      const moving = new Promise<void>((resolve) => (moved = resolve));
      wanted = url;
      return Promise.race([moving, working]);
    },
    end: async (): Promise<number> => {
      isOver = true;
      await working;
      await seat.raw.leave();
      return sent;
    },
  };
};

onNodes('two nodes of releases with other documents', () => {
  it('are replaced one by one, there and back, and no request is refused', async (t) => {
    const environment = await shared(t);
    const before = [await nodeOf(t, environment, former), await nodeOf(t, environment, former)];
    const [one, other] = before.map(({ url }) => url);
    assert.ok(one !== undefined && other !== undefined);
    const [ada, ben] = [await signUp(one, 'Ada'), await signUp(other, 'Ben')];
    const town = await found(ada, 'Town');
    await join(ada, town, ben);
    const people = [busyBody(ada, town), busyBody(ben, town)];

    let running = before;
    for (const release of [later, former]) {
      const next: TestServer[] = [];
      for (const [index, node] of running.entries()) {
        const replaced = await nodeOf(t, environment, release);
        await people[index]?.moveTo(replaced.url);
        next.push(replaced);
        await node.close();
      }
      running = next;
      const { generation } = await (running[0] ?? assert.fail()).readiness();
      assert.equal(generation, `${setOf(release).name}_1`);
    }
    const sent = await Promise.all(people.map(({ end }) => end()));

    for (const { port } of running) await caughtUp(port);
    for (const { close } of running) await close();
    const generations = generationsAt(environment['OSMIUM_DOCUMENTS'] ?? '');
    assert.deepEqual(
      (await generations.list()).map(({ name }) => name),
      [former, later].map((release) => `${setOf(release).name}_1`).sort(),
    );
    const serving = (await generations.list()).find(({ set }) => set === setOf(former).name);
    assert.ok(serving);
    const documents = generations.documents(serving);
    await documents.open(former.collections);
    const [counted] = await documents.scan({ collection: 'sentInTest_v1', prefix: '', limit: 2 });
    await documents.close();
    assert.deepEqual(counted?.document, { version: 1, sent: sent.reduce((all, own) => all + own) });

    const admin = generationsAdmin({
      ...{ generations, readModels: former, set: setOf(former).name },
    });
    assert.match((await admin.drop(serving.name)) ?? '', /serves, and is not dropped/);
    assert.equal(await admin.drop(`${setOf(later).name}_1`), undefined);
    assert.deepEqual(
      (await generations.list()).map(({ name }) => name),
      [serving.name],
    );
  });

  it('change over to another generation of theirs at one command, back, and let go of it, while people write', async (t) => {
    const environment = await shared(t);
    const nodes = [await nodeOf(t, environment, readModels), await nodeOf(t, environment, readModels)];
    const [one, other] = nodes;
    assert.ok(one !== undefined && other !== undefined);
    const [ada, ben] = [await signUp(one.url, 'Ada'), await signUp(other.url, 'Ben')];
    const town = await found(ada, 'Town');
    await join(ada, town, ben);
    const people = [busyBody(ada, town), busyBody(ben, town)];
    const generations = generationsAt(environment['OSMIUM_DOCUMENTS'] ?? '');
    const [first, second] = [1, 2].map((number) => `${ownSet.name}_${number.toString()}`);
    assert.ok(first !== undefined && second !== undefined && (await generations.begin(ownSet, 2)));
    const serves = async (wanted: string): Promise<void> => {
      for (const node of nodes) while ((await node.readiness()).generation !== wanted) await pause(lookMillis);
    };

    const verified = await on(one.dataDir, 'verify', '--generation', second, '--json').ended;
    assert.deepEqual([verified.code, objectIn(verified.output)['isEqual']], [0, true], verified.errors);
    assert.equal((await on(one.dataDir, 'switch', '--generation', second).ended).output, `${second} serves\n`);
    await serves(second);
    assert.equal((await on(other.dataDir, 'back').ended).output, `${first} serves\n`);
    await serves(first);
    const dropped = await on(one.dataDir, 'drop', '--generation', second).ended;
    assert.deepEqual([dropped.output, dropped.errors], [`${second} is gone\n`, '']);
    const sent = await Promise.all(people.map(({ end }) => end()));
    assert.ok(sent.every((count) => count > 0));
    assert.deepEqual(
      (await generations.list()).map(({ name }) => name),
      [first],
    );
  });
});
