import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rpcPolicy } from '../../src/gateway/contract/rpcPolicy.js';
import { notBuilt } from '../../src/gateway/registry.js';
import { rpcTable, type RpcName } from '../../src/gen/rpcs.js';
import type { PermissionName } from '../../src/kernel/permissions.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { testServer, type TestServer } from '../support/server.js';
import { askers, connectionOf, ground, people, type Asker, type Ground, type People } from './grounds.js';
import { outcomeTable, type Outcome, type Row } from './outcomeTable.js';
import { metricsOf, portIn } from '../support/operatorPorts.js';
import { guest, outcomeOf, signUp } from './seat.js';

const names = Object.keys(rpcTable) as RpcName[]; // The table's keys are the names.
const built = names.filter((name) => !(notBuilt as readonly RpcName[]).includes(name));

/** How many events have been stored since the start. */
const stored = async ({ urls }: Deployment): Promise<number> => {
  const counts = await Promise.all(urls.map(storedBy));
  return counts.reduce((sum, count) => sum + count, 0);
};

const storedBy = async (url: string): Promise<number> => {
  const text = await metricsOf(portIn(url));
  const [, count] = /^osmium_appended_events_total (\d+)$/m.exec(text) ?? [];
  // A node at which nothing has happened yet does not count.
  return Number(count ?? 0);
};

describe('of the RPCs of the protocol', () => {
  let server: TestServer;
  before(async () => {
    server = await testServer();
  });
  after(() => server.remove());

  it('each one that is built is in the table below', () => {
    const inTable = new Set(outcomeTable.map(({ rpc }) => rpc));
    assert.deepEqual(
      built.filter((name) => !inTable.has(name)),
      [],
    );
    assert.equal(inTable.size, built.length);
  });

  it('those that are not built are answered with 501 once there is a session', async () => {
    const seat = await signUp(server.url, 'Ada');
    for (const name of notBuilt) assert.equal(outcomeOf(await seat.ask(name, {})), 501, name);
  });

  it('those that are not built need a session all the same, unless the protocol lets them do without', async () => {
    const nobody = await guest(server.url);
    const outcomes = await Promise.all(notBuilt.map(async (name) => [name, outcomeOf(await nobody.ask(name, {}))]));
    assert.deepEqual(
      outcomes,
      notBuilt.map((name) => [name, rpcPolicy[name].session === 'open' ? 501 : 401]),
    );
  });
});

onEachDeployment('what everybody is answered:', (start) => {
  let server: Deployment;
  let all: People;
  const grounds = new Map<PermissionName, Promise<Ground>>();
  before(async () => {
    server = await start();
    all = await people(server);
  });
  after(() => server.remove());

  const groundFor = ({ bit, destroys }: Row): Promise<Ground> => {
    if (destroys) return ground(all, bit);
    const made = grounds.get(bit) ?? ground(all, bit);
    grounds.set(bit, made);
    return made;
  };
  const outcomeFor = async (row: Row, asker: Asker): Promise<Outcome> => {
    const request = await row.request(await groundFor(row));
    const connection = await connectionOf(all, asker);
    const before = await stored(server);
    const outcome = outcomeOf(await connection.ask(row.rpc, request));
    // What is refused has changed nothing.
    if (typeof outcome === 'number') assert.equal(await stored(server), before);
    await connection.raw.leave();
    return outcome;
  };

  for (const row of outcomeTable) {
    it(`${row.rpc}${row.about === undefined ? '' : `, ${row.about}`}`, async () => {
      const outcomes: [Asker, Outcome][] = [];
      for (const asker of askers) outcomes.push([asker, await outcomeFor(row, asker)]);
      assert.deepEqual(
        outcomes,
        askers.map((asker, index) => [asker, row.outcomes[index]]),
      );
    });
  }
});
