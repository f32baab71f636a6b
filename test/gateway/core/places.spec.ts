import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { variables } from '../../../src/config.js';
import { signedOutInFlightMax, signedOutInboundBytesMax } from '../../../src/gateway/connection.js';
import {
  connectionsMax,
  places,
  type Places,
  type PlacesOptions,
  type SignedOut,
} from '../../../src/gateway/places.js';
import { reject } from '../../../src/kernel/decider.js';
import { encodeRequest } from '../../../src/wire/envelope.js';
import { bytes, message, number } from '../../system/bytes.js';
import { initialize, unknownRequest, type RawClient } from './rawClient.js';
import { stage, type Stage, type Staging } from './stage.js';

const placesFor = (t: TestContext, options?: PlacesOptions): Places => {
  const made = places(options);
  t.after(made.close);
  return made;
};

/** Connections that come one after the other, and those of them that had to go, in order. */
const crowd = (t: TestContext, options: PlacesOptions) => {
  const room = placesFor(t, options);
  const gone: string[] = [];
  const open = new Set<string>();
  const awaiting = new Set<string>();
  const come = (name: string, address = '192.0.2.1'): SignedOut => {
    const connection: SignedOut = {
      address,
      get isAwaiting() {
        return awaiting.has(name);
      },
      giveWay: () => {
        gone.push(name);
        open.delete(name);
      },
      expire: () => gone.push(`${name} expired`),
    };
    open.add(name);
    room.enter(connection, open.size);
    return connection;
  };
  return { room, gone, awaiting, come };
};

describe('connections of one address without a session', () => {
  it('give way, the one first that came first and never made a valid request', (t) => {
    const { room, gone, come } = crowd(t, { perAddress: 3 });
    room.renew(come('proven'));
    for (const name of ['first', 'second', 'third', 'fourth']) come(name);
    assert.deepEqual(gone, ['first', 'second']);
  });

  it('give way, the one next whose latest valid request is the oldest, and the newcomer has a place', (t) => {
    const { room, gone, come } = crowd(t, { perAddress: 3 });
    const [one, two, three] = [come('one'), come('two'), come('three')];
    for (const connection of [one, two, three, one]) room.renew(connection);
    room.renew(come('four'));
    room.renew(come('five'));
    come('six');
    assert.deepEqual(gone, ['two', 'three', 'one']);
  });

  it('stay while they wait for an answer, and where all wait the newest is refused', (t) => {
    const { gone, awaiting, come } = crowd(t, { perAddress: 2 });
    awaiting.add('one').add('two');
    for (const name of ['one', 'two', 'three']) come(name);
    assert.deepEqual(gone, ['three']);
    awaiting.delete('two');
    come('four');
    assert.deepEqual(gone, ['three', 'two']);
  });

  it('give no way to other addresses; a /64 of IPv6 addresses is one', (t) => {
    const { gone, come } = crowd(t, { perAddress: 1 });
    come('one', '192.0.2.1');
    come('two', '192.0.2.2');
    come('three', '2001:db8:1:2::1');
    come('four', '2001:db8:1:3::1');
    assert.deepEqual(gone, []);
    come('five', '2001:db8:1:2::2');
    come('six', '::ffff:192.0.2.2');
    assert.deepEqual(gone, ['three', 'two']);
  });

  it('count no more once they have a session or are closed, and again when they lose it', (t) => {
    const { room, gone, come } = crowd(t, { perAddress: 1 });
    const one = come('one');
    room.leave(one);
    room.leave(one);
    come('two');
    assert.deepEqual([room.count(), gone], [1, []]);
    room.renew(one);
    assert.equal(room.count(), 2);
    come('three');
    assert.deepEqual(gone, ['two']);
  });
});

describe('the places of a process', () => {
  it('are taken from connections without a session first, whatever their address', (t) => {
    const { room, gone, come } = crowd(t, { connections: 3 });
    room.leave(come('signed in', '192.0.2.1'));
    come('first', '192.0.2.2');
    come('second', '192.0.2.3');
    come('third', '192.0.2.4');
    assert.deepEqual(gone, ['first']);
  });

  it('are refused to the newest where all the others have a session', (t) => {
    const { room, gone, come } = crowd(t, { connections: 2 });
    for (const name of ['one', 'two']) room.leave(come(name));
    come('three');
    assert.deepEqual([gone, room.count()], [['three'], 0]);
  });

  it('are as many as the setting of an address allows at most', () => {
    const { schema, default: text } = variables.signedOutPerAddress;
    assert.equal(schema.safeParse(connectionsMax.toString()).success, true);
    assert.equal(schema.safeParse((connectionsMax + 1).toString()).success, false);
    assert.equal(schema.parse(text), 1_000);
  });
});

const staged = async (t: TestContext, staging?: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

const initialized = async (client: RawClient): Promise<RawClient> => {
  client.ask(1, 'coreInitialize', initialize);
  await client.result(1);
  return client;
};

describe('a connection without a session', () => {
  it('is closed with 1001 when no valid request comes in time: nothing else counts as one', async (t) => {
    const { client, signedIn } = await staged(t, { bounds: { firstRequestMillis: 300 } });
    const [silent, pinging, beating, asking, malformed] = await Promise.all(Array.from({ length: 5 }, () => client()));
    assert.ok(silent && pinging && beating && asking && malformed);
    const [proven, member] = [await initialized(await client()), await signedIn(1n, 11n)];
    const alive = setInterval(() => {
      pinging.socket.ping();
      beating.heartbeat();
      asking.ask(2, 'communitiesGetCommunities', {});
      asking.send(unknownRequest(3));
      malformed.send(message(number(1, 4), bytes(2, Uint8Array.of(0xff))));
    }, 20);
    t.after(() => {
      clearInterval(alive);
    });
    const codes = await Promise.all([silent, pinging, beating, asking, malformed].map(({ closed }) => closed));
    assert.deepEqual(codes, [1001, 1001, 1001, 1001, 1001]);
    await Promise.all([proven.settled(), member.settled()]);
  });

  it('may stay longer after a valid request, but not for ever', async (t) => {
    const { client, signedIn } = await staged(t, { bounds: { signedOutMillis: 300 } });
    const [proven, member] = [await initialized(await client()), await signedIn(1n, 11n)];
    assert.equal(await proven.closed, 1001);
    await member.settled();
  });

  it('gives its place to a newer one with 1013, once what it asked for is answered', async (t) => {
    const { client, signedIn, sockets, metrics } = await staged(t, { bounds: { perAddress: 1 } });
    const member = await signedIn(1n, 11n);
    const first = await initialized(await client());
    const second = await client();
    assert.equal(await first.closed, 1013);
    await Promise.all([second.settled(), member.settled()]);
    assert.equal(sockets.signedOut(), 1);
    assert.match(await metrics.text(), /osmium_gave_way_total 1/);
  });

  it(`takes messages of ${signedOutInboundBytesMax.toString()} bytes, larger ones only with a session`, async (t) => {
    const { client, signedIn } = await staged(t);
    const sized = (size: number): Uint8Array => {
      const frame = new Uint8Array(size);
      frame[0] = 0xff;
      return frame;
    };
    const [stranger, member] = [await client(), await signedIn(1n, 11n)];
    stranger.send(sized(signedOutInboundBytesMax));
    member.send(sized(signedOutInboundBytesMax + 1));
    for (const one of [stranger, member]) assert.equal((await one.result(0)).error?.errorCode, 400);
    stranger.send(sized(signedOutInboundBytesMax + 1));
    assert.equal(await stranger.closed, 1009);
    await member.settled();
  });

  it('is not given more by a session that it could not join', async (t) => {
    const { client } = await staged(t, { teller: { connect: () => Promise.reject(new Error('away')) } });
    const stranger = await client();
    stranger.ask(1, 'authAuthorize', { token: '1 11' });
    stranger.send(new Uint8Array(signedOutInboundBytesMax + 1));
    assert.equal(await stranger.closed, 1009);
  });

  it(`has ${signedOutInFlightMax.toString()} requests worked on, and those beyond in their turn`, async (t) => {
    let most = 0;
    let underWay = 0;
    const { client } = await staged(t, {
      limits: {
        check: async () => {
          underWay += 1;
          most = Math.max(most, underWay);
          await new Promise(setImmediate);
          underWay -= 1;
          return { allowed: true };
        },
      },
      handlers: () => ({ authLookupInvite: () => Promise.resolve(reject('INVITE_NOT_FOUND')) }),
    });
    const stranger = await client();
    for (let id = 1; id <= 100; id += 1) stranger.send(encodeRequest(id, 'authLookupInvite', { code: 'x' }));
    for (let id = 1; id <= 100; id += 1) await stranger.result(id);
    assert.equal(most, signedOutInFlightMax);
  });

  it('comes in with thousands that come back at once from one address', { timeout: 60_000 }, async (t) => {
    const comers = 5_000;
    const { client, sockets } = await staged(t, { bounds: { perAddress: 1_000 } });
    // As clients do it: both requests at once, and a new connection when the server had no place.
    const comeBack = async (user: bigint): Promise<RawClient> => {
      for (;;) {
        try {
          const comer = await client();
          comer.ask(1, 'coreInitialize', initialize);
          comer.ask(2, 'authAuthorize', { token: `${user.toString()} ${user.toString()}` });
          await comer.result(2);
          return comer;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50 + 500 * Math.random()));
        }
      }
    };
    const back = await Promise.all(Array.from({ length: comers }, (_, index) => comeBack(BigInt(index + 1))));
    assert.deepEqual([sockets.count() - sockets.signedOut(), back.length], [comers, comers]);
    for (const { socket } of back) socket.terminate();
  });
});
