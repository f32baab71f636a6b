import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { lmdbLogFollower } from '../../../src/adapters/eventLog/lmdbFollower.js';
import { memoryLeaseRecords, memoryLeases } from '../../../src/adapters/leases/memory.js';
import type { LeaseRecords } from '../../../src/adapters/leases/recorded.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { closedSealer } from '../../../src/adapters/sealer/closedSealer.js';
import { configFrom } from '../../../src/config.js';
import { buildGeneration } from '../../../src/container/generations/build.js';
import { BuildStopped } from '../../../src/container/generations/buildEnd.js';
import { buildWorkers, type BuildWorkersNeeds } from '../../../src/container/generations/buildWorkers.js';
import { eventKinds } from '../../../src/domain/registry.js';
import { foldersIn, generationsOf, openDocuments } from '../../../src/engines.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import { beforeAll } from '../../../src/kernel/event.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { checkpointOf, workersCheckpoint } from '../../../src/projections/progress/checkpoints.js';
import { projectionProgress } from '../../../src/projections/progress/progress.js';
import { ProjectionStopped } from '../../../src/projections/progress/waiters.js';
import { collections, projections } from '../../../src/projections/registry.js';
import type { Alarm } from '../../../src/projections/runner/foldingEngine.js';
import { project } from '../../../src/projections/runner/leader.js';
import type { Portion } from '../../../src/projections/runner/portion.js';
import { checkpointed, DocumentsAheadOfLog, type Sharing } from '../../../src/projections/runner/runner.js';
import { digestsIn, first, lively, second } from '../../cli/projections.js';
import { generationsIn, ownSet } from '../../support/generations.js';
import { nodeTimers } from '../../support/nodeTimers.js';

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
const crewOf = async (t: TestContext, dataDir: string, program: string, more: Partial<BuildWorkersNeeds> = {}) => {
  const [config, alarms, ends]: [ReturnType<typeof configOf>, Alarm[], Error[]] = [configOf(dataDir), [], []];
  const generations = generationsOf(config);
  const generation = await generations.begin(ownSet, 2);
  assert.ok(generation);
  const store = await openDocuments(generations.documents(generation), collections);
  const log = lmdbLogFollower(foldersIn(dataDir).log);
  const running = await buildWorkers({
    ...{ config, generation, store, log, projections, workers: 2, share: 100, ...more },
    program: new URL(`data:text/javascript,${encodeURIComponent(program)}`),
    counted: () => undefined,
    onAlarm: (alarm) => alarms.push(alarm),
    onEnd: (error) => ends.push(error),
    // The lease is the one thing that fails.
    onTrouble: ({ doing, error }) => {
      if (doing !== 'holding the lease') assert.fail(String(error));
    },
  });
  t.after(async () => {
    await running.close();
    await store.close();
    await log.close();
  });
  return {
    alarms,
    ends,
    store,
    log,
    role: running.role,
    close: running.close,
    reached: async () => running.reached(await log.end()),
  };
};

/** By the clock of the test, which goes on while threads end by another one. */
const threadEndMillisMax = 10_000_000;

/** Leases of a store that cannot be reached while they are cut off. */
const cutLeases = () => {
  const [records, timers, cut] = [memoryLeaseRecords(), nodeTimers(), { isOff: false }];
  const ifReached = <T>(ask: () => Promise<T>): Promise<T> =>
    cut.isOff ? Promise.reject(new Error('cut off')) : ask();
  const mine: LeaseRecords = {
    ...records,
    read: (name) => ifReached(() => records.read(name)),
    change: (...what) => ifReached(() => records.change(...what)),
  };
  const sharing: Sharing = {
    ...{ generation: second, leases: memoryLeases(mine, timers), timers, uptime: timers },
    pubSub: localPubSub({ onListenerError: assert.fail }),
  };
  return { cut, timers, sharing };
};

/** Leaves a generation with the documents of one worker and no checkpoint, as a crash does while the others have stored nothing. */
const killedAhead = async (dataDir: string, portion: Portion): Promise<void> => {
  const generations = generationsOf(configOf(dataDir));
  const generation = await generations.begin(ownSet, 2);
  assert.ok(generation);
  const store = await openDocuments(generations.documents(generation), collections);
  const log = lmdbLogFollower(foldersIn(dataDir).log);
  const progress = projectionProgress(await checkpointed({ projections, store, log }));
  const ending = new AbortController();
  let documents = 0;
  const withoutCheckpoints: DocumentStore = {
    ...store,
    commit: (writes) => {
      documents += writes.length;
      return store.commit(writes, []);
    },
  };
  const folding = project(
    {
      ...{ log, store: withoutCheckpoints, projections, progress, portion },
      codec: eventCodec(eventKinds, closedSealer),
      ...{ onAlarm: ({ error }) => assert.fail(String(error)), onTrouble: ({ error }) => assert.fail(String(error)) },
    },
    { fence: undefined, signal: ending.signal },
  );
  await progress.reached(await log.end());
  ending.abort();
  await folding;
  assert.ok(documents > 0);
  for (const one of projections) assert.equal(await store.checkpoint(checkpointOf(one)), beforeAll);
  await store.close();
  await log.close();
};

describe('workers of a build', () => {
  it('come to the same documents and checkpoints, however many they are', async (t) => {
    const dataDir = await left(t, 500);
    for (const workers of [1, 2, 3]) assert.equal((await built(dataDir, workers)).ended, 'built');
    const [served, ...others] = await digestsIn(dataDir);
    assert.equal(others.length, 3);
    for (const other of others) assert.deepEqual(other, served);
  });

  it('go on where more of them were killed, one far ahead of the others', async (t) => {
    const dataDir = await left(t, 100);
    await killedAhead(dataDir, { worker: 1, workers: 3 });
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

  it('are let on to no event of which a start with an older log would not know', async (t) => {
    const beyond = 1_000_000n;
    const program = `import { parentPort, workerData } from 'node:worker_threads';
      parentPort.postMessage({ kind: 'waits', position: ${beyond.toString()}n });
      parentPort.once('message', ({ position }) => {
        parentPort.postMessage({ kind: 'stopped', projection: 'messages', position, error: String(workerData.permitted) });
      });`;
    const { alarms, store, log, reached } = await crewOf(t, await left(t, 50), program);
    await assert.rejects(reached(), ProjectionStopped);
    const end = await log.end();
    assert.deepEqual(alarms[0], { projection: 'messages', position: beyond, error: end.toString() });
    await assert.rejects(checkpointed({ projections, store, log }), (error: Error) => {
      assert.ok(error instanceof DocumentsAheadOfLog);
      return error.message.startsWith('the documents of a build by several workers are at 1000000, the log ends at ');
    });
  });

  it('are ended when they do not end by themselves', async (t) => {
    const crew = await crewOf(t, await left(t, 50), 'for (;;);', { endMillisMax: 100 });
    await crew.close();
    assert.deepEqual(crew.ends, []);
  });

  it('store where the log ends before they begin', async (t) => {
    const { store, log, reached } = await crewOf(t, await left(t, 50), 'process.exit(3)');
    await assert.rejects(reached(), ProjectionStopped);
    assert.equal(await store.checkpoint(workersCheckpoint), await log.end());
  });

  it('go on under a lease that ran out and is taken again', async (t) => {
    const names = JSON.stringify(projections.map(checkpointOf));
    const program = `import { parentPort, workerData } from 'node:worker_threads';
      const places = new Map(${names}.map((name) => [name, workerData.fence > 1n ? 1_000_000n : 0n]));
      parentPort.postMessage({ kind: 'stored', places, events: 1 });
      parentPort.once('message', () => undefined);`;
    const { cut, timers, sharing } = cutLeases();
    const crew = await crewOf(t, await left(t, 50), program, { sharing });
    assert.equal(crew.role(), 'projects');
    cut.isOff = true;
    await timers.passUntil(() => crew.role() === 'follows', threadEndMillisMax);
    cut.isOff = false;
    await timers.passUntil(() => crew.role() === 'projects', threadEndMillisMax);
    await crew.reached();
    assert.deepEqual(crew.ends, []);
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
