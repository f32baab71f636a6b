import { systemTimers } from '../../../src/adapters/system/timers.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalsMax, type AskedName } from '../../../src/gateway/requests/accounts.js';
import { admission, noAdmission } from '../../../src/gateway/requests/admission.js';
import { writeBounds } from '../../../src/gateway/requests/writeBounds.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';

const day = 86_400_000;
const ada = { address: '', session: { caller: { user: 1n as UserId, session: 11n as SessionId } }, account: undefined };
const stranger = { address: '', session: undefined, account: undefined };

/** Bounds by a clock and a disk of the test, as they are without rate limits and with them. */
const bounds = (writtenBytesPerUserMax = 86_400) => {
  const state = { at: 0, isFull: false };
  const reached: string[] = [];
  const timers = { ...systemTimers, now: () => state.at };
  const writes = writeBounds({
    timers,
    disk: { isFull: () => state.isFull },
    writtenBytesPerUserMax,
    reached: (bound) => reached.push(bound),
  });
  const limited: string[] = [];
  const made = {
    off: noAdmission(writes),
    on: admission({
      timers,
      shared: { take: () => ({ allowed: true }) },
      limited: ({ limit }) => limited.push(limit),
      writes,
    }),
  };
  const answers = (name: AskedName, asker: typeof ada | typeof stranger = ada) =>
    Object.values(made).map(({ admit }) => {
      const verdict = admit({ ...asker }, { name, bytes: 40 });
      if (verdict instanceof Promise || verdict.kind === 'busy') throw new Error('it was not answered at once');
      if (verdict.kind === 'admitted') verdict.end();
      return verdict.kind === 'admitted' ? 'admitted' : verdict.rejection;
    });
  return { state, reached, limited, writes, answers, ...made };
};

const both = <T>(one: T): readonly T[] => [one, one];

describe('a disk that is nearly full', () => {
  it('keeps everybody from writing, and nobody from reading or from what frees room', () => {
    const { state, answers, reached, limited } = bounds();
    state.isFull = true;
    const full = { rejected: 'UNAVAILABLE', detail: 'the disk is nearly full' };
    assert.deepEqual(answers('messagesSendMessage'), both(full));
    assert.deepEqual(answers('authSignUp', stranger), both(full));
    for (const name of ['messagesGetHistory', 'messagesDeleteMessage', 'communitiesLeaveCommunity'] as const)
      assert.deepEqual(answers(name), both('admitted'), name);
    for (const name of ['coreInitialize', 'authAuthorize'] as const)
      assert.deepEqual(answers(name, stranger), both('admitted'), name);
    assert.deepEqual([new Set(reached), limited], [new Set(['free_disk']), both('free_disk')]);
    state.isFull = false;
    assert.deepEqual(answers('messagesSendMessage'), both('admitted'));
  });

  it('closes nobody, however often they ask', () => {
    const { state, on } = bounds();
    state.isFull = true;
    for (let asked = 0; asked <= 2 * refusalsMax; asked += 1) {
      const verdict = on.admit(ada, { name: 'messagesEditMessage', bytes: 40 });
      assert.ok('closes' in verdict && !verdict.closes && verdict.pauseMillis === 0);
    }
  });
});

describe('bytes that a user has written', () => {
  it('are as many in a day as the bound, and then only what frees room is written', () => {
    const { answers, writes, reached } = bounds();
    writes.wrote('1', 86_400);
    writes.wrote('2', 10);
    assert.deepEqual(answers('messagesSendMessage'), both('admitted'));
    writes.wrote('1', 9);
    const [refusal] = answers('messagesSendMessage');
    assert.ok(typeof refusal === 'object' && refusal.rejected === 'RATE_LIMITED');
    assert.equal(Math.round(refusal.retryAfterSeconds ?? 0), 10);
    for (const name of ['messagesDeleteMessage', 'communitiesLeaveCommunity', 'messagesGetHistory'] as const)
      assert.deepEqual(answers(name), both('admitted'), name);
    assert.deepEqual(reached, ['written_per_user', 'written_per_user']);
  });

  it('are regained evenly over the day, and never more than a day has', () => {
    const { state, answers, writes } = bounds();
    writes.wrote('1', 2 * 86_400);
    state.at += day / 2;
    assert.notDeepEqual(answers('messagesSendMessage'), both('admitted'));
    state.at += day / 2;
    assert.deepEqual(answers('messagesSendMessage'), both('admitted'));
    state.at += 10 * day;
    writes.wrote('1', 86_410);
    assert.notDeepEqual(answers('messagesSendMessage'), both('admitted'));
  });
});
