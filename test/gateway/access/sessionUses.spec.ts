import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accounts, unusedDaysMax, useNotedDays } from '../../../src/domain/accounts/decide.js';
import { endsPerLookMax, notesPerLookMax, sessionUses } from '../../../src/gateway/access/sessionUses.js';
import type { Caller } from '../../../src/gateway/contract/call.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import { sessionsOf } from '../../../src/projections/accounts/queries.js';
import { kernelInMemory } from '../../support/house/kernel.js';
import { settled } from '../../support/nodeTimers.js';
import { startProjections } from '../../../src/projections/runner/runner.js';
import { projections } from '../../../src/projections/registry.js';

const device = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };
const caller = (number: number): Caller => ({ user: BigInt(number) as UserId, session: BigInt(number) as SessionId });
const going = new AbortController().signal;

/** Accounts with a session each, and a node that notes their use. */
const setting = async () => {
  const kernel = await kernelInMemory();
  const { execute, streams, ids, reads, store, log, codec, sealer, now } = kernel;
  const day = { today: 0, broken: false };
  const failures: unknown[] = [];
  const uses = sessionUses({
    execute: (...given) => (day.broken ? Promise.reject(new Error('the log is away')) : execute(...given)),
    streams,
    ids,
    reads,
    today: () => day.today,
    failed: (error) => failures.push(error),
  });
  const run = async (command: Parameters<typeof accounts.stream>[0]) =>
    execute(accounts, command, { commandId: ids.commandId(), correlationId: 'test' });
  return {
    ...kernel,
    day,
    failures,
    uses,
    open: async (number: number): Promise<Caller> => {
      const one = caller(number);
      const data = { ...one, tokenHash: 'hash', device, today: day.today, hasPassword: false };
      await run({ type: 'RegisterAccount', data });
      return one;
    },
    /** As `Authorize` does. */
    come: async (one: Caller) => {
      const outcome = await run({ type: 'ResumeSession', data: { ...one, tokenHash: 'hash', today: day.today } });
      if (!('rejected' in outcome)) uses.came(one);
      await settled();
      return 'rejected' in outcome ? outcome.rejected : 'in';
    },
    /** What the accounts' streams have besides the sign-ups. */
    written: async (): Promise<readonly string[]> => {
      const events = await log.readAll({ from: 0n, limit: 100_000 });
      return events.map(({ type }) => codec.factOf({ type }) ?? '').filter((fact) => /Used|Revoked/.test(fact));
    },
    folded: async () => {
      const following = await startProjections({
        ...{ log, codec, sealer, store, projections, clock: { now } },
        onAlarm: () => undefined,
        onTrouble: () => undefined,
      });
      await following.reached(await log.end());
      await following.close();
    },
  };
};

describe('a session that comes back every day for ten years', () => {
  it('is noted at most once in thirty days, and never ends', async () => {
    const { day, open, come, written } = await setting();
    const ada = await open(1);
    for (day.today = 0; day.today < 3_650; day.today += 1) assert.equal(await come(ada), 'in');
    const notes = await written();
    assert.ok(notes.every((fact) => fact === 'SessionUsed'));
    assert.equal(notes.length, Math.floor(3_649 / useNotedDays));
  });
});

describe('a session that stays connected for years', () => {
  it('is noted at the looks, at most once in thirty days, and does not end', async () => {
    const { day, open, come, uses, written, folded } = await setting();
    const ada = await open(1);
    await come(ada);
    for (day.today = 1; day.today < 800; day.today += 1) await uses.noteConnected([{ caller: ada }], going);
    assert.equal((await written()).length, Math.floor(799 / useNotedDays));
    await folded();
    await uses.endUnused(going);
    assert.ok((await written()).every((fact) => fact === 'SessionUsed'));
  });

  it('is noted at the next look when the log was away', async () => {
    const { day, open, come, uses, written, failures } = await setting();
    const ada = await open(1);
    day.today = useNotedDays;
    day.broken = true;
    await come(ada);
    await uses.noteConnected([{ caller: ada }], going);
    assert.deepEqual([failures.length, await written()], [2, []]);
    day.broken = false;
    for (let looks = 0; looks < 3; looks += 1) await uses.noteConnected([{ caller: ada }], going);
    assert.deepEqual(await written(), ['SessionUsed']);
  });

  it('waits for a later look where very many are due', async () => {
    const { open, uses, written, day } = await setting();
    const connected = [];
    for (let number = 1; number <= notesPerLookMax + 1; number += 1) connected.push({ caller: await open(number) });
    day.today = useNotedDays;
    await uses.noteConnected(connected, going);
    assert.equal((await written()).length, notesPerLookMax);
    await uses.noteConnected(connected, going);
    assert.equal((await written()).length, connected.length);
  });
});

describe('a session that nobody uses', () => {
  it('ends after a year, and nobody else does', async () => {
    const { day, open, come, uses, written, folded, reads } = await setting();
    const [ada, ben] = [await open(1), await open(2)];
    day.today = unusedDaysMax - 1;
    await come(ben);
    await folded();
    await uses.endUnused(going);
    assert.deepEqual(await written(), ['SessionUsed']);
    day.today += 1;
    await uses.endUnused(going);
    await uses.endUnused(going);
    assert.deepEqual(await written(), ['SessionUsed', 'SessionRevoked']);
    await folded();
    assert.deepEqual(await sessionsOf(reads, ada.user), []);
    assert.equal((await sessionsOf(reads, ben.user)).length, 1);
    assert.equal(await come(ada), 'INVALID_TOKEN');
  });

  it('does not come to life again before the look has come to it', async () => {
    const { day, open, come } = await setting();
    const ada = await open(1);
    day.today = unusedDaysMax;
    assert.equal(await come(ada), 'INVALID_TOKEN');
  });

  it('ends at a later look where there are very many', async () => {
    const { day, open, uses, written, folded } = await setting();
    for (let number = 1; number <= endsPerLookMax + 1; number += 1) await open(number);
    day.today = unusedDaysMax;
    await folded();
    await uses.endUnused(going);
    assert.equal((await written()).length, endsPerLookMax);
    await folded();
    await uses.endUnused(going);
    assert.equal((await written()).length, endsPerLookMax + 1);
  });
});
