import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reportedNetworksMax, reportMillis, signInReport } from '../../../src/gateway/requests/signInReport.js';

const reporting = () => {
  const lines: object[] = [];
  const counted: string[] = [];
  const timers: { millis: number; work: () => void }[] = [];
  const report = signInReport({
    log: (details) => lines.push(details),
    count: (failure) => counted.push(failure),
    keyed: (text) => `keyed hash of ${text.length.toString()} units`,
    timers: {
      later: (millis, work) => {
        const timer = { millis, work };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), 1);
      },
    },
  });
  return { report, lines, counted, timers, endMinute: () => timers.splice(0).forEach(({ work }) => work()) };
};

describe('failures to get in', () => {
  it('are one line for a network and minute with their numbers, and nothing of the address', () => {
    const { report, lines, timers, endMinute } = reporting();
    for (let index = 0; index < 1_000; index += 1) report.noted('wrongPasswords', '192.0.2.7');
    report.noted('limited', '192.0.2.7');
    report.noted('refusedTokens', '192.0.2.77');
    assert.deepEqual([lines, timers.map(({ millis }) => millis)], [[], [reportMillis]]);
    endMinute();
    assert.deepEqual(lines, [
      { network: 'keyed hash of 13', wrongPasswords: 1_000, limited: 1 },
      { network: 'keyed hash of 14', refusedTokens: 1 },
    ]);
    endMinute();
    report.noted('refusedTokens', '192.0.2.7');
    endMinute();
    assert.equal(lines.length, 3);
  });
  it('are counted one by one', () => {
    const { report, counted } = reporting();
    report.noted('wrongPasswords', '192.0.2.7');
    report.noted('limited', '192.0.2.7');
    assert.deepEqual(counted, ['wrongPasswords', 'limited']);
  });
  it('share a line where too many networks fail in a minute', () => {
    const { report, lines, endMinute } = reporting();
    for (let index = 0; index < reportedNetworksMax + 50; index += 1) report.noted('limited', index.toString());
    endMinute();
    assert.equal(lines.length, reportedNetworksMax + 1);
    assert.deepEqual(lines.at(-1), { network: 'others', limited: 50 });
  });
  it('are told of when the server closes, and not again', () => {
    const { report, lines, timers, endMinute } = reporting();
    report.noted('limited', '192.0.2.7');
    report.close();
    assert.deepEqual([lines.length, timers.length], [1, 0]);
    endMinute();
    assert.equal(lines.length, 1);
  });
});
