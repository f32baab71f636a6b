import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { millisOf, type MessageId } from '../../src/kernel/ids.js';
import { folderFor, serverProcess, type ServerProcess } from '../support/serverProcess.js';
import { savedMessages } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

/** Read before the server: its wall clock is ahead, its monotonic clock and its timers go as ever. */
const shiftedClock = `
  const [now, ahead] = [Date.now, Number(process.env.CLOCK_AHEAD_MILLIS)];
  globalThis.Date = class extends Date {
    static now() { return now() + ahead; }
    constructor(...of) { super(...(of.length === 0 ? [now() + ahead] : of)); }
  };`;
const hourMillis = 3_600_000;
const tenYearsMillis = 10 * 365 * 24 * hourMillis;

/** The wall clock of the server is ahead of this test's by so much. */
const started = (t: TestContext, folder: string, aheadMillis: number): ServerProcess =>
  serverProcess(t, {
    OSMIUM_DATA_DIR: folder,
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(shiftedClock)}`,
    CLOCK_AHEAD_MILLIS: aheadMillis.toString(),
  });

const sent = async (seat: Seat, message: string): Promise<MessageId> => {
  const { messageId } = await seat.do('messagesSendMessage', { chatRef: savedMessages, message });
  return messageId;
};

const texts = async (seat: Seat): Promise<readonly (string | undefined)[]> => {
  const { messages } = await seat.do('messagesGetHistory', { chatRef: savedMessages });
  return messages.map(({ message }) => message);
};

describe('a server whose clock was ahead, and is right after a restart', () => {
  for (const [how, signal] of [
    ['stopped', 'SIGTERM'],
    ['killed', 'SIGKILL'],
  ] as const) {
    for (const [far, aheadMillis] of [
      ['an hour', hourMillis],
      ['ten years', tenYearsMillis],
    ] as const) {
      it(`goes on above the ids of then (${far}, ${how})`, async (t) => {
        const folder = folderFor(t);
        const wrong = started(t, folder, aheadMillis);
        const before = await signUp(await wrong.ready, 'Ada');
        const first = await sent(before, 'first');
        assert.ok(millisOf(first) >= Date.now() + aheadMillis - hourMillis / 2);
        wrong.kill(signal);
        await wrong.ended;

        const right = started(t, folder, 0);
        const after = await resume(await right.ready, before.token);
        const second = await sent(after, 'second');
        assert.ok(second > first);
        // Ahead as before, and not by another 8 s that the mark is written ahead.
        assert.ok(millisOf(second) - millisOf(first) < 60_000);
        right.kill(signal);
        await right.ended;

        // By now the last events of the log were recorded at the right time.
        const again = started(t, folder, 0);
        const last = await resume(await again.ready, before.token);
        assert.ok((await sent(last, 'third')) > second);
        assert.deepEqual(await texts(last), ['third', 'second', 'first']);
      });
    }
  }
});
