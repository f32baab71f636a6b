import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  againMillis,
  recipientsPerTickMax,
  statusMillisMin,
  statusUpdates,
  tickMillis,
  triesMax,
} from '../../../src/gateway/presence/statusUpdates.js';
import { UserStatusStatus } from '../../../src/gen/types.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { passingTime } from './passingTime.js';
import { settled } from './presenceStage.js';

const [ada, bob] = [1n as UserId, 2n as UserId];
const people = (count: number): Set<UserId> =>
  new Set(Array.from({ length: count }, (_, index) => BigInt(1_000 + index) as UserId));

const staged = (t: TestContext, audience: ReadonlySet<UserId>, stranger?: UserId) => {
  const time = passingTime();
  const shown = { status: UserStatusStatus.ONLINE as UserStatusStatus };
  const failures: unknown[] = [];
  const asked: UserId[] = [];
  const told: { readonly user: UserId; readonly status: unknown; readonly recipient: UserId }[] = [];
  const updates = statusUpdates({
    schedule: time.later,
    access: {
      statusAudience: (user) => {
        asked.push(user);
        return user === stranger ? Promise.reject(new Error('away')) : Promise.resolve(new Set(audience));
      },
    },
    statusOf: (users) =>
      failures.length > 0 ? Promise.reject(new Error('away')) : Promise.resolve(users.map(() => ({ ...shown }))),
    deliver: (deliveries) => {
      for (const { update, audience: recipients } of deliveries) {
        assert.ok('userStatus' in update);
        const { userId, status } = update.userStatus;
        for (const recipient of recipients) {
          told.push({ user: userId ?? (0n as UserId), status: status?.status, recipient });
        }
      }
      return 0;
    },
    failed: (error) => void failures.push(error),
  });
  t.after(() => {
    updates.close();
  });
  const tick = async () => {
    time.pass(tickMillis);
    await settled();
    return told.splice(0);
  };
  const now = async () => {
    await settled();
    return told.splice(0);
  };
  return { ...updates, time, shown, failures, asked, tick, now };
};

describe('the updates of statuses', () => {
  it('go to a thousand recipients in a tick at most, and leave nobody out', async (t) => {
    const audience = people(2 * recipientsPerTickMax + 5);
    const { changed, now, tick } = staged(t, audience);
    changed(ada);
    changed(bob);
    const ticks = [await now(), await tick(), await tick(), await tick(), await tick(), await tick()];
    assert.deepEqual(
      ticks.map((told) => told.length),
      [1_000, 1_000, 1_000, 1_000, 10, 0],
    );
    for (const user of [ada, bob]) {
      const recipients = ticks.flat().flatMap((one) => (one.user === user ? [one.recipient] : []));
      assert.deepEqual(new Set(recipients), audience);
      assert.equal(recipients.length, audience.size);
    }
  });

  it('tell what is newer in the place of what still waits, those first who were told nothing', async (t) => {
    const audience = people(recipientsPerTickMax + 1);
    const { changed, now, tick, shown, time } = staged(t, audience);
    changed(ada);
    const first = new Set((await now()).map(({ recipient }) => recipient));
    shown.status = UserStatusStatus.IDLE;
    changed(ada);
    time.pass(statusMillisMin);
    const [second, third] = [await now(), await tick()];
    assert.equal(first.has(second[0]?.recipient ?? ada), false);
    assert.deepEqual([second.length, third.length], [recipientsPerTickMax, 1]);
    const rest = [...second, ...third];
    assert.deepEqual(
      [new Set(rest.map(({ recipient }) => recipient)), new Set(rest.map(({ status }) => status))],
      [audience, new Set([UserStatusStatus.IDLE])],
    );
  });

  it('leave out those who have lost the right while they waited', async (t) => {
    const audience = people(recipientsPerTickMax + 2);
    const { changed, now, tick } = staged(t, audience);
    changed(ada);
    const told = new Set((await now()).map(({ recipient }) => recipient));
    const [leaver, stayer] = [...audience].filter((one) => !told.has(one));
    if (leaver !== undefined) audience.delete(leaver);
    assert.deepEqual(
      (await tick()).map(({ recipient }) => recipient),
      [stayer],
    );
  });

  it('tell of a user at most once in two seconds', async (t) => {
    const { changed, now, time } = staged(t, people(1));
    for (let change = 0; change < 100; change += 1) {
      changed(ada);
      time.pass(20);
      await settled();
    }
    time.pass(10 * statusMillisMin);
    assert.equal((await now()).length, 2);
  });

  it('ask who may know in the ticks alone in which somebody can be told', async (t) => {
    const { changed, now, asked } = staged(t, people(recipientsPerTickMax + 1));
    for (let user = 1n; user <= 30n; user += 1n) changed(user as UserId);
    await now();
    assert.equal(asked.length, 1);
  });

  it('of others are sent where somebody’s recipients cannot be found', async (t) => {
    const { changed, now, tick, failures } = staged(t, people(recipientsPerTickMax + 1), ada);
    changed(bob);
    changed(ada);
    const told = [...(await now()), ...(await tick())];
    assert.deepEqual([told.length, failures.length], [recipientsPerTickMax + 1, 1]);
  });

  it('that could not be sent are sent again, and given up after some tries', async (t) => {
    const { changed, time, failures, asked, now } = staged(t, people(1), ada);
    changed(ada);
    assert.deepEqual(await now(), []);
    for (let tries = 1; tries <= 2 * triesMax; tries += 1) {
      failures.splice(0);
      time.pass(againMillis);
      assert.deepEqual(await now(), []);
    }
    assert.equal(asked.filter((user) => user === ada).length, triesMax);
  });
  it('that could not be had are sent as they are by then', async (t) => {
    const { changed, time, shown, failures, now } = staged(t, people(1));
    failures.push(new Error('away'));
    changed(ada);
    assert.deepEqual(await now(), []);
    shown.status = UserStatusStatus.IDLE;
    failures.splice(0);
    time.pass(againMillis);
    assert.deepEqual(
      (await now()).map(({ user, status }) => [user, status]),
      [[ada, UserStatusStatus.IDLE]],
    );
  });
  it('go on after statuses could not be had', async (t) => {
    const { changed, now, time, failures } = staged(t, people(1));
    failures.push('it was away before');
    changed(ada);
    assert.equal((await now()).length, 0);
    failures.length = 0;
    changed(ada);
    time.pass(statusMillisMin);
    assert.equal((await now()).length, 1);
  });
});
