import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { health, type HealthNeeds } from '../../../src/gateway/operations/health.js';
import type { Millis } from '../../../src/kernel/ids.js';
import type { ProjectionStatus } from '../../../src/projections/runner/runner.js';

const caughtUp: ProjectionStatus = { name: 'messages', position: 9n, lagMillis: 0 };

type Differs = Partial<HealthNeeds> & { readonly model?: Partial<ProjectionStatus>; readonly running?: boolean };

const setting = ({ model, running = true, ...differs }: Differs = {}) =>
  health({
    log: { end: () => Promise.resolve(9n) },
    clock: { now: () => 5_000 as Millis },
    fanOut: { isRunning: () => running, lastAt: () => 3_000, position: () => 7n },
    lag: { isBehind: () => false },
    projections: { status: () => Promise.resolve([{ ...caughtUp, ...model }]), role: () => 'follows' },
    documents: () => Promise.resolve(),
    search: () => Promise.resolve(undefined),
    own: () => Promise.resolve([]),
    generations: () => [{ name: '3fa09c21d4e8_1', isServing: true, position: 4n }],
    building: () => undefined,
    nodeNumber: () => 3,
    aloneBecause: () => undefined,
    ...differs,
  });

const away = () => Promise.reject(new Error('away'));

describe('the server', () => {
  it('is not ready while its generation is built, and says how far that is', async () => {
    const way = { position: 4n, end: 9n, percent: 44, eventsPerSecond: 1_200, secondsLeft: 3 };
    const { ready, reason } = await setting({ building: () => way }).readiness();
    assert.equal(ready, false);
    assert.equal(reason, 'the generation 3fa09c21d4e8_1 is built from the log: 44 %, 1200 events/s, about 3 s left');
  });

  it('is ready when everything follows the log', async () => {
    assert.deepEqual(await setting().readiness(), {
      ready: true,
      log: 'ok',
      documents: 'ok',
      otherNodes: 'ok',
      writes: 'ok',
      node: 3,
      role: 'follows',
      generation: '3fa09c21d4e8_1',
      generations: [{ name: '3fa09c21d4e8_1', isServing: true, position: '4', positions: 5 }],
      lags: [
        { of: 'fan-out', positions: 2, seconds: 2 },
        { of: 'messages', positions: 0, seconds: 0 },
      ],
      stopped: [],
      own: [],
    });
  });

  it('says how far the search index is, and is ready without it', async () => {
    const search = () => Promise.resolve({ name: 'search', position: 2n, lagMillis: 60_000 });
    const { ready, lags } = await setting({ search }).readiness();
    assert.deepEqual([ready, lags.at(-1)], [true, { of: 'search', positions: 7, seconds: 60 }]);
    assert.equal((await setting({ search: away }).readiness()).ready, true);
  });

  it('names the read models that have stopped', async () => {
    assert.deepEqual((await setting({ model: { stopped: new Error('a bad event') } }).readiness()).stopped, [
      'messages',
    ]);
  });

  const reasons: Readonly<Record<string, Parameters<typeof setting>[0]>> = {
    'clients are not told what happens': { running: false },
    'the read model messages has stopped': { model: { stopped: new Error('a bad event') } },
    'the read model messages is behind': { model: { lagMillis: 10_001 } },
    'the log does not answer': { log: { end: away } },
    'the store of the read models does not answer': { documents: away },
    'this node has no number for ids': { nodeNumber: () => undefined },
    'writes are refused: this node is behind the log': { lag: { isBehind: () => true } },
  };
  for (const [reason, differs] of Object.entries(reasons)) {
    it(`is not ready when ${reason}`, async () => {
      const readiness = await setting(differs).readiness();
      assert.deepEqual(readiness, { ...readiness, ready: false, reason });
    });
  }

  it('says that it hears nothing of other nodes, and is ready all the same', async () => {
    const readiness = await setting({ aloneBecause: () => 'the connection was closed' }).readiness();
    assert.deepEqual(readiness, { ...readiness, ready: true, otherNodes: 'the connection was closed' });
  });

  it('says how far everything is behind', async () => {
    assert.deepEqual(await setting({ model: { position: 4n, lagMillis: 1_500 } }).lags(), [
      { of: 'fan-out', positions: 2, seconds: 2 },
      { of: 'messages', positions: 5, seconds: 1.5 },
    ]);
  });
});
