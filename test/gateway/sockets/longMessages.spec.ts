import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { unitsBeyond, unitsOfBytes } from '../../../src/gateway/requests/accounts.js';
import { admission, noAdmission } from '../../../src/gateway/requests/admission.js';
import { budgetTable } from '../../../src/gateway/requests/budgets.js';
import { turnLines, turns } from '../../../src/gateway/requests/turns.js';
import { inboundBytesMax } from '../../../src/gateway/sockets/connection.js';
import { receivedBytes } from '../../../src/gateway/sockets/receivedBytes.js';
import {
  longBytesPerRoundMax,
  RequestIntake,
  type IntakeNeeds,
  type IntakeOwner,
} from '../../../src/gateway/sockets/requestIntake.js';
import { encodeRequest } from '../../../src/wire/envelope.js';
import { handTimers } from '../../support/handTimers.js';
import { signedIn } from '../requests/gate.js';

const envelopeBytes = 64;
const text = 'x'.repeat(inboundBytesMax - envelopeBytes);
const longText = encodeRequest(10, 'messagesSendMessage', { chatRef: { self: {} }, message: text });

/** Of one socket in a round of the event loop, as the system gives them. */
const readsPerRoundMax = 32;
const readBytes = 65_536;

/** A connection of user 1 over which one long text comes after the other, as fast as it is read. */
const flooded = (needs: IntakeNeeds, session: number) => {
  let isRead = true;
  let unfinished = 0;
  let messages = 0;
  const setReading: IntakeOwner['setReading'] = (now) => (isRead = now === 'on');
  // Nothing else of a connection is asked for.
  const owner = { ...signedIn(1, session), isTaking: true, setReading, idle: () => undefined, closeForRefusals: idle };
  const intake = new RequestIntake(needs, owner as unknown as IntakeOwner);
  const read = (): void => {
    unfinished += readBytes;
    if (unfinished < longText.length) {
      intake.readPart(readBytes);
      return;
    }
    unfinished = 0;
    messages += 1;
    intake.take(longText);
  };
  return {
    messages: () => messages,
    /** Gives the bytes that were read in this round. */
    round: (): number => {
      let reads = 0;
      for (; isRead && reads < readsPerRoundMax; reads += 1) read();
      return reads * readBytes;
    },
  };
};

const idle = (): void => undefined;
const dispatch: IntakeNeeds['dispatch'] = {
  answer: () => Promise.resolve('TOO_LARGE'),
  refuse: () => Promise.resolve(),
};

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

describe('long messages', () => {
  it('of many connections are read in turns, so that a round of the event loop is short', async () => {
    const longMessages = turns(longBytesPerRoundMax);
    const needs = {
      admission: noAdmission(),
      dispatch,
      timers: handTimers(),
      received: receivedBytes(),
      longMessages,
    };
    const floods = Array.from({ length: 20 }, (_, at) => flooded(needs, at));
    const perRound: number[] = [];
    for (let round = 0; round < 1_000; round += 1) {
      perRound.push(sum(floods.map((one) => one.round())));
      await nextRound();
    }
    // The first bytes of each are read at once.
    const [first = 0, ...later] = perRound;
    assert.ok(first <= floods.length * 2 * readBytes + longBytesPerRoundMax, first.toString());
    assert.ok(Math.max(...later) <= 3 * longBytesPerRoundMax, Math.max(...later).toString());
    const read = floods.map(({ messages }) => messages());
    assert.ok(Math.min(...read) > 0 && Math.max(...read) - Math.min(...read) <= 1, read.join(' '));
  });

  it('are paid for as they come, so that a user has no more of them over fifty connections', async () => {
    const timers = handTimers();
    const made = admission({
      timers,
      shared: { take: () => ({ allowed: true }) },
      limited: () => undefined,
      lines: turnLines(),
    });
    const longMessages = { until: () => undefined };
    const needs = { admission: made, dispatch, timers, received: receivedBytes(), longMessages };
    const floods = Array.from({ length: 50 }, (_, at) => flooded(needs, at));
    const seconds = 60;
    for (let tenths = 0; tenths < seconds * 10; tenths += 1) {
      for (const one of floods) one.round();
      timers.pass(100);
      await nextRound();
    }
    const price = unitsOfBytes(longText.length) + unitsBeyond({ name: 'messagesSendMessage', bytes: longText.length });
    const { burst, perSecond } = budgetTable.user;
    const paid = (burst + seconds * perSecond) / price;
    const messages = sum(floods.map((one) => one.messages()));
    // Each may be in debt for one.
    assert.ok(messages > paid / 2 && messages <= paid + floods.length, `${messages.toString()} of ${paid.toString()}`);
  });

  it('cost far less as parts of files than as what can only be refused', () => {
    const bytes = inboundBytesMax;
    assert.equal(unitsBeyond({ name: 'mediaUploadFilePart', bytes }), 0);
    for (const name of ['messagesSendMessage', 'malformed', 'unknown'] as const)
      assert.ok(unitsBeyond({ name, bytes }) > 10 * unitsOfBytes(bytes));
    assert.equal(unitsBeyond({ name: 'messagesSendMessage', bytes: 131_072 }), 0);
  });
});
