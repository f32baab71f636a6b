import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, mock } from 'node:test';
import { selfChat } from '../../../src/kernel/chat.js';
import { collectionOf, forRunner, type Projection } from '../../../src/kernel/document.js';
import type { Event } from '../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { partIn } from '../../../src/kernel/parts.js';
import {
  batchEventsMax,
  DamagedRecord,
  eventsPerAppendMax,
  type EventLog,
  type NewEvent,
} from '../../../src/kernel/ports/eventLog.js';
import { checkpointOf } from '../../../src/projections/progress/checkpoints.js';
import { digestOf } from '../../support/digest.js';
import { messageDocuments } from '../../../src/projections/messages/fold.js';
import { messagesAfter } from '../../../src/projections/messages/queries.js';
import { projectionNamed, projections as all } from '../../../src/projections/registry.js';
import { DocumentsAheadOfLog } from '../../../src/projections/runner/runner.js';
import { user } from '../../../src/projections/users/queries.js';
import { userDocuments } from '../../../src/projections/users/fold.js';
import { ProjectionsClosed, ProjectionStopped } from '../../../src/projections/progress/waiters.js';
import { now, openStore, setting } from '../setting.js';

const ada = 1n as UserId;
const bob = 2n as UserId;
const chat = selfChat(ada);

const registered = (id: UserId, name = 'Ada'): Event => ({
  type: 'UserRegistered',
  data: { user: id, bot: false, name },
});
const renamed = (id: UserId, name: string): Event => ({ type: 'NameChanged', data: { user: id, name } });
const sent = (message: bigint): Event => ({
  type: 'MessageSent',
  data: { message: message as MessageId, chat, author: ada, mentions: [], text: 'hello', entities: [] },
});
const claimed: Event = {
  type: 'NameClaimed',
  data: { kind: 'username', key: 'k', holder: ada, at: now },
};

/** Of a type that none of ours folds. */
const record = (metadata: object = {}): NewEvent => ({
  id: randomUUID(),
  type: 'later.NotYetKnown.v1',
  data: Buffer.from('{}'),
  metadata: Buffer.from(JSON.stringify(metadata)),
});

/** Gates: `open` lets those through who wait at `pass`. */
const gate = (): { readonly pass: Promise<void>; readonly open: () => void } => {
  let open: () => void = () => undefined;
  const pass = new Promise<void>((resolve) => (open = resolve));
  return { pass, open };
};

describe('projections', () => {
  it('bring what happened before and after the start into documents', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    await happened('user-1', registered(ada));
    const projections = await start({ store });
    await projections.reached(await happened('user-2', registered(bob, 'Bob')));
    assert.deepEqual(
      [(await user(reading(store), ada))?.name, (await user(reading(store), bob))?.name],
      ['Ada', 'Bob'],
    );
    await projections.close();
  });

  it('answer at once when they are there', async () => {
    const { happened, start } = setting();
    const projections = await start();
    const position = await happened('user-1', registered(ada));
    await projections.reached(position);
    assert.equal(projections.reached(position), undefined);
    assert.equal(projections.position(), position);
    await projections.close();
  });

  it('store all parts of a request at once, also where a batch would end among them', async () => {
    const { log, start } = setting();
    const [inner, ends]: [Set<bigint>, bigint[]] = [new Set(), []];
    for (let round = 1; round <= 3; round += 1) {
      for (let event = 0; event < batchEventsMax - 1; event += 1) await log.append('alone', [record()], 'any');
      const parts = Array.from({ length: eventsPerAppendMax }, (_, index) => partIn(index + 1, eventsPerAppendMax));
      const appends = parts.map((part) => ({ stream: randomUUID(), events: [record(part)], expected: 'any' as const }));
      const positions = (await log.appendAll(appends)).map(({ position }) => position);
      ends.push(positions.pop() ?? 0n);
      for (const position of positions) inner.add(position);
    }
    const store = await openStore();
    const stored: bigint[] = [];
    const watched: DocumentStore = {
      ...store,
      commit: (writes, checkpoints) => {
        stored.push(...checkpoints.map(({ position }) => position));
        return store.commit(writes, checkpoints);
      },
    };
    const projections = await start({ store: watched });
    for (const end of ends) await projections.reached(end);
    assert.ok(stored.length > 0);
    assert.deepEqual(
      stored.filter((position) => inner.has(position)),
      [],
    );
    await projections.close();
  });

  it('move past events that concern nobody', async () => {
    const { happened, written, start } = setting();
    const store = await openStore();
    const projections = await start({ store });
    await happened('username-1', claimed);
    const position = await written('later-1', 'later.NotYetKnown.v1', 'not even JSON');
    await projections.reached(position);
    assert.equal(await store.checkpoint(checkpointOf(projectionNamed('users'))), position);
    await projections.close();
  });

  it('go on where they stopped', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    const first = await start({ store });
    await first.reached(await happened('user-1', registered(ada)));
    await first.close();
    const position = await happened('user-1', renamed(ada, 'Countess'));
    const second = await start({ store });
    await second.reached(position);
    assert.equal((await user(reading(store), ada))?.name, 'Countess');
    await second.close();
  });

  it('fold what follows on a document while that is being stored', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    const { pass, open } = gate();
    const commits: number[] = [];
    const slow: DocumentStore = {
      ...store,
      commit: async (writes, checkpoints) => {
        commits.push(writes.length);
        await pass;
        return store.commit(writes, checkpoints);
      },
    };
    const projections = await start({ store: slow, projections: [projectionNamed('users')] });
    const first = projections.reached(await happened('user-1', registered(ada)));
    await happened('user-1', renamed(ada, 'Countess'));
    const position = await happened('user-1', renamed(ada, 'Lovelace'));
    assert.deepEqual(commits, [1]);
    open();
    await first;
    await projections.reached(position);
    assert.deepEqual(commits, [1, 1]);
    assert.equal((await user(reading(store), ada))?.name, 'Lovelace');
    await projections.close();
  });

  it('count each message once when a commit fails after it was stored', async () => {
    const { happened, start, troubles, reading } = setting();
    const store = await openStore();
    let failures = 2;
    const flaky: DocumentStore = {
      ...store,
      commit: async (writes, checkpoints) => {
        if (failures-- > 1) throw new Error('not reachable');
        await store.commit(writes, checkpoints);
        if (failures === 0) throw new Error('connection lost before the answer');
      },
    };
    const projections = await start({ store: flaky });
    await projections.reached(await happened('message-10', sent(10n)));
    await projections.reached(await happened('message-11', sent(11n)));
    assert.equal(await messagesAfter(reading(store), chat, 0n), 2);
    assert.deepEqual(
      troubles.map(({ doing, failures: count }) => [doing, count]),
      [
        ['storing documents', 1],
        ['storing documents', 2],
      ],
    );
    await projections.close();
  });

  it('count each message once when the checkpoint is lost', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    const forgetful: DocumentStore = { ...store, checkpoint: () => Promise.resolve(0n) };
    const first = await start({ store });
    const position = await happened('message-10', sent(10n), sent(11n), sent(12n));
    await first.reached(position);
    await first.close();
    const before = await digestOf(store);
    const second = await start({ store: forgetful });
    await second.reached(position);
    assert.equal(await messagesAfter(reading(store), chat, 0n), 3);
    assert.equal(await digestOf(store), before);
    await second.close();
  });

  it('go on after a crash in the middle of a commit that is not atomic', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    const position = await happened('message-10', sent(10n), sent(11n), sent(12n), renamed(ada, 'x'));
    const halfway: DocumentStore = {
      ...store,
      commit: async (writes) => {
        await store.commit(writes.slice(0, 2), []);
        throw new Error('killed');
      },
    };
    const { pass, open } = gate();
    const first = await start({ store: halfway, onTrouble: open });
    await pass;
    await first.close();
    const second = await start({ store });
    await second.reached(position);
    assert.equal(await messagesAfter(reading(store), chat, 0n), 3);
    await second.close();
  });

  it('give the same documents when they are deleted and made again', async () => {
    const { happened, start } = setting();
    const live = await openStore();
    const projections = await start({ store: live });
    for (let id = 10n; id < 60n; id += 1n) await happened(`message-${id.toString()}`, sent(id));
    const position = await happened('user-1', registered(ada), renamed(ada, 'Countess'));
    await projections.reached(position);
    await projections.close();
    const rebuilt = await openStore();
    const again = await start({ store: rebuilt });
    await again.reached(position);
    assert.equal(await digestOf(rebuilt), await digestOf(live));
    assert.notEqual(await digestOf(rebuilt), await digestOf(await openStore()));
    await again.close();
  });

  it('are made without any key, and opened by those who read them', async () => {
    const { happened, start, sealer, reading } = setting();
    const store = await openStore();
    const position = await happened('user-1', registered(ada));
    sealer.forget();
    const loadKeys = mock.method(sealer, 'loadKeys');
    const projections = await start({ store });
    await projections.reached(position);
    assert.equal(loadKeys.mock.callCount(), 0);
    assert.equal((await user(reading(store), ada))?.name, 'Ada');
    assert.equal(loadKeys.mock.callCount(), 1);
    await projections.close();
  });

  it('try again when the store or the log fail', async () => {
    const { happened, start, log, troubles } = setting();
    const store = await openStore();
    // Its counts are documents of many streams, which are read before they are folded.
    const position = await happened('message-10', sent(10n));
    /** Fails the first time. */
    const shaky = (): (() => void) => {
      let failed = false;
      return () => {
        if (failed) return;
        failed = true;
        throw new Error('not reachable');
      };
    };
    const [shakyStore, shakyLog] = [shaky(), shaky()];
    const projections = await start({
      store: { ...store, getMany: async (name, keys) => (shakyStore(), store.getMany(name, keys)) },
      log: { ...log, subscribe: (after) => (shakyLog(), log.subscribe(after)) },
    });
    await projections.reached(position);
    assert.deepEqual(
      troubles.map(({ doing }) => doing),
      ['reading the log', 'reading documents'],
    );
    await projections.close();
  });

  it('refuse to start ahead of the log', async () => {
    const { start } = setting();
    const store = await openStore();
    await store.commit([], [{ projection: checkpointOf(projectionNamed('users')), position: 5n }]);
    await assert.rejects(start({ store }), DocumentsAheadOfLog);
  });

  it('reject those who wait when they are closed', async () => {
    const { start } = setting();
    const projections = await start();
    const waits = assert.rejects(projections.reached(1_000n) ?? Promise.resolve(), ProjectionsClosed);
    await projections.close();
    await waits;
  });

  it('reject those who wait when the log is closed', async () => {
    const { happened, start, log } = setting();
    const projections = await start();
    const position = await happened('user-1', registered(ada));
    await projections.reached(position);
    const later = assert.rejects(projections.reached(position + 1n) ?? Promise.resolve(), ProjectionsClosed);
    await log.close();
    await later;
    assert.equal(projections.reached(position), undefined);
    await projections.close();
  });

  it('say how far they are', async () => {
    const { happened, start } = setting();
    const projections = await start();
    const position = await happened('user-1', registered(ada));
    await projections.reached(position);
    const statuses = await projections.status();
    assert.deepEqual(statuses[0], { name: 'accounts', position, lagMillis: 0 });
    assert.equal(statuses.length, all.length);
    await projections.close();
  });
});

describe('a projection', () => {
  const onlyAt = (bad: UserId): Projection => {
    const { evolve } = userDocuments;
    const registering: typeof evolve = {
      ...evolve,
      UserRegistered: (document, event, key) => {
        if (event.data.user === bad) throw new TypeError('cannot fold this');
        return evolve.UserRegistered(document, event, key);
      },
    };
    return { name: 'users', documents: [forRunner({ ...userDocuments, evolve: registering })] };
  };

  it('stops right before an event that it cannot fold, and the others go on', async () => {
    const { happened, start, alarms, reading } = setting();
    const store = await openStore();
    const good = await happened('user-1', registered(ada));
    const bad = await happened('user-2', registered(bob));
    const last = await happened('message-10', sent(10n));
    const projections = await start({ store, projections: [onlyAt(bob), projectionNamed('messages')] });
    await projections.reached(last, ['messages']);
    assert.equal(await messagesAfter(reading(store), chat, 0n), 1);
    assert.deepEqual(
      alarms.map(({ projection, position }) => ({ projection, position })),
      [{ projection: 'users', position: bad }],
    );
    const [users, messages] = await projections.status();
    assert.deepEqual([users?.position, messages?.position], [good, last]);
    assert.ok(users?.stopped instanceof TypeError);
    assert.equal(messages?.stopped, undefined);
    assert.equal(projections.position(), last);
    await projections.close();
  });

  it('that has stopped is not waited for in vain', async () => {
    const { happened, start } = setting();
    const projections = await start({ projections: [onlyAt(bob)] });
    const good = await happened('user-1', registered(ada));
    await projections.reached(good);
    const later = projections.reached(await happened('user-2', registered(bob)));
    await assert.rejects(later ?? Promise.resolve(), ProjectionStopped);
    assert.equal(projections.reached(good), undefined);
    await projections.close();
  });

  it('stops at a record that is no event of ours', async () => {
    const { happened, written, start, alarms } = setting();
    const store = await openStore();
    const bad = await written('user-1', 'users.NameChanged.v1', '{"user":[]}');
    const last = await happened('message-10', sent(10n));
    const projections = await start({ store });
    await projections.reached(last, ['messages', 'conversations']);
    assert.deepEqual(
      alarms.map(({ projection, position }) => ({ projection, position })),
      ['users', 'states'].map((projection) => ({ projection, position: bad })),
    );
    await projections.close();
  });

  it('takes the event that stopped it once that can be folded', async () => {
    const { happened, start, reading } = setting();
    const store = await openStore();
    await happened('user-1', registered(ada));
    const position = await happened('user-2', registered(bob));
    const broken = await start({ store, projections: [onlyAt(bob)] });
    await assert.rejects(broken.reached(position) ?? Promise.resolve(), ProjectionStopped);
    await broken.close();
    const mended = await start({ store });
    await mended.reached(position);
    assert.ok(await user(reading(store), bob));
    await mended.close();
  });

  it('of which one document cannot be folded changes none of them', async () => {
    const { happened, start } = setting();
    const store = await openStore();
    const [messages, counts] = projectionNamed('messages').documents;
    assert.ok(messages !== undefined && counts !== undefined);
    const failing = {
      ...counts,
      fold: () => {
        throw new TypeError('cannot fold this');
      },
    };
    const projections = await start({ store, projections: [{ name: 'messages', documents: [messages, failing] }] });
    await assert.rejects(projections.reached(await happened('message-10', sent(10n))) ?? Promise.resolve());
    await projections.close();
    assert.equal((await store.get(collectionOf(messageDocuments), '10')).document, undefined);
  });

  it('stops with all others at a damaged record', async () => {
    const { happened, start, log, alarms } = setting();
    const good = await happened('user-1', registered(ada));
    const damaged: EventLog = {
      ...log,
      subscribe: (after) => ({
        async *[Symbol.asyncIterator]() {
          yield await log.readAll({ from: after, limit: 1 });
          throw new DamagedRecord(2n);
        },
        close: () => undefined,
      }),
    };
    const projections = await start({ log: damaged });
    await assert.rejects(projections.reached(2n) ?? Promise.resolve(), ProjectionStopped);
    assert.equal(alarms.length, all.length);
    await projections.close();
    assert.equal(projections.position(), good);
  });
});
