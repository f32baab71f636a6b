import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  rememberedBytesMax,
  rememberedMillisMax,
  rememberedStatuses,
  rememberedUsersMax,
  type Statuses,
} from '../../../src/gateway/presence/statuses.js';
import { heldBytes } from '../../../src/kernel/heldBytes.js';
import { UserStatusStatus, type UserStatusActivityInit } from '../../../src/gen/types.js';
import type { UserId } from '../../../src/kernel/ids.js';

const ada = 1n as UserId;
const online = { status: UserStatusStatus.ONLINE };

describe('a remembered status', () => {
  const setting = () => {
    const clock = { at: 0, now: () => clock.at };
    const asked: UserId[] = [];
    const presence: { fails: boolean; activities?: UserStatusActivityInit[] } = { fails: false };
    const statuses: Statuses = rememberedStatuses(([user = ada]) => {
      asked.push(user);
      return presence.fails
        ? Promise.reject(new Error('presence is away'))
        : Promise.resolve([
            presence.activities === undefined ? online : { ...online, activities: presence.activities },
          ]);
    }, clock);
    return { clock, asked, presence, ...statuses };
  };

  it('is asked for once', async () => {
    const { of, asked } = setting();
    assert.deepEqual([await of(ada), await of(ada)], [online, online]);
    assert.deepEqual(asked, [ada]);
  });

  it('is asked for again when it has changed, also while it was asked for', async () => {
    const { of, changed, asked } = setting();
    const first = of(ada);
    changed(ada);
    await Promise.all([first, of(ada)]);
    assert.deepEqual(asked, [ada, ada]);
  });

  it('is asked for again after its time', async () => {
    const { of, clock, asked } = setting();
    await of(ada);
    clock.at += rememberedMillisMax;
    await of(ada);
    assert.equal(asked.length, 1);
    clock.at += 1;
    await of(ada);
    assert.equal(asked.length, 2);
  });

  it('is asked for again when that failed', async () => {
    const { of, presence, asked } = setting();
    presence.fails = true;
    await assert.rejects(async () => of(ada));
    presence.fails = false;
    assert.deepEqual(await of(ada), online);
    assert.equal(asked.length, 2);
  });

  it('gives way when what is remembered takes too much memory, long before there are too many', async () => {
    const { of, asked, presence } = setting();
    presence.activities = Array.from({ length: 5 }, () => ({ title: 'x'.repeat(256), state: 'x'.repeat(256) }));
    const shown = heldBytes({ ...online, activities: presence.activities });
    const remembered = Math.floor(rememberedBytesMax / shown);
    assert.ok(remembered < rememberedUsersMax / 4);
    for (let user = 1n; user <= remembered + 1; user += 1n) await of(user as UserId);
    await of(2n as UserId);
    assert.equal(asked.length, remembered + 1);
    await of(ada);
    assert.equal(asked.length, remembered + 2);
  });

  it('gives way when there are too many', async () => {
    const { of, asked } = setting();
    for (let user = ada; user <= rememberedUsersMax; user = (user + 1n) as UserId) await of(user);
    await of(ada);
    assert.equal(asked.length, rememberedUsersMax);
    await of(0n as UserId);
    // The one who was asked for last stays.
    await of(ada);
    assert.equal(asked.length, rememberedUsersMax + 1);
    await of((ada + 1n) as UserId);
    assert.equal(asked.length, rememberedUsersMax + 2);
  });
});
