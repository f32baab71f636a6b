import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { unusedDaysMax } from '../../src/domain/accounts/decide.js';
import { dayCounts } from '../../src/domain/deployments/decide.js';
import { dayCountEvents, daysStream } from '../../src/domain/deployments/events.js';
import { foldersIn } from '../../src/engines.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { executor } from '../../src/kernel/execute.js';
import { foldedStreams } from '../../src/kernel/foldedStreams.js';
import type { Millis } from '../../src/kernel/ids.js';
import { plainSealer } from '../support/plainSealer.js';
import { testServer } from '../support/server.js';
import { guest, outcomeOf, resume, signIn, signUp, signUpWith } from './seat.js';

const login = { email: 'ada@example.org', password: 'correct horse' };

/** Lets days pass, in the log of a server that has stopped. Gives how many it had counted. */
const pass = async (dataDir: string, days: number): Promise<number> => {
  const now = (): Millis => Date.now() as Millis;
  const log = await lmdbEventLog({ folder: foldersIn(dataDir).log, now });
  const sealer = plainSealer();
  const needs = { log, sealer, codec: eventCodec(Object.values(dayCountEvents), sealer) };
  const streams = foldedStreams(needs);
  const execute = executor({ ...needs, streams, clock: { now }, ids: systemIds(() => 0n) });
  const { state } = await streams.caughtUp(daysStream, dayCounts);
  const from = state.status === 'counted' ? state.days : Number.NaN;
  for (let after = from; after < from + days; after += 1) {
    const commandId = `day ${after.toString()}`;
    const command = { type: 'CountDay', data: { after, clock: now() } } as const;
    await execute(dayCounts, command, { commandId, correlationId: commandId });
  }
  await log.close();
  return from;
};

describe('a server', () => {
  it('ends sessions that nobody used for a year, and no other', async (t) => {
    const first = await testServer();
    const { dataDir } = first;
    const [ada, ben] = [await signUpWith(first.url, 'Ada', login), await signUp(first.url, 'Ben')];
    await first.close();
    assert.equal(await pass(dataDir, unusedDaysMax - 1), 0);

    const second = await testServer({ dataDir });
    await resume(second.url, ben.token);
    await second.close();
    assert.equal(await pass(dataDir, 1), unusedDaysMax - 1);

    const third = await testServer({ dataDir });
    t.after(() => third.remove());
    await resume(third.url, ben.token);
    const nobody = await guest(third.url);
    assert.equal(outcomeOf(await nobody.ask('authAuthorize', { token: ada.token })), 403);
    const again = await signIn(third.url, login);
    // The look at the start ends it in the background.
    for (;;) {
      const { sessions } = await again.do('authGetSessions', {});
      if (sessions.every(({ id }) => id === again.session)) break;
    }
  });
});
