import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { generationsIn } from '../support/generations.js';
import { digestsIn, lively, objectIn, on } from './projections.js';

const killSeed = Number(process.env['KILL_SEED'] ?? Date.now() % 2 ** 31);
const killsCount = 5;
const killMillisMax = 700;

describe('a build of a generation', () => {
  for (const workers of [1, 2])
    it(`goes on where it was killed, with ${workers.toString()} of its workers`, async (t) => {
      const server = await lively(t, 3_000);
      const { dataDir } = server;
      await server.close();
      let seed = killSeed;
      for (let kills = 0; kills < killsCount; kills += 1) {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        // The first one begins a generation, the others go on with it, unless it was killed before that.
        const begins = (await generationsIn(dataDir).list()).length < 2;
        const slowly = ['--workers', workers.toString(), '--share', '1'];
        const building = on(dataDir, 'build', ...slowly, ...(begins ? ['--anew'] : []));
        const isBuilding = building.prints(/_2: \d+ %/).then(
          () => true,
          () => false,
        );
        if (await isBuilding) await wait(seed % killMillisMax);
        building.stop('SIGKILL');
        await building.ended;
      }
      const built = await on(dataDir, 'build', '--json').ended;
      assert.equal(objectIn(built.output)['ended'], 'built', `seed ${killSeed.toString()}: ${built.errors}`);
      const [one, other] = await digestsIn(dataDir);
      assert.deepEqual(other, one, `seed ${killSeed.toString()}`);
    });
});
