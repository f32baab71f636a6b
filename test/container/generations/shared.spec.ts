import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import { memoryLeaseRecords, memoryLeases } from '../../../src/adapters/leases/memory.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import { RedisAway } from '../../../src/adapters/redis/pipeline.js';
import { generationsAdmin } from '../../../src/container/generations/admin.js';
import { toldGenerations } from '../../../src/container/generations/told.js';
import { of, type Get } from '../../../src/container/tokens.js';
import type { Generation, Generations } from '../../../src/kernel/ports/generations.js';
import type { Leases } from '../../../src/kernel/ports/leases.js';
import { raised, whileHeld, type Tenancy } from '../../../src/kernel/tenure.js';
import type { Trouble } from '../../../src/kernel/outages.js';
import { projectionsLease } from '../../../src/projections/runner/runner.js';
import type { RunningGenerations } from '../../../src/container/generations/needs.js';

const set = '0123456789ab';
const generationOf = (number: number): Generation => ({
  ...{ name: `${set}_${number.toString()}`, set, number, types: [] },
});
const [former, serving] = [generationOf(1), generationOf(2)];

const follows = (leases: Leases): Promise<Tenancy> =>
  whileHeld(
    projectionsLease(former.name),
    { leases, timers: systemTimers, uptime: systemTimers, onTrouble: (error) => assert.fail(String(error)) },
    ({ signal }) => raised(signal),
  );

const setting = () => {
  const records = memoryLeaseRecords();
  const leasesOfANode = (): Leases => memoryLeases(records, systemTimers);
  const dropped: string[] = [];
  const generations: Generations = {
    list: () => Promise.resolve([former, serving]),
    begin: () => Promise.resolve(undefined),
    serving: () => Promise.resolve(serving.name),
    serve: () => Promise.resolve(),
    servedBefore: () => Promise.resolve(former.name),
    documents: () => memoryDocuments(),
    documentsOfThread: () => memoryDocuments(),
    drop: ({ name }) => Promise.resolve(void dropped.push(name)),
    former: { isThere: () => Promise.resolve(false), documents: memoryDocuments, drop: () => Promise.resolve() },
  };
  const readModels = { projections: [], collections: [] };
  const leases = () => Promise.resolve(leasesOfANode());
  const drop = (released: RunningGenerations['released']) =>
    generationsAdmin({
      ...{ generations, readModels, set, leases },
      running: {
        // Only these two of its parts are asked when one is dropped.
        live: {
          serving: () => ({ generation: serving }),
          release: () => Promise.resolve(),
        } as unknown as RunningGenerations['live'],
        ...{ end: () => Promise.resolve(9n), switched: () => Promise.resolve(), released },
      },
    }).drop(former.name);
  return { leasesOfANode, dropped, drop };
};

describe('a generation that nodes share', () => {
  it('is not dropped while a node follows it that has not heard of the switch, though nobody holds its lease', async () => {
    const { leasesOfANode, dropped, drop } = setting();
    const here = await follows(leasesOfANode());
    const elsewhere = await follows(leasesOfANode());
    assert.match((await drop(() => here.close())) ?? '', /a process keeps it up to date/);
    assert.deepEqual(dropped, []);
    await elsewhere.close();
    assert.equal(await drop(() => Promise.resolve()), undefined);
    assert.deepEqual(dropped, [former.name]);
  });

  it('is switched and let go of also while other nodes cannot be told', async () => {
    const troubles: Trouble[] = [];
    const parts = new Map<unknown, unknown>([
      [of.config, { documents: { url: 'mongodb://localhost' } }],
      [of.pubSub, { publish: () => Promise.reject(new RedisAway('no answer')) }],
      [of.outages, { failed: (trouble: Trouble) => troubles.push(trouble) }],
    ]);
    // The map has what is asked for, under the token of its type.
    const get = ((token: unknown) => parts.get(token)) as Get;
    await toldGenerations(get, set).switched(serving.name);
    await toldGenerations(get, set).released(former.name);
    assert.equal(troubles.length, 2);
  });
});
