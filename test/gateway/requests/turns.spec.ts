import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { lightShareMin, lightWork, welcomeUnits } from '../../../src/gateway/requests/budgets.js';
import { turnLines, turns, turnUnitsMax, type Lines } from '../../../src/gateway/requests/turns.js';
import type { Asker } from '../../../src/gateway/requests/accounts.js';
import type { Meter } from '../../../src/gateway/contract/meter.js';
import { atOnce, gate, signedIn, stranger, waitOf } from './gate.js';

const roundsUntil = async (turn: Promise<void>): Promise<number> => {
  const wait = { rounds: 0, isOver: false };
  void turn.then(() => (wait.isOver = true));
  for (; !wait.isOver; wait.rounds += 1) await nextRound();
  return wait.rounds;
};

describe('turns', () => {
  it('begin so many units in a round of the event loop, in the order of asking', async () => {
    const line = turns(10);
    const begun: number[] = [];
    const ask = (name: number, units: number): void => {
      const turn = line.until(units);
      if (turn === undefined) begun.push(name);
      else void turn.then(() => begun.push(name));
    };
    for (const [name, units] of [4, 4, 4, 4, 20, 1, 1].entries()) ask(name, units);
    assert.deepEqual(begun, [0, 1, 2]);
    await nextRound();
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    await nextRound();
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6]);
  });

  it('begin one after the other, each when the work beyond the price of the one before is made up for', async () => {
    const line = turns(10, { beyond: 'made up for' });
    assert.equal(line.until(10), undefined);
    let begun = 0;
    const dear = async (): Promise<void> => {
      await line.until(1);
      begun += 1;
      // As a handler does that looks into a request before it charges for it.
      for (let wait = 0; wait < 5; wait += 1) await Promise.resolve();
      line.spend(29);
    };
    const all = [dear(), dear(), dear()];
    const begunByRound: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      await nextRound();
      begunByRound.push(begun);
    }
    assert.deepEqual(begunByRound, [1, 1, 1, 2, 2, 2, 3]);
    await Promise.all(all);
  });

  it('let nobody in who comes while others wait', async () => {
    const line = turns(10);
    assert.equal(line.until(10), undefined);
    const waited = line.until(1);
    const came = line.until(1);
    assert.ok(waited !== undefined && came !== undefined);
    await Promise.all([waited, came]);
  });

  it('begin first for those of the highest standing', async () => {
    const line = turns(10);
    assert.equal(line.until(10), undefined);
    const begun: string[] = [];
    const ask = (name: string, standing: number): Promise<unknown> | undefined =>
      line.until(10, () => standing)?.then(() => begun.push(name));
    await Promise.all([ask('much', 0), ask('little', 9), ask('some', 4)]);
    assert.deepEqual(begun, ['little', 'some', 'much']);
  });

  it('begin while less is under way than may be', async () => {
    const line = turns(10, { underWayMax: 20 });
    line.underWay(30);
    let isBegun = false;
    void line.until(1)?.then(() => (isBegun = true));
    for (let round = 0; round < 3; round += 1) await nextRound();
    line.underWay(-10);
    for (let round = 0; round < 3; round += 1) await nextRound();
    assert.equal(isBegun, false);
    line.underWay(-1);
    await nextRound();
    await nextRound();
    assert.equal(isBegun, true);
  });

  it('count what a request turned out to be', async () => {
    const line = turns(10);
    assert.equal(line.until(1), undefined);
    line.spend(9);
    const turn = line.until(1);
    assert.ok(turn !== undefined);
    await turn;
    await nextRound();
    assert.equal(line.until(1), undefined);
  });
});

/** Users who have not asked for much begin at once. */
const linesOfHeavy = (): Lines => ({ ...turnLines(), light: atOnce });

describe('requests in turns', () => {
  it('are those of all users in a round that has much to do, those first who asked for least', async () => {
    const { admit } = gate(undefined, undefined, turnLines());
    let begun = 0;
    while (admit(signedIn(1), 'usersGetProfile').kind === 'admitted') begun += 1;
    assert.ok(begun <= turnUnitsMax.light, begun.toString());
    const order: number[] = [];
    const turnsOf = [1, 2, 1, 3].map((user) => {
      const verdict = admit(signedIn(user), 'usersGetProfile');
      assert.ok(verdict.kind === 'busy');
      return verdict.until.then(() => order.push(user));
    });
    await Promise.all(turnsOf);
    assert.deepEqual(order, [2, 3, 1, 1]);
  });

  it('are those of users who have asked for much, while others begin at once', async () => {
    const { admit } = gate(undefined, undefined, linesOfHeavy());
    const heavy = signedIn(1);
    let begun = 0;
    while (admit(heavy, 'usersGetProfile').kind === 'admitted') begun += 1;
    const light = (1 - lightShareMin) * lightWork.burst;
    assert.ok(begun * 2 >= light && begun * 2 <= light + 2 * turnUnitsMax.users, begun.toString());
    assert.equal(waitOf(admit(signedIn(2), 'usersGetProfile')), 0);
    const turn = admit(heavy, 'usersGetProfile');
    assert.ok(turn.kind === 'busy');
    await turn.until;
    assert.equal(waitOf(admit(heavy, 'usersGetProfile')), 0);
  });

  it('count what they cost while those who asked for much write, and nobody else', () => {
    const counted: number[] = [];
    const unitsUnderWay = (): number => counted.reduce((sum, units) => sum + units, 0);
    const users = { ...atOnce, underWay: (units: number) => void counted.push(units) };
    const { admit } = gate(undefined, undefined, { light: atOnce, users, strangers: atOnce });
    const meterOf = (asker: Asker): Meter => {
      const verdict = admit(asker, 'usersGetProfile');
      assert.ok(verdict.kind === 'admitted');
      return verdict.meter;
    };
    assert.equal(meterOf(signedIn(1)).writing, undefined);
    meterOf(signedIn(1)).spend(lightWork.burst);
    const heavy = meterOf(signedIn(1));
    heavy.spend(80);
    assert.equal(unitsUnderWay(), 0);
    const written = heavy.writing?.();
    assert.ok(unitsUnderWay() > 80 && unitsUnderWay() < 90, unitsUnderWay().toString());
    written?.();
    assert.equal(unitsUnderWay(), 0);
  });

  it('become light again when their sender asks for less', () => {
    const { admit, clock } = gate(undefined, undefined, linesOfHeavy());
    const asker = signedIn(1);
    while (admit(asker, 'usersGetProfile').kind === 'admitted');
    clock.at += 10_000;
    for (let asked = 0; asked < turnUnitsMax.users; asked += 1)
      assert.equal(waitOf(admit(asker, 'usersGetProfile')), 0);
  });

  it('are those of connections without a session beyond their welcome, whatever their address', () => {
    const { admit } = gate(undefined, undefined, linesOfHeavy());
    const known = stranger('192.0.2.1');
    for (let asked = 0; asked < welcomeUnits; asked += 1) admit(known, 'unknown');
    let begun = 0;
    while (admit(known, 'unknown').kind === 'admitted') begun += 1;
    assert.ok(begun <= turnUnitsMax.strangers, begun.toString());
    assert.equal(waitOf(admit(stranger('192.0.2.2'), 'coreInitialize')), 0);
    const other = stranger('192.0.2.3');
    for (let asked = 0; asked < welcomeUnits - 2; asked += 1) assert.equal(waitOf(admit(other, 'unknown')), 0);
    assert.equal(admit(other, 'authAuthorize').kind, 'busy');
    // Only a request that begins takes from the welcome.
    assert.equal(waitOf(admit(other, 'unknown')), 0);
  });

  it('are soon those of users, however many connections without a session wait', async () => {
    const { admit } = gate(undefined, undefined, linesOfHeavy());
    const heavy = signedIn(1);
    while (admit(heavy, 'usersGetProfile').kind === 'admitted');
    await nextRound();
    for (let number = 0; number < 1_000; number += 1) {
      const one = stranger(`192.0.2.${(number % 250).toString()}`);
      for (let asked = 0; asked <= welcomeUnits; asked += 1) admit(one, 'unknown');
    }
    for (let asked = 0; asked < turnUnitsMax.users; asked += 1) admit(heavy, 'usersGetProfile');
    const turn = admit(heavy, 'usersGetProfile');
    assert.ok(turn.kind === 'busy');
    const rounds = await roundsUntil(turn.until);
    assert.ok(rounds < 10, rounds.toString());
  });
});
