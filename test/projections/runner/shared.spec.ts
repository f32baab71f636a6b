import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryLeaseRecords, memoryLeases } from '../../../src/adapters/leases/memory.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import type { Event } from '../../../src/kernel/event.js';
import type { Millis, UserId } from '../../../src/kernel/ids.js';
import { Fenced, type DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import type { PubSub } from '../../../src/kernel/ports/pubSub.js';
import { checkpointOf } from '../../../src/projections/progress/checkpoints.js';
import { projectionNamed } from '../../../src/projections/registry.js';
import type { Projections } from '../../../src/projections/runner/runner.js';
import { user } from '../../../src/projections/users/queries.js';
import { nodeTimers, settled, type NodeTimers } from '../../support/nodeTimers.js';
import { now, openStore, setting, type Setting } from '../setting.js';

const ada = 1n as UserId;
const registered: Event = { type: 'UserRegistered', data: { user: ada, bot: false, name: 'Ada' } };
const renamed = (name: string): Event => ({ type: 'NameChanged', data: { user: ada, name } });

/** Redis that is away. */
const silent: PubSub = {
  publish: () => Promise.resolve(),
  subscribe: () => Promise.resolve(() => Promise.resolve()),
  close: () => Promise.resolve(),
};

type Node = { readonly projections: Projections; readonly timers: NodeTimers };

/** Nodes on one log and one store, each with a time of its own: one whose time stands still is a process that does. */
const town = async (pubSub: PubSub = localPubSub({ onListenerError: assert.fail })) => {
  const about: Setting = setting();
  const store = await openStore();
  const records = memoryLeaseRecords();
  const started: Projections[] = [];
  const node = async (over: DocumentStore = store, generation = 'first'): Promise<Node> => {
    const timers = nodeTimers();
    const clock = { now: () => (now + timers.now()) as Millis };
    const leases = memoryLeases(records, timers);
    const sharing = { generation, leases, timers, uptime: timers, pubSub };
    const projections = await about.start({ store: over, clock, sharing });
    started.push(projections);
    return { projections, timers };
  };
  const close = async (): Promise<void> => {
    for (const projections of started) await projections.close();
  };
  return { ...about, store, node, close };
};

const rolesOf = (...nodes: readonly Node[]) => nodes.map(({ projections }) => projections.role());

describe('projections of several nodes', () => {
  it('are written by one of them in each generation, which others leave alone', async () => {
    const { node, happened, close } = await town();
    const nodes = [await node(), await node(), await node(await openStore(), 'second')];
    assert.deepEqual(rolesOf(...nodes), ['projects', 'follows', 'projects']);
    const position = await happened('user-1', registered);
    for (const { projections } of nodes) await projections.reached(position);
    await close();
  });

  it('are written by one of them, and reached on all', async () => {
    const { node, happened, store, close, reading } = await town();
    const [one, other] = [await node(), await node()];
    assert.deepEqual(rolesOf(one, other), ['projects', 'follows']);
    const position = await happened('user-1', registered);
    await other.projections.reached(position);
    await one.projections.reached(position);
    assert.equal((await user(reading(store), ada))?.name, 'Ada');
    await close();
  });

  it('are reached where nothing is heard of the node that projects', async () => {
    const { node, happened, close } = await town(silent);
    const [, other] = [await node(), await node()];
    const position = await happened('user-1', registered);
    let reached = false;
    void other.projections.reached(position)?.then(() => (reached = true));
    await other.timers.passUntil(() => reached, 1_000);
    await close();
  });

  it('are asked for only while somebody waits', async () => {
    const { node, happened, close } = await town(silent);
    const [, other] = [await node(), await node()];
    const position = await happened('user-1', registered);
    await settled();
    // The next look for the lease, and nothing else.
    assert.equal(other.timers.waiting(), 1);
    other.projections.reached(position + 1n)?.catch(() => undefined);
    await settled();
    assert.equal(other.timers.waiting(), 2);
    await close();
  });

  it('go on on another node within 10 s when the one that projects stands still', async () => {
    const { node, happened, store, close, reading } = await town();
    const [one, other] = [await node(), await node()];
    const position = await happened('user-1', registered);
    await one.projections.reached(position);
    // Of `one` no timer goes off any more.
    const tookMillis = await other.timers.passUntil(() => other.projections.role() === 'projects');
    assert.ok(tookMillis <= 10_000);
    await other.projections.reached(await happened('user-1', renamed('Countess')));
    assert.equal((await user(reading(store), ada))?.name, 'Countess');
    await close();
  });

  it('are not written any more by a node that stood still, whatever it had under way', async () => {
    const { node, happened, store, troubles, close, reading } = await town();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isSlow = false;
    const slow: DocumentStore = {
      ...store,
      commit: async (writes, checkpoints) => {
        if (isSlow && writes.length > 0) await held;
        return store.commit(writes, checkpoints);
      },
    };
    const one = await node(slow);
    const other = await node();
    isSlow = true;
    const first = await happened('user-1', registered);
    await other.timers.passUntil(() => other.projections.role() === 'projects');
    await other.projections.reached(first);
    const last = await happened('user-1', renamed('Countess'));
    await other.projections.reached(last);
    release();
    await settled();
    assert.ok(troubles.some(({ error }) => error instanceof Fenced));
    assert.deepEqual(rolesOf(one, other), ['follows', 'projects']);
    assert.equal((await user(reading(store), ada))?.name, 'Countess');
    assert.equal(await store.checkpoint(checkpointOf(projectionNamed('users'))), last);
    // It follows now, as all others do.
    await one.projections.reached(await happened('user-1', renamed('Lovelace')));
    await close();
  });

  it('go on at once when the node that projects ends', async () => {
    const { node, happened, close } = await town();
    const [one, other] = [await node(), await node()];
    await one.projections.close();
    await other.timers.passUntil(() => other.projections.role() === 'projects', 0);
    await other.projections.reached(await happened('user-1', registered));
    await close();
  });
});
