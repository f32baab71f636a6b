import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { botEvents } from '../../src/domain/bots/events.js';
import { dayCountEvents, identityEvents, keyCountEvents } from '../../src/domain/deployments/events.js';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { eventKinds } from '../../src/domain/registry.js';
import { visibilityEvents } from '../../src/domain/visibility/events.js';
import { reservationEvents } from '../../src/domain/reservations/events.js';
import { freeMeter } from '../../src/gateway/contract/meter.js';
import { ownShares } from '../../src/gateway/packages/messages/history.js';
import { historyParts, notBuilt, prefetchedUsers, updateTable, type UpdateNeeds } from '../../src/gateway/registry.js';
import { rpcTable, updateTable as updates } from '../../src/gen/rpcs.js';
import type { UserId } from '../../src/kernel/ids.js';
import { textOf } from '../support/sources.js';
import { readsOf } from '../support/reads.js';

const unasked = (): never => {
  throw new Error('nothing is rendered here');
};
const needs: UpdateNeeds = {
  statusOf: unasked,
  rememberedStatusOf: unasked,
  load: unasked,
  holders: unasked,
  reads: readsOf(memoryDocuments()),
  readModels: { reached: unasked },
};

describe('the registry of packages', () => {
  // Of reservations nobody is told: they are how a name is kept for one account, and the account tells of the name.
  // Deployments, and whose a bot is, concern the operator alone. The choice to be invisible is kept from everybody; a presence tells of the
  // other one.
  const untold = new Set(
    [reservationEvents, identityEvents, keyCountEvents, dayCountEvents, visibilityEvents, botEvents].flatMap((events) =>
      Object.keys(events),
    ),
  );
  const told = eventKinds.map(({ type }): string => type).filter((type) => !untold.has(type));

  it('says of every event what clients are told', () => {
    assert.deepEqual(Object.keys(updateTable(needs)).sort(), told.sort());
  });

  it('prefetches for events that there are', () => {
    const prefetched = Object.keys(prefetchedUsers);
    assert.deepEqual(
      prefetched,
      told.filter((type) => prefetched.includes(type)),
    );
    assert.ok(prefetched.length > 0);
  });
});

describe('a page of history', () => {
  it('is shared by the packages that show something on it, and no field of it is shown by two', async () => {
    const shares = [...Object.values(ownShares), ...historyParts.map(({ share }) => share)];
    assert.ok(shares.every((share) => share > 0));
    assert.ok(shares.reduce((sum, share) => sum + share, 0) <= 1);
    const reads = readsOf(memoryDocuments());
    const asked = { reads, messages: [], viewer: 1n as UserId, bytesMax: 0, meter: freeMeter };
    const fields = (await Promise.all(historyParts.map(({ partOf }) => partOf(asked)))).flatMap(Object.keys);
    assert.deepEqual(fields, [...new Set(fields)]);
    assert.ok(fields.length > 0);
  });
});

describe('README.md', () => {
  it('counts the RPCs that work, and all of them', () => {
    const all = Object.keys(rpcTable).length;
    const counted = `${(all - notBuilt.length).toString()} of the protocol's ${all.toString()} RPCs`;
    assert.ok(textOf('README.md').includes(`\n${counted}, with all their updates:`), counted);
  });
});

describe('CHANGELOG.md', () => {
  it('counts the RPCs and updates of the protocol', () => {
    const counted = `all ${Object.keys(rpcTable).length.toString()} RPCs and ${Object.keys(updates).length.toString()} updates`;
    assert.ok(textOf('CHANGELOG.md').includes(counted), counted);
  });

  it('counts the RPCs that work, and the others', () => {
    const log = textOf('CHANGELOG.md');
    const built = Object.keys(rpcTable).length - notBuilt.length;
    for (const counted of [`\n- ${built.toString()} RPCs`, `The other ${notBuilt.length.toString()} are answered`])
      assert.ok(log.includes(counted), counted);
  });
});
