import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../../src/gateway/contract/call.js';
import { roster, type RosterBounds } from '../../../src/gateway/sessions/roster.js';
import { Standpoint, type Listener, type Session } from '../../../src/gateway/sessions/session.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';

/** Connections that come one after the other, each heard later than those before, and those that had to go. */
const crowd = (bounds: RosterBounds) => {
  const gone: string[] = [];
  const here = roster({
    bounds,
    renderer: { connect: () => Promise.resolve(), disconnect: () => undefined },
    came: () => undefined,
    went: () => undefined,
    left: () => undefined,
    changed: () => undefined,
  });
  let heard = 0;
  const come = (name: string, user: number, session = user) => {
    let of: Session | undefined;
    const connection = {
      subscribed: true,
      outbox: { send: () => undefined, broadcast: () => undefined, hold: () => undefined, release: () => undefined },
      get session() {
        return of;
      },
      joined: (joined: Session) => (of = joined),
      left: () => (of = undefined),
      gone: false,
      heardAt: (heard += 1),
      closeSoon: () => undefined,
      giveWay: (bound: string) => gone.push(`${name} by ${bound}`),
    };
    const caller: Caller = { user: BigInt(user) as UserId, session: BigInt(session) as SessionId };
    here.enter(connection satisfies Listener, caller, new Standpoint());
    return connection;
  };
  return { here, gone, come, hear: (connection: { heardAt: number }) => (connection.heardAt = heard += 1) };
};

describe('connections of one session', () => {
  it('are as many as the bound, and beyond it the one that was silent longest goes, not the newest', () => {
    const { gone, come, hear } = crowd({ connectionsPerSessionMax: 3 });
    const [oldest] = [come('oldest', 1), come('silent', 1), come('third', 1)];
    come('other', 1, 12);
    hear(oldest);
    const newest = come('newest', 1);
    assert.deepEqual(gone, ['silent by connections_per_session']);
    assert.equal(newest.session?.connections.length, 3);
  });
});

describe('connections of one user', () => {
  it('are as many as the bound over all sessions', () => {
    const { gone, come, here } = crowd({ connectionsPerUserMax: 2 });
    for (const session of [11, 12, 13]) come(session.toString(), 1, session);
    come('other', 2);
    assert.deepEqual([gone, [...here.sessions.keys()]], [['11 by connections_per_user'], [12n, 13n, 2n]]);
  });

  it('make room where all places are taken: of the user who has most, the one that was silent longest', () => {
    const { gone, come, here } = crowd({});
    const few = [come('few 1', 1), come('few 2', 1)];
    const many = [come('many 1', 2), come('many 2', 2, 22), come('many 3', 2, 22)];
    assert.ok(here.makeRoom() && here.makeRoom() && here.makeRoom());
    assert.deepEqual(gone.map((each) => each.replace(' by connections', '')).sort(), ['few 1', 'many 1', 'many 2']);
    assert.equal(here.makeRoom(), false);
    for (const connection of [...few, ...many]) here.leave(connection);
    assert.equal(here.users.get(2n as UserId)?.connections.length, 0);
  });
});
