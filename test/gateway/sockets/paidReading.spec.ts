import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { unitsBeyond, unitsOfBytes, unitsOfFraming } from '../../../src/gateway/requests/accounts.js';
import { admission, noAdmission } from '../../../src/gateway/requests/admission.js';
import { budgetTable } from '../../../src/gateway/requests/budgets.js';
import { turnLines } from '../../../src/gateway/requests/turns.js';
import { inboundBytesMax } from '../../../src/gateway/sockets/connection.js';
import {
  freeFramingBytesMax,
  readUnitsPerRoundMax,
  unreadMillisMax,
} from '../../../src/gateway/sockets/paidReading.js';
import { ReadingLine } from '../../../src/gateway/sockets/readingLine.js';
import { pieceBytesMax } from '../../../src/gateway/sockets/socketPieces.js';
import { receivedBytes } from '../../../src/gateway/sockets/receivedBytes.js';
import { RequestIntake, type IntakeNeeds, type IntakeOwner } from '../../../src/gateway/sockets/requestIntake.js';
import { encodeHeartbeat, encodeRequest } from '../../../src/wire/envelope.js';
import { handTimers } from '../../support/handTimers.js';
import { signedIn } from '../requests/gate.js';
import { stage } from '../rig/stage.js';

const envelopeBytes = 64;
const text = 'x'.repeat(inboundBytesMax - envelopeBytes);
const longText = encodeRequest(10, 'messagesSendMessage', { chatRef: { self: {} }, message: text });

/** Of one socket in a round of the event loop, as the system gives them. */
const readsPerRoundMax = 32;
const readBytes = 65_536;

/** Gives the bytes of one read to an intake. */
type Reading = (intake: RequestIntake) => void;

const intakeOf = (needs: IntakeNeeds, session: number, setReading: IntakeOwner['setReading']): RequestIntake => {
  // Nothing else of a connection is asked for.
  const owner = {
    ...signedIn(1, session),
    announcedBytes: longText.length,
    isTaking: true,
    setReading,
    idle,
    closeForRefusals: idle,
  };
  return new RequestIntake(needs, owner as unknown as IntakeOwner);
};

/** A connection of user 1 from which there is always more to be read. */
const flooded = (needs: IntakeNeeds, session: number, reading: Reading) => {
  let isRead = true;
  const intake = intakeOf(needs, session, (now) => (isRead = now === 'on'));
  /** Gives the number of reads in one round of the event loop. */
  return (): number => {
    let reads = 0;
    for (; isRead && reads < readsPerRoundMax; reads += 1) reading(intake);
    return reads;
  };
};

/** One long text after the other. */
const longTexts = (counted: () => void): Reading => {
  let unfinished = 0;
  return (intake) => {
    unfinished += readBytes;
    if (unfinished < longText.length) {
      intake.reading.readPart(readBytes);
      return;
    }
    unfinished = 0;
    counted();
    intake.take(longText);
  };
};

const heartbeat = encodeHeartbeat();
const shortestFrameBytes = heartbeat.length + 6;
const heartbeats: Reading = (intake) => {
  for (let at = 0; at < pieceBytesMax / shortestFrameBytes; at += 1) intake.take(heartbeat);
  intake.reading.framed(pieceBytesMax, 0);
};

const idle = (): void => undefined;
const dispatch: IntakeNeeds['dispatch'] = {
  answer: () => Promise.resolve('TOO_LARGE'),
  refuse: () => Promise.resolve(),
};

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

const atOnce = { mayReadOn: () => true, leave: idle };
const inTurns = (): IntakeNeeds['reading'] => ({
  users: new ReadingLine(readUnitsPerRoundMax),
  strangers: new ReadingLine(readUnitsPerRoundMax),
});

const needsOf = (some: Partial<IntakeNeeds>): IntakeNeeds => ({
  admission: noAdmission(),
  dispatch,
  timers: handTimers(),
  received: receivedBytes({ timers: handTimers() }),
  reading: { users: atOnce, strangers: atOnce },
  ...some,
});

/** The reads of each of so many rounds of the event loop, over all connections. */
const readsIn = async (rounds: number, floods: readonly (() => number)[]): Promise<readonly number[]> => {
  const reads: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    reads.push(sum(floods.map((one) => one())));
    await nextRound();
  }
  return reads;
};

const connectionsOfUser = 50;

/** Floods over many connections of a user, by a clock of the test. */
const attackFor = async (seconds: number, reading: () => Reading): Promise<void> => {
  const timers = handTimers();
  const shared = { take: () => ({ allowed: true }) as const };
  const made = admission({ timers, shared, limited: () => undefined, lines: turnLines() });
  const needs = needsOf({ timers, admission: made });
  const floods = Array.from({ length: connectionsOfUser }, (_, at) => flooded(needs, at, reading()));
  for (let tenths = 0; tenths < seconds * 10; tenths += 1) {
    await readsIn(10, floods);
    timers.pass(100);
  }
};

/** Within the budget of a user in a minute. Each connection may be in debt for one, and is read for pings every ten seconds. */
const isPaid = (count: number, price: number): boolean => {
  const { burst, perSecond } = budgetTable.user;
  const paid = (burst + 60 * perSecond) / price;
  return count > paid / 2 && count <= paid + connectionsOfUser * (1 + 60_000 / unreadMillisMax);
};

describe('dear reads', () => {
  it('are made in turns, so that a round of the event loop is short', async () => {
    const needs = needsOf({ reading: inTurns() });
    const messages = Array.from({ length: 20 }, () => 0);
    const floods = messages.map((_, at) =>
      flooded(
        needs,
        at,
        longTexts(() => (messages[at] = (messages[at] ?? 0) + 1)),
      ),
    );
    // The first bytes of each are read at once.
    const [first = 0, ...later] = await readsIn(1_000, floods);
    const inTurn = readUnitsPerRoundMax / unitsOfBytes(readBytes);
    assert.ok(first <= 2 * floods.length + inTurn, first.toString());
    // The one that begins another message reads two more.
    assert.ok(Math.max(...later) <= 3 * inTurn, Math.max(...later).toString());
    assert.ok(Math.min(...messages) > 0 && Math.max(...messages) - Math.min(...messages) <= 1, messages.join(' '));
  });

  it('are those of heartbeats as well, where a piece is full of them: of one connection in a round', async () => {
    const needs = needsOf({ reading: inTurns() });
    const floods = Array.from({ length: 20 }, (_, at) => flooded(needs, at, heartbeats));
    const [first = 0, ...later] = await readsIn(100, floods);
    assert.deepEqual([first, Math.max(...later)], [floods.length + 1, 1]);
  });

  it('are paid for, so that a user makes no more of them over fifty connections', async () => {
    const price = unitsOfBytes(longText.length) + unitsBeyond({ name: 'messagesSendMessage', bytes: longText.length });
    let messages = 0;
    await attackFor(60, () => longTexts(() => (messages += 1)));
    assert.ok(isPaid(messages, price), messages.toString());
    let reads = 0;
    await attackFor(60, () => (intake) => {
      reads += 1;
      heartbeats(intake);
    });
    assert.ok(isPaid(reads, unitsOfFraming(pieceBytesMax)), reads.toString());
  });

  it('are made in turns also where many are within their budgets again at the same moment', async () => {
    const timers = handTimers();
    const tookIn = (): number => unreadMillisMax;
    const needs = needsOf({ timers, admission: { ...noAdmission(), tookIn }, reading: inTurns() });
    const floods = Array.from({ length: 20 }, (_, at) => flooded(needs, at, heartbeats));
    assert.deepEqual(await readsIn(2, floods), [floods.length, 0]);
    timers.pass(unreadMillisMax);
    assert.deepEqual(await readsIn(3, floods), [1, 1, 1]);
  });

  it('are not those of a client that sends what it has, which cost nothing', () => {
    const units: number[] = [];
    const tookIn = (_: unknown, of: number): number => units.push(of) * 0;
    const intake = intakeOf(needsOf({ admission: { ...noAdmission(), tookIn } }), 1, idle);
    for (let sent = 0; sent < 60; sent += 1) intake.take(heartbeat);
    intake.reading.framed(60 * shortestFrameBytes, 0);
    assert.deepEqual(units, []);
  });

  it('are paid for also where each read has few frames, or heartbeats are long', () => {
    const units: number[] = [];
    const tookIn = (_: unknown, of: number): number => units.push(of) * 0;
    const intake = intakeOf(needsOf({ admission: { ...noAdmission(), tookIn } }), 1, idle);
    const few = 10;
    for (let reads = 0; reads < 100; reads += 1) {
      for (let sent = 0; sent < few; sent += 1) intake.take(heartbeat);
      intake.reading.framed(few * shortestFrameBytes, 0);
    }
    const paid = sum(units);
    assert.ok(unitsOfFraming(100 * few * shortestFrameBytes) - paid <= unitsOfFraming(freeFramingBytesMax));
    const unknownField = Buffer.concat([heartbeat, Buffer.of(0x0a, 0xfc, 0x07), Buffer.alloc(1_020)]);
    intake.take(unknownField);
    intake.reading.framed(unknownField.length + 8, 0);
    assert.ok(sum(units) - paid >= unitsOfFraming(unknownField.length));
  });

  it('take turns as well once the connection closes, and cost nothing then', async () => {
    const units: number[] = [];
    const tookIn = (_: unknown, of: number): number => units.push(of) * 0;
    const needs = needsOf({ admission: { ...noAdmission(), tookIn }, reading: inTurns() });
    const floods = Array.from({ length: 20 }, (_, at) =>
      flooded(needs, at, (intake) => {
        intake.close();
        heartbeats(intake);
      }),
    );
    const [first = 0, ...later] = await readsIn(100, floods);
    assert.deepEqual([first, Math.max(...later), units], [floods.length + 1, 1, []]);
  });

  it('wait for their turn alone, and for no debts, once the connection closes', async () => {
    const timers = handTimers();
    const tookIn = (): number => unreadMillisMax;
    const needs = needsOf({ timers, admission: { ...noAdmission(), tookIn }, reading: inTurns() });
    const intakes: RequestIntake[] = [];
    const floods = Array.from({ length: 20 }, (_, at) =>
      flooded(needs, at, (intake) => {
        intakes[at] = intake;
        heartbeats(intake);
      }),
    );
    assert.deepEqual(await readsIn(2, floods), [floods.length, 0]);
    for (const intake of intakes) intake.close();
    assert.deepEqual(await readsIn(3, floods), [1, 1, 1]);
    timers.pass(unreadMillisMax);
    assert.deepEqual(await readsIn(2, floods), [1, 1]);
  });

  it('have no turn any more when the connection has gone', async () => {
    const needs = needsOf({ reading: inTurns() });
    const intakes: RequestIntake[] = [];
    const floods = Array.from({ length: 20 }, (_, at) =>
      flooded(needs, at, (intake) => {
        intakes[at] = intake;
        heartbeats(intake);
      }),
    );
    await readsIn(1, floods);
    for (const intake of intakes.slice(0, -1)) intake.reading.end();
    assert.deepEqual(await readsIn(2, floods.slice(-1)), [0, 1]);
  });

  it('are noticed after the first piece of a flood, however much comes in one read', async (t) => {
    const units: number[] = [];
    const tookIn = (_: unknown, of: number): number => (units.push(of), unreadMillisMax);
    const server = await stage({ timers: handTimers(), admission: { ...noAdmission(), tookIn } });
    t.after(() => server.stop());
    const [attacker, other] = [await server.signedIn(1n, 11n), await server.signedIn(2n, 22n)];
    const { _socket: stream } = attacker.socket as unknown as { readonly _socket: Socket }; // Declared nowhere.
    stream.write(Buffer.concat(Array.from({ length: 8_000 }, () => Buffer.of(0x82, 0x82, 0, 0, 0, 0, ...heartbeat))));
    while (units.length === 0) await other.settled();
    await other.settled();
    assert.ok(sum(units) <= unitsOfFraming(pieceBytesMax + freeFramingBytesMax), units.join(' '));
  });

  it('count what frames the payload, of heartbeats, pings and fragments, and little of long messages', async (t) => {
    let units = 0;
    const tookIn = (_: unknown, of: number): number => (units += of) * 0;
    const server = await stage({ admission: { ...noAdmission(), tookIn } });
    t.after(() => server.stop());
    const client = await server.signedIn(1n, 11n);
    const unitsFor = async (send: () => void): Promise<number> => {
      const before = units;
      send();
      await client.settled();
      return units - before;
    };
    const framing = unitsOfFraming(6 * 8_192);
    const near = (found: number): boolean => found > 0.8 * framing && found <= framing * 1.01;
    const many = (send: () => void) => () => {
      for (let sent = 0; sent < 8_192; sent += 1) send();
    };
    const forHeartbeats = (await unitsFor(many(() => client.heartbeat()))) - unitsOfFraming(2 * 8_192);
    assert.ok(near(forHeartbeats), forHeartbeats.toString());
    const forFragments = await unitsFor(() => {
      for (let sent = 0; sent < 32; sent += 1) {
        for (let at = 0; at < 256; at += 1) {
          client.socket.send(heartbeat.subarray(at === 0 ? 0 : 1, at === 0 ? 1 : at === 255 ? 2 : 1), {
            fin: at === 255,
          });
        }
      }
    });
    assert.ok(near(forFragments), forFragments.toString());
    const forLong = await unitsFor(() => client.socket.send(longText));
    const price = unitsOfBytes(longText.length) + unitsBeyond({ name: 'messagesSendMessage', bytes: longText.length });
    assert.ok(Math.abs(forLong - price) < 3 * unitsOfBytes(readBytes), forLong.toString());
  });

  it('cost far less as parts of files than as texts that can only be refused', () => {
    const bytes = inboundBytesMax;
    assert.equal(unitsBeyond({ name: 'mediaUploadFilePart', bytes }), 0);
    for (const name of ['messagesSendMessage', 'malformed', 'unknown'] as const)
      assert.ok(unitsBeyond({ name, bytes }) > 10 * unitsOfBytes(bytes));
    assert.equal(unitsBeyond({ name: 'messagesSendMessage', bytes: 131_072 }), 0);
  });
});
