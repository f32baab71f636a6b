import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionDevice } from '../../../src/domain/accounts/commands.js';
import { deviceChanges, devicePauseMillis, devicesWaitingMax } from '../../../src/gateway/access/deviceChanges.js';
import type { Execute } from '../../../src/kernel/execute.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import { handTimers } from '../../support/handTimers.js';

const caller = (session: number) => ({ user: 1n as UserId, session: BigInt(session) as SessionId });
const device = (deviceType: string): SessionDevice => ({ clientId: 1, deviceType, deviceVersion: '', appVersion: '' });

/** With a clock that a test sets. */
const setting = () => {
  const { later, ...timers } = handTimers();
  const timed: number[] = [];
  const written: string[] = [];
  const failures: unknown[] = [];
  const log = { isAway: false };
  const execute: Execute = async (_, command) => {
    if (log.isAway) throw new Error('the log is away');
    assert.ok(typeof command !== 'function');
    const { data } = command;
    const { session, device: named } = data as { readonly session: bigint; readonly device: SessionDevice }; // ChangeDevice.
    written.push(`${session.toString()} ${named.deviceType}`);
    return Promise.resolve({ events: [], position: 0n });
  };
  const changes = deviceChanges({
    execute,
    ids: { commandId: () => 'command' },
    timers: {
      ...timers,
      later: (millis, work) => {
        timed.push(millis);
        return later(millis, work);
      },
    },
    failed: (error) => failures.push(error),
  });
  const pass = async (millis: number): Promise<void> => {
    timers.pass(millis);
    await new Promise(setImmediate);
  };
  return { changes, written, failures, log, timed, pass };
};

describe('the devices that a session names', () => {
  it('become one event when the minute is over, of the newest', async () => {
    const { changes, written, pass } = setting();
    for (let number = 1; number <= 400; number += 1) changes.named(caller(7), device(number.toString()));
    assert.equal(changes.waiting(caller(7).session)?.deviceType, '400');
    await pass(devicePauseMillis - 1);
    assert.deepEqual(written, []);
    await pass(1);
    assert.deepEqual([written, changes.waiting(caller(7).session)], [['7 400'], undefined]);
  });

  it('are written once a minute however many there are, and each session by itself', async () => {
    const { changes, written, pass } = setting();
    for (let second = 0; second < 180; second += 1) {
      for (const session of [7, 8]) changes.named(caller(session), device(second.toString()));
      await pass(1_000);
    }
    assert.deepEqual(written, ['7 59', '8 59', '7 119', '8 119', '7 179', '8 179']);
  });

  it('take one timer, however many wait', async () => {
    const { changes, written, timed, pass } = setting();
    for (let session = 1; session <= 100; session += 1) changes.named(caller(session), device('phone'));
    await pass(devicePauseMillis);
    assert.deepEqual([written.length, timed], [100, [devicePauseMillis]]);
  });

  it('wait for no more sessions than there are places', async () => {
    const { changes, written, pass } = setting();
    for (let session = 0; session <= devicesWaitingMax; session += 1) changes.named(caller(session), device('phone'));
    await pass(0);
    assert.deepEqual(written, ['0 phone']);
  });

  it('may be lost with the log away, which is said', async () => {
    const { changes, written, failures, log, pass } = setting();
    log.isAway = true;
    changes.named(caller(7), device('phone'));
    await pass(devicePauseMillis);
    assert.deepEqual([written.length, failures.length], [0, 1]);
  });
});
