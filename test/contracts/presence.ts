import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Millis, SessionId, UserId } from '../../src/kernel/ids.js';
import type { Presence, SessionPresence, StatedPresence } from '../../src/kernel/ports/presence.js';

/** Two nodes that see the same presence; where there is only one process, the same object twice. */
export type PresencePair = { readonly here: Presence; readonly there: Presence };

export const presenceContract = (name: string, makePair: () => PresencePair | Promise<PresencePair>): void => {
  describe(`presence: ${name}`, () => {
    let pair: PresencePair | undefined;
    const nodes = (): PresencePair => {
      assert.ok(pair);
      return pair;
    };
    before(async () => {
      pair = await makePair();
    });
    after(async () => {
      await nodes().here.close();
      if (nodes().there !== nodes().here) await nodes().there.close();
    });
    contract(nodes);
  });
};

const freshUser = (): UserId => BigInt(`0x${randomBytes(7).toString('hex')}`) as UserId;

const online = (user: UserId, session: bigint): SessionPresence => ({
  user,
  session: session as SessionId,
  status: 'online',
  activities: [],
  lastActive: 1_767_225_600_000 as Millis,
});

const said = (user: UserId, session: SessionId, at: number): StatedPresence => ({
  user,
  session,
  status: 'idle',
  activities: [],
  at: at as Millis,
});

const bySession = (sessions: readonly SessionPresence[] | undefined): readonly SessionPresence[] =>
  [...(sessions ?? [])].sort((a, b) => Number(a.session - b.session));

const contract = (nodes: () => PresencePair): void => {
  it('has nothing of who is not connected', async () => {
    assert.deepEqual(await nodes().here.of([freshUser()]), [[]]);
  });

  it('shows every session of a user on every node, in full', async () => {
    const { here, there } = nodes();
    const user = freshUser();
    const playing = { title: 'Chess', type: 0, startTime: 2n ** 60n + 1n, endTime: 2n ** 60n + 2n, state: 'endgame' };
    const busy: SessionPresence = { ...online(user, 2n ** 62n + 1n), status: 'idle', activities: [playing] };
    const plain = { ...online(user, 5n), activities: [{ title: 'Go', type: 2, startTime: 0n }] };
    await here.put(plain);
    await there.put(busy);
    for (const node of [here, there]) {
      const [sessions] = await node.of([user]);
      assert.deepEqual(bySession(sessions), [plain, busy]);
    }
  });

  it('answers in the order of the users', async () => {
    const { here } = nodes();
    const [one, other, none] = [freshUser(), freshUser(), freshUser()];
    await here.put(online(one, 1n));
    await here.put(online(other, 2n));
    assert.deepEqual(await here.of([other, none, one, other]), [
      [online(other, 2n)],
      [],
      [online(one, 1n)],
      [online(other, 2n)],
    ]);
    assert.deepEqual(await here.of([]), []);
  });

  it('replaces the presence of a session', async () => {
    const { here, there } = nodes();
    const user = freshUser();
    await here.put(online(user, 1n));
    await here.put({ ...online(user, 1n), status: 'invisible' });
    assert.deepEqual(await there.of([user]), [[{ ...online(user, 1n), status: 'invisible' }]]);
  });

  it('keeps what a session said last for all nodes, also when it is gone', async () => {
    const { here, there } = nodes();
    const user = freshUser();
    const session = freshUser() as bigint as SessionId;
    const activities = [{ title: 'Chess', type: 0, startTime: 2n ** 60n + 1n, state: 'endgame' }];
    const [first, last] = [said(user, session, 1), { ...said(user, session, 2), activities }];
    await here.keep(first);
    await here.put(online(user, session));
    await there.keep(last);
    await here.remove(user, session);
    for (const node of [here, there]) assert.deepEqual(await node.kept(user, session), last);
  });

  it('keeps nothing that was said before what it has', async () => {
    const { here, there } = nodes();
    const user = freshUser();
    const session = freshUser() as bigint as SessionId;
    await here.keep(said(user, session, 2));
    await there.keep({ ...said(user, session, 1), status: 'online' });
    for (const node of [here, there]) assert.deepEqual(await node.kept(user, session), said(user, session, 2));
  });

  it('keeps nothing of a session that said nothing', async () => {
    const session = freshUser() as bigint as SessionId;
    assert.equal(await nodes().here.kept(freshUser(), session), undefined);
  });

  it('removes one session and leaves the others; removing it again is nothing', async () => {
    const { here, there } = nodes();
    const user = freshUser();
    await here.put(online(user, 1n));
    await here.put(online(user, 2n));
    await here.remove(user, 1n as SessionId);
    await here.remove(user, 1n as SessionId);
    assert.deepEqual(await there.of([user]), [[online(user, 2n)]]);
    await here.remove(user, 2n as SessionId);
    assert.deepEqual(await there.of([user]), [[]]);
  });
};
