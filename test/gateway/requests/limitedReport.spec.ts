import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitedReport } from '../../../src/gateway/requests/limitedReport.js';
import type { Limited } from '../../../src/gateway/requests/admission.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';

const user: Limited['asker'] = {
  address: '192.0.2.7',
  session: { caller: { user: 1n as UserId, session: 11n as SessionId } },
};
const stranger: Limited['asker'] = { address: '192.0.2.7', session: undefined };

/** Reports one limited request a second for so long; the lines that were written, with their second. */
const lines = (asker: Limited['asker'], seconds: number, isLimited: (second: number) => boolean = () => true) => {
  let now = 0;
  let counted = 0;
  const written: object[] = [];
  const report = limitedReport({
    timers: { now: () => now },
    count: () => {
      counted += 1;
    },
    warn: (details, message) => written.push({ at: now / 1_000, ...details, message }),
    hidden: (address) => `${address.length.toString()} signs, and more that is cut off`,
  });
  for (let second = 0; second < seconds; second += 1) {
    if (isLimited(second)) report({ limit: 'user', rpc: 'messagesGetHistory', how: 'waited', asker });
    now += 1_000;
  }
  return { written, counted };
};

describe('the report of limited clients', () => {
  it('has a line when a user has been limited for a minute, and the next after ten', () => {
    const { written, counted } = lines(user, 700);
    const said = {
      user: '1',
      limit: 'user',
      rpc: 'messagesGetHistory',
      message: 'a client is at its limits for a minute',
    };
    assert.deepEqual(written, [
      { at: 60, ...said, requests: 61, seconds: 60 },
      { at: 660, ...said, requests: 661, seconds: 660 },
    ]);
    assert.equal(counted, 700);
  });

  it('does not have an address in the clear', () => {
    const { written } = lines(stranger, 70);
    assert.deepEqual(written, [
      {
        at: 60,
        address: '9 signs, and',
        limit: 'user',
        rpc: 'messagesGetHistory',
        requests: 61,
        seconds: 60,
        message: 'a client is at its limits for a minute',
      },
    ]);
  });

  it('has none for clients that are limited now and then', () => {
    assert.deepEqual(lines(user, 3_600, (second) => second % 20 === 0).written, []);
  });
});
