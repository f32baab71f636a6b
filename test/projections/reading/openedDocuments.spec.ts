import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import type { Event } from '../../../src/kernel/event.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { opened, shredded } from '../../../src/kernel/opened.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { SealBroken } from '../../../src/kernel/ports/sealer.js';
import { openDocuments } from '../../../src/projections/reading/openDocuments.js';
import {
  keyLoadsMax,
  keysAtOnceMax,
  openedDocuments,
  openingMillisMax,
} from '../../../src/projections/reading/openedDocuments.js';
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

  /** Users with names of 20,000 characters, read by those who have no pace of their own. */
  const longNamed = async (uptime: { now: () => number }, count = 3) => {
    const many = Array.from({ length: count }, (_, index) => BigInt(11 + index));
    for (const user of many) {
      const data = { user, bot: false, name: 'x'.repeat(20_000) };
      await here.happened(`user-${user.toString()}`, { type: 'UserRegistered', data });
    }
    const running = await here.start({ store });
    await running.reached(await here.log.end());
    await running.close();
    const reads = openedDocuments({
      hot: openDocuments(() => 0),
      codec: here.codec,
      sealer: here.sealer,
      uptime,
      streamsOf: streamsOfDocument,
      onBroken: assert.fail,
    })(store);
    return { reads, keys: many.map(String), collection: collectionOf(userDocuments) };
  };

  it('let others have the thread while much is opened, and share their time among all who read', async () => {
    let now = 0;
    const { reads, keys, collection } = await longNamed({ now: () => now }, 12);
    const { open } = here.codec;
    mock.method(here.codec, 'open', (value: Parameters<typeof open>[0]) => {
      now += 1;
      return open(value);
    });
    const readers = [1, 2, 3, 4];
    const rounds: number[] = [];
    let last = 0;
    const round = (): void => {
      rounds.push(now - last);
      last = now;
      if (now < readers.length * keys.length) setImmediate(round);
    };
    setImmediate(round);
    await Promise.all(readers.map(() => reads.getMany(collection, keys)));
    assert.ok(Math.max(...rounds) <= openingMillisMax + readers.length, rounds.join());
  });

  it('let others have the thread while nothing is opened but much is read', async () => {
    let now = 0;
    let turns = 0;
    const { reads, keys, collection } = await longNamed({ now: () => (now += 3) });
    setImmediate(() => (turns += 1));
    await reads.unopened.getMany(collection, keys);
    assert.equal(turns, 1);
  });

  it('are opened one by one at the pace of who reads, who has a turn before each that is long', async () => {
    const { reads, keys, collection } = await longNamed({ now: () => 0 });
    const open = mock.method(here.codec, 'open');
    const opens: number[] = [];
    const taken: number[] = [];
    const pace = {
      turn: (bytes: number) => {
        opens.push(open.mock.callCount());
        taken.push(bytes);
        return Promise.resolve();
      },
      spend: () => undefined,
    };
    const found = await reads.paced(pace).getMany(collection, keys);
    assert.equal(found.length, 3);
    assert.deepEqual(opens, [0, 0, 0, 0, 1, 2]);
    assert.ok(Math.min(...taken) >= 20_000, taken.join());
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
