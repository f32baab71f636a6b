import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { osmium } from '../cli/osmium.js';
import { objectIn, on } from '../cli/projections.js';
import { freshFolder } from '../support/dataFolders.js';
import { onNodes, sharedEngines } from '../support/deployments.js';
import type { TestServer } from '../support/server.js';
import type { Cleanup } from '../support/serverProcess.js';
import { activity, linesIn, lookMillis, settled, started, talk } from './ownProjections.js';

onNodes('two nodes with a projection of your own', () => {
  it('have one of them fold, both read, change over together, and take over from each other', async (t) => {
    const cleanup: Cleanup = {
      after: (work) => {
        t.after(work);
      },
    };
    const environment = { ...(await sharedEngines(cleanup, {})), OSMIUM_PROJECTIONS: activity };
    const [one, other] = [await started(t, environment), await started(t, environment)];
    await talk(one, ['one', 'two']);
    await talk(other, ['three']);
    const counted = async ({ dataDir }: TestServer): Promise<readonly unknown[]> => {
      const read = await on(dataDir, 'read', 'activity').ended;
      assert.equal(read.code, 0, read.errors);
      return linesIn(read.output)
        .map(({ document }) => document['messages'])
        .sort();
    };
    for (const node of [one, other]) {
      assert.equal((await settled(node, 'activity'))?.stopped, null);
      assert.deepEqual(await counted(node), [1, 2]);
    }
    const built = await osmium(['projections', 'build', '--module', activity, '--anew', '--json'], {
      ...{ ...environment, OSMIUM_DATA_DIR: freshFolder(t) },
    }).ended;
    assert.equal(built.code, 0, built.errors);
    const second = String(objectIn(built.output)['generation']);
    const verified = await on(one.dataDir, 'verify', '--generation', second).ended;
    assert.equal(verified.code, 0, verified.errors);
    assert.equal((await on(one.dataDir, 'switch', '--generation', second).ended).output, `${second} serves\n`);
    while ((await settled(other, 'activity'))?.generation !== second) await pause(lookMillis);
    await one.close();
    await talk(other, ['four']);
    await settled(other, 'activity');
    assert.deepEqual(await counted(other), [1, 1, 2]);
  });
});
