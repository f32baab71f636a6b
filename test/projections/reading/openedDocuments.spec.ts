import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import type { Event } from '../../../src/kernel/event.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { opened, shredded } from '../../../src/kernel/opened.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { SealBroken } from '../../../src/kernel/ports/sealer.js';
import { openDocuments } from '../../../src/projections/reading/openDocuments.js';
import { keyLoadsMax, keysAtOnceMax, openedDocuments } from '../../../src/projections/reading/openedDocuments.js';
import { streamsOfDocument } from '../../../src/projections/registry.js';
import { userDocuments } from '../../../src/projections/users/fold.js';
import { usersById } from '../../../src/projections/users/queries.js';
import { collectionOf } from '../../../src/kernel/document.js';
import { openStore, setting, type Setting } from '../setting.js';

const users = [1n as UserId, 2n as UserId, 3n as UserId];
const registered = (user: bigint): Event => ({
  type: 'UserRegistered',
  data: { user, bot: false, name: `user ${user.toString()}` },
});

describe('documents that are read', () => {
  let here: Setting;
  let store: DocumentStore;
  beforeEach(async () => {
    here = setting();
    store = await openStore();
    for (const user of users) await here.happened(`user-${user.toString()}`, registered(user));
    const running = await here.start({ store });
    await running.reached(await here.log.end());
    await running.close();
  });

  const namesIn = async (reads = here.reading(store)): Promise<readonly unknown[]> =>
    (await usersById(reads, users)).map(({ name }) => opened(name));

  it('are open, after the keys that are missing were fetched at once', async () => {
    here.sealer.forget();
    const loadKeys = mock.method(here.sealer, 'loadKeys');
    assert.deepEqual(await namesIn(), ['user 1', 'user 2', 'user 3']);
    assert.equal(loadKeys.mock.callCount(), 1);
    await namesIn();
    assert.equal(loadKeys.mock.callCount(), 1);
  });

  it('show as shredded what a destroyed key sealed, though it was open before, and that alone', async () => {
    await namesIn();
    here.sealer.shred('2');
    assert.deepEqual(await namesIn(), ['user 1', shredded, 'user 3']);
  });

  it('are those of the store at hand once what is kept was cleared, also what a read keeps that began before', () => {
    const hot = openDocuments(() => 0);
    const before = hot.forRead();
    const place = { collection: 'users_v1', key: '1', position: 1n };
    before.keep(place, 'of the former generation', 1);
    assert.equal(hot.forRead().of(place), 'of the former generation');
    hot.clear();
    assert.equal(hot.forRead().of(place), undefined);
    before.keep(place, 'of the former generation', 1);
    assert.equal(hot.forRead().of(place), undefined);
  });

  it('show as shredded what is damaged, and tell of it once', async () => {
    const broken: SealBroken[] = [];
    const codec = {
      open: () => {
        throw new SealBroken('its place');
      },
      openUntil: () => shredded,
    };
    const { get } = openedDocuments({
      hot: openDocuments(() => 0),
      codec,
      sealer: here.sealer,
      uptime: { now: () => 0 },
      streamsOf: streamsOfDocument,
      onBroken: (error) => broken.push(error),
    })(store);
    for (let times = 0; times < 2; times += 1) {
      const { document } = await get(collectionOf(userDocuments), '1');
      assert.deepEqual(document, { id: 1n, bot: false, name: shredded });
    }
    assert.equal(broken.length, 1);
  });

  it('are not waited for without end when keys are forgotten as fast as they come', async () => {
    const loadKeys = mock.fn(() => Promise.resolve());
    here.sealer.forget();
    const reads = openedDocuments({
      hot: openDocuments(() => 0),
      codec: here.codec,
      sealer: { ...here.sealer, loadKeys },
      uptime: { now: () => 0 },
      streamsOf: streamsOfDocument,
      onBroken: assert.fail,
    })(store);
    await assert.rejects(namesIn({ store: reads }), /keys stay missing/);
    assert.equal(loadKeys.mock.callCount(), keyLoadsMax);
  });

  it('let others have the thread while many are opened', async () => {
    let now = 0;
    let turns = 0;
    const reads = openedDocuments({
      hot: openDocuments(() => 0),
      codec: here.codec,
      sealer: here.sealer,
      uptime: { now: () => (now += 3) },
      streamsOf: streamsOfDocument,
      onBroken: assert.fail,
    })(store);
    setImmediate(() => (turns += 1));
    await namesIn({ store: reads });
    assert.equal(turns, 1);
  });

  it('let others have the thread while nothing is opened but much is read', async () => {
    let now = 0;
    let turns = 0;
    const reads = openedDocuments({
      hot: openDocuments(() => 0),
      codec: here.codec,
      sealer: here.sealer,
      uptime: { now: () => (now += 3) },
      streamsOf: streamsOfDocument,
      onBroken: assert.fail,
    })(store);
    setImmediate(() => (turns += 1));
    await reads.unopened.getMany(collectionOf(userDocuments), users.map(String));
    assert.equal(turns, 1);
  });

  it('open though their keys are not in memory all at once', async () => {
    const many = Array.from({ length: 3 * keysAtOnceMax }, (_, index) => BigInt(100 + index) as UserId);
    for (const user of many) await here.happened(`user-${user.toString()}`, registered(user));
    const running = await here.start({ store });
    await running.reached(await here.log.end());
    await running.close();
    const { sealer } = here;
    sealer.forget();
    const reads = openedDocuments({
      hot: openDocuments(() => 0),
      codec: here.codec,
      sealer: {
        ...sealer,
        loadKeys: (names) => {
          sealer.forget();
          return sealer.loadKeys(names);
        },
      },
      uptime: { now: () => 0 },
      streamsOf: streamsOfDocument,
      onBroken: assert.fail,
    })(store);
    const found = await usersById({ store: reads }, many);
    assert.deepEqual(
      found.map(({ name }) => opened(name)),
      many.map((user) => `user ${user.toString()}`),
    );
  });

  it('may be asked for unopened: then without what is personal, and without keys', async () => {
    here.sealer.forget();
    const loadKeys = mock.method(here.sealer, 'loadKeys');
    const { document } = await here.reading(store).store.unopened.get(collectionOf(userDocuments), '1');
    assert.deepEqual(document, { id: 1n, bot: false });
    assert.equal(loadKeys.mock.callCount(), 0);
  });
});
