import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { lmdbLogFollower } from '../../../src/adapters/eventLog/lmdbFollower.js';
import { configFrom } from '../../../src/config.js';
import { buildGeneration } from '../../../src/container/generations/build.js';
import { BuildStopped } from '../../../src/container/generations/buildEnd.js';
import { buildWorkers } from '../../../src/container/generations/buildWorkers.js';
import { foldersIn, generationsOf, openDocuments } from '../../../src/engines.js';
import { ProjectionStopped } from '../../../src/projections/progress/waiters.js';
import { collections, projections } from '../../../src/projections/registry.js';
import type { Alarm } from '../../../src/projections/runner/foldingEngine.js';
import { digestsIn, first, lively } from '../../cli/projections.js';
import { generationsIn, ownSet } from '../../support/generations.js';

const configOf = (dataDir: string) => configFrom({ OSMIUM_DATA_DIR: dataDir });

/** A folder that a server has left, with the documents that it served. */
const left = async (t: TestContext, messages: number): Promise<string> => {
  const server = await lively(t, messages);
  await server.close();
  return server.dataDir;
};

const built = (dataDir: string, workers: number) =>
  buildGeneration(
    configOf(dataDir),
    { follow: false, anew: true, share: 100, workers },
    { progress: () => undefined, signal: new AbortController().signal },
  );

/** Workers with a program of the test. */
const crewOf = async (t: TestContext, dataDir: string, program: string) => {
  const [config, alarms, ends]: [ReturnType<typeof configOf>, Alarm[], Error[]] = [configOf(dataDir), [], []];
  const generations = generationsOf(config);
  const generation = await generations.begin(ownSet, 2);
  assert.ok(generation);
  const store = await openDocuments(generations.documents(generation), collections);
  const log = lmdbLogFollower(foldersIn(dataDir).log);
  const running = await buildWorkers({
    ...{ config, generation, store, log, projections, workers: 2, share: 100 },
    program: new URL(`data:text/javascript,${encodeURIComponent(program)}`),
    counted: () => undefined,
    onAlarm: (alarm) => alarms.push(alarm),
    onEnd: (error) => ends.push(error),
    onTrouble: ({ error }) => assert.fail(String(error)),
  });
  t.after(async () => {
    await running.close();
    await store.close();
    await log.close();
  });
  return { alarms, ends, reached: async () => running.reached(await log.end()) };
};

describe('workers of a build', () => {
  it('come to the same documents and checkpoints, however many they are', async (t) => {
    const dataDir = await left(t, 500);
    for (const workers of [1, 2, 3]) assert.equal((await built(dataDir, workers)).ended, 'built');
    const [served, ...others] = await digestsIn(dataDir);
    assert.equal(others.length, 3);
    for (const other of others) assert.deepEqual(other, served);
  });

  it('go on where fewer of them were stopped', async (t) => {
    const dataDir = await left(t, 100);
    await built(dataDir, 3);
    // Another one begins at its start, the same goes on from its end, where nothing is left.
    const again = await buildGeneration(
      configOf(dataDir),
      { follow: false, anew: false, share: 100, workers: 2 },
      { progress: () => undefined, signal: new AbortController().signal },
    );
    assert.deepEqual([again.ended, again.percent], ['built', 100]);
    const [one, other] = await digestsIn(dataDir);
    assert.deepEqual(other, one);
    assert.deepEqual((await generationsIn(dataDir).list()).map(({ name }) => name)[0], first);
  });

  it('end the build by name when one of them dies', async (t) => {
    const crew = await crewOf(t, await left(t, 50), 'process.exit(3)');
    await assert.rejects(crew.reached(), ProjectionStopped);
    assert.ok(crew.ends[0] instanceof BuildStopped);
    assert.match(crew.ends[0].message, /was stopped: worker [12] of 2 has ended with 3$/);
  });

  it('end the build by name when one of them throws', async (t) => {
    const crew = await crewOf(t, await left(t, 50), 'throw new Error("out of ideas")');
    await assert.rejects(crew.reached(), ProjectionStopped);
    assert.match(String(crew.ends[0]?.message), /worker [12] of 2 has failed: Error: out of ideas$/);
  });

  it('tell of an event that one of them cannot fold', async (t) => {
    const stopped = { kind: 'stopped', projection: 'messages', position: '7n', error: 'Error: no' };
    const program = `import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ ...${JSON.stringify(stopped)}, position: 7n });
      parentPort.once('message', () => undefined);`;
    const crew = await crewOf(t, await left(t, 50), program);
    await assert.rejects(crew.reached(), /the projection messages has stopped/);
    assert.deepEqual(crew.alarms[0], { projection: 'messages', position: 7n, error: 'Error: no' });
    assert.deepEqual(crew.ends, []);
  });
});
