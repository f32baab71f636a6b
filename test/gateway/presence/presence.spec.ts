import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { reconnectMillisMax } from '../../../src/gateway/presence/presentSessions.js';
import { statusMillisMin } from '../../../src/gateway/presence/statusUpdates.js';
import { choiceMillisMin } from '../../../src/gateway/presence/visibility.js';
import { returnMillisMax, statedMillisMax, type Status } from '../../../src/kernel/ports/presence.js';
import { deployment, nodeOf, on, settled, type Deployment, type PresenceNode, type Staging } from './presenceStage.js';

const laptop = on(1n, 11n);
const phone = on(1n, 12n);
const [online, idle] = [0, 1];
const chess = { title: 'Chess', type: 0, startTime: 5n };
const said = (status: Status) => ({ status, activities: [] });

const staged = async (t: TestContext, staging: Staging = {}) => {
  const shared = deployment();
  return { shared, ...shared, ...(await nodeOf(t, shared, staging)) };
};
/** What is told over so long, second by second. */
const over = async ({ time }: Deployment, { statuses }: PresenceNode, millis: number): Promise<readonly unknown[]> => {
  const told: unknown[] = [];
  for (let passed = 0; passed < millis; passed += 1_000) {
    time.pass(1_000);
    told.push(...(await statuses()));
  }
  return told;
};

describe('presence', () => {
  it('of who comes is told to those who may know', async (t) => {
    const { made, heard, changed, statusOf } = await staged(t);
    made.came(laptop);
    assert.deepEqual(await heard(), [[online, 2]]);
    assert.deepEqual(changed, [laptop.user]);
    assert.deepEqual(await statusOf([laptop.user]), [{ status: online, activities: [] }]);
  });

  it('does not end when the session comes back at once', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.statuses();
    node.made.went(laptop);
    node.time.pass(reconnectMillisMax - 1);
    node.made.came(laptop);
    assert.deepEqual(await over(node.shared, node, 5_000), []);
  });

  it('ends when the session stays away', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.statuses();
    node.made.went(laptop);
    assert.deepEqual(await over(node.shared, node, 5_000), ['offline']);
    assert.deepEqual(await node.statusOf([laptop.user]), [undefined]);
  });

  it('is the best of the sessions, told only when it changes', async (t) => {
    const node = await staged(t);
    const { made, statuses, shared } = node;
    made.came(laptop);
    made.came(phone);
    assert.deepEqual(await statuses(), [online]);
    await made.changeStatus(laptop, said('idle'));
    assert.deepEqual(await over(shared, node, 3_000), []);
    made.went(phone);
    assert.deepEqual(await over(shared, node, 5_000), [idle]);
  });

  it('never says that somebody is invisible', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.statuses();
    await node.made.changeStatus(laptop, said('invisible'));
    assert.deepEqual(await over(node.shared, node, 3_000), ['offline']);
    assert.deepEqual(await node.statusOf([laptop.user]), [undefined]);
  });

  it('says what somebody is doing', async (t) => {
    const { made, statusOf, statuses } = await staged(t);
    made.came(laptop);
    await statuses();
    await made.changeStatus(laptop, { status: 'online', activities: [chess] });
    assert.deepEqual(await statusOf([laptop.user]), [{ status: online, activities: [chess] }]);
  });

  it('does not begin with a change that is carried out after its session has gone', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await settled();
    node.made.went(laptop);
    await over(node.shared, node, 5_000);
    await node.made.changeStatus(laptop, said('online'));
    assert.deepEqual([await over(node.shared, node, 5_000), await node.statusOf([laptop.user])], [[], [undefined]]);
  });

  it('begins also when the log could not be read at first', async (t) => {
    const failures: unknown[] = [];
    const node = await staged(t, {
      presence: {
        kept: () => (failures.length === 0 ? Promise.reject(new Error('away')) : Promise.resolve(undefined)),
      },
      failed: (error) => void failures.push(error),
    });
    node.made.came(laptop);
    assert.deepEqual(await node.statuses(), []);
    assert.deepEqual(await over(node.shared, node, 5_000), [online]);
    assert.equal(failures.length, 1);
  });
});

describe('a session that comes back', () => {
  it('is invisible still, and never told online for a tick', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('invisible'));
    await over(node.shared, node, 5_000);
    node.made.went(laptop);
    await over(node.shared, node, 2_600);
    node.made.came(laptop);
    assert.deepEqual(
      [await over(node.shared, node, 5_000), await node.choices()],
      [[], ['visibility-11 InvisibilityChosen']],
    );
  });

  it('is invisible still a day later, after a restart and on another node', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('invisible'));
    node.made.went(laptop);
    await over(node.shared, node, 3_000);
    await node.made.close();
    node.time.pass(86_400_000);
    const other = await nodeOf(t, node.shared);
    other.made.came(laptop);
    assert.deepEqual([await over(node.shared, other, 5_000), await other.statusOf([laptop.user])], [[], [undefined]]);
  });

  it('has its status and its activities on any node for ten minutes after its last connection', async (t) => {
    const here = await staged(t);
    const there = await nodeOf(t, here.shared);
    here.made.came(laptop);
    await here.made.changeStatus(laptop, { status: 'idle', activities: [chess] });
    here.time.pass(2 * statedMillisMax);
    await settled();
    here.made.went(laptop);
    await over(here.shared, here, 5_000);
    here.time.pass(statedMillisMax - 10_000);
    there.made.came(laptop);
    await settled();
    assert.deepEqual(await there.statusOf([laptop.user]), [{ status: idle, activities: [chess] }]);
  });

  it('has ten minutes from its last connection, and not from its last statement', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('idle'));
    await over(node.shared, node, 60_000);
    node.made.went(laptop);
    await over(node.shared, node, 5_000);
    node.time.pass(statedMillisMax - 10_000);
    node.made.came(laptop);
    assert.deepEqual(await node.statuses(), [idle]);
  });

  it('is as new after ten minutes', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, { status: 'idle', activities: [chess] });
    node.made.went(laptop);
    await over(node.shared, node, 5_000);
    node.time.pass(statedMillisMax);
    node.made.came(laptop);
    await settled();
    assert.deepEqual(await node.statusOf([laptop.user]), [{ status: online, activities: [] }]);
  });

  it('to another node is never shown online while its choice to be invisible is still to be written', async (t) => {
    const here = await staged(t);
    const there = await nodeOf(t, here.shared);
    here.made.came(laptop);
    for (const status of ['invisible', 'online', 'invisible'] as const) {
      here.time.pass(10);
      await here.made.changeStatus(laptop, said(status));
    }
    here.made.went(laptop);
    await over(here.shared, here, 2_600);
    await there.statuses();
    there.made.came(laptop);
    assert.deepEqual(await over(here.shared, there, 10_000), []);
  });
});

describe('the last statement of a session', () => {
  it('is what it said last, also when the clock was set back meanwhile', async (t) => {
    const node = await staged(t);
    node.clock.aheadMillis = 3_600_000;
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('online'));
    node.clock.aheadMillis = 0;
    await node.made.changeStatus(laptop, said('invisible'));
    await over(node.shared, node, 5_000);
    node.made.went(laptop);
    await over(node.shared, node, 2_600);
    node.made.came(laptop);
    assert.deepEqual(await over(node.shared, node, 5_000), []);
  });

  it('is a choice also where it came before the session was looked up', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('invisible'));
    node.made.went(laptop);
    await over(node.shared, node, 6_000);
    node.time.pass(statedMillisMax);
    node.made.came(laptop);
    await node.made.changeStatus(laptop, said('online'));
    assert.deepEqual(await node.choices(), ['visibility-11 InvisibilityChosen', 'visibility-11 VisibilityChosen']);
  });

  it('is not overruled by an earlier one that still waited on another node', async (t) => {
    const here = await staged(t);
    const there = await nodeOf(t, here.shared);
    here.made.came(laptop);
    await here.made.changeStatus(laptop, said('invisible'));
    here.time.pass(10);
    await here.made.changeStatus(laptop, said('online'));
    here.made.went(laptop);
    there.made.came(laptop);
    here.time.pass(10);
    await there.made.changeStatus(laptop, said('invisible'));
    await over(here.shared, here, 2 * choiceMillisMin);
    assert.deepEqual(await here.choices(), ['visibility-11 InvisibilityChosen']);
  });

  it('is written by the node that it comes back to where the one before died before it could', async (t) => {
    const here = await staged(t);
    const there = await nodeOf(t, here.shared);
    await here.shared.presence.keep({ ...laptop, ...said('invisible'), at: here.clock.now() });
    there.made.came(laptop);
    await settled();
    assert.deepEqual(await here.choices(), ['visibility-11 InvisibilityChosen']);
  });
});

describe('the choice to be invisible', () => {
  it('is one event in five seconds at most, the last choice then', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    for (let change = 0; change < 99; change += 1) {
      await node.made.changeStatus(laptop, said(change % 2 === 0 ? 'invisible' : 'idle'));
    }
    assert.equal((await node.choices()).length, 1);
    await node.made.changeStatus(laptop, said('online'));
    node.time.pass(choiceMillisMin);
    await settled();
    assert.deepEqual(await node.choices(), ['visibility-11 InvisibilityChosen', 'visibility-11 VisibilityChosen']);
  });

  it('is no event where only another status or activity was chosen', async (t) => {
    const { made, choices } = await staged(t);
    made.came(laptop);
    await made.changeStatus(laptop, said('idle'));
    await made.changeStatus(laptop, { status: 'online', activities: [chess] });
    assert.deepEqual(await choices(), []);
  });

  it('is written before the node stops', async (t) => {
    const { made, log, choices } = await staged(t);
    made.came(laptop);
    for (const status of ['invisible', 'online'] as const) await made.changeStatus(laptop, said(status));
    await made.close();
    assert.deepEqual(await choices(), ['visibility-11 InvisibilityChosen', 'visibility-11 VisibilityChosen']);
    assert.equal(await log.maxCountOf('visibility-11'), 1);
  });

  it('of one session says nothing about the other', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    node.made.came(phone);
    await node.statuses();
    await node.made.changeStatus(laptop, { status: 'invisible', activities: [chess] });
    assert.deepEqual(await over(node.shared, node, 3_000), []);
    assert.deepEqual(await node.statusOf([laptop.user]), [{ status: online, activities: [] }]);
  });
});

describe('a status that changes a hundred times in a second', () => {
  it('is told as it was first and as it is last', async (t) => {
    const node = await staged(t);
    node.made.came(laptop);
    assert.deepEqual(await over(node.shared, node, 3_000), [online]);
    for (let change = 0; change < 100; change += 1) {
      const activities = [{ ...chess, title: `Game ${change.toString()}` }];
      await node.made.changeStatus(laptop, { status: 'idle', activities });
      if (change === 0) await settled();
      node.time.pass(10);
    }
    node.time.pass(statusMillisMin);
    await settled();
    const titles = node.told.map(({ update }) => {
      const activity = 'userStatus' in update ? update.userStatus.status?.activities?.[0] : undefined;
      return activity !== undefined && 'title' in activity ? activity.title : undefined;
    });
    assert.deepEqual(titles, ['Game 0', 'Game 99']);
  });
});

describe('a restart', () => {
  const everybody = Array.from({ length: 100 }, (_, index) => on(BigInt(index), BigInt(index)));
  const audience = () => everybody.map(({ user }) => user);
  /** The time it takes to tell everybody of everybody. */
  const allTold = async ({ time }: Deployment): Promise<void> => {
    await settled();
    for (let tick = 0; tick < 100; tick += 1) {
      time.pass(30);
      await settled();
    }
  };

  it('is no reason to tell of those who come back, on the same node', async (t) => {
    const before = deployment();
    const node = await nodeOf(t, before, { audience });
    for (const caller of everybody) node.made.came(caller);
    await allTold(before);
    await node.heard();
    node.made.stopping();
    for (const caller of everybody) node.made.went(caller);
    // Connections are closed over some seconds.
    assert.deepEqual(await over(before, node, 4_000), []);
    await node.made.close();
    await before.presence.close();
    const [saved] = before.saved;
    assert.ok(saved !== undefined);

    const after = deployment({ saved });
    const next = await nodeOf(t, after, { audience });
    after.presence.watch(next.made.changedElsewhere);
    for (const caller of everybody.slice(1)) next.made.came(caller);
    assert.deepEqual(await next.heard(), []);
    after.time.pass(returnMillisMax);
    assert.deepEqual(await next.heard(), [['offline', everybody.length]]);
  });

  it('of one node is no reason to tell of those who come back to another', async (t) => {
    const shared = deployment();
    const [here, there] = [await nodeOf(t, shared, { audience }), await nodeOf(t, shared, { audience })];
    for (const caller of everybody) here.made.came(caller);
    await allTold(shared);
    await there.heard();
    here.made.stopping();
    for (const caller of everybody) here.made.went(caller);
    await here.made.close();
    for (const caller of everybody) there.made.came(caller);
    assert.deepEqual(await over(shared, there, 10_000), []);
  });
});
