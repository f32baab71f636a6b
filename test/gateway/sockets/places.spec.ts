import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { variables } from '../../../src/config.js';
import {
  messageBounds,
  signedOutInboundBytesMax,
  signedOutMessageBounds,
} from '../../../src/gateway/sockets/connection.js';
import { signedOutInFlightMax } from '../../../src/gateway/sockets/requestIntake.js';

import {
  connectionsMax,
  expiredPerSweepMax,
  firstRequestMillisMax,
  newcomerMillisMax,
  places,
  signedOutMillisMax,
  type PlacesOptions,
  type SignedOutConnection,
} from '../../../src/gateway/sockets/places.js';
import { reject } from '../../../src/kernel/decider.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import { encodeRequest } from '../../../src/wire/envelope.js';
import { bytes, message, number } from '../../system/bytes.js';
import { initialize, type RawClient } from '../rig/rawClient.js';
import { unknownRequest } from '../../support/unknownRequest.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

/** Connections that come one after the other, and those of them that had to go, in order. The clock stands still. */
const crowd = (options: PlacesOptions) => {
  const clock = { now: 1_000 };
  const room = places({ now: () => clock.now, random: () => 0, ...options });
  const gone: string[] = [];
  const open = new Set<string>();
  const awaiting = new Set<string>();
  const come = (name: string, address = '192.0.2.1'): SignedOutConnection => {
    const go = (how: string): void => {
      gone.push(`${name}${how}`);
      open.delete(name);
      room.leave(connection);
    };
    const connection: SignedOutConnection = {
      address,
      get isAwaiting() {
        return awaiting.has(name);
      },
      giveWay: () => {
        go('');
      },
      expire: () => {
        go(' expired');
      },
    };
    open.add(name);
    room.enter(connection, open.size);
    return connection;
  };
  return { room, gone, awaiting, come, clock };
};

describe('connections with a session', () => {
  it('give no place of the process to a newcomer while one without a session can go', () => {
    let asked = 0;
    const makeRoom = (): boolean => (asked += 1) > 0;
    const { gone, awaiting, come, room } = crowd({ connectionsMax: 3, makeRoom });
    for (const name of ['signed in', 'also']) room.leave(come(name));
    come('stranger');
    come('newcomer');
    assert.deepEqual([gone, asked], [['stranger'], 0]);
    awaiting.add('newcomer');
    come('last');
    assert.deepEqual([gone, asked], [['stranger'], 1]);
  });

  it('keep their places where none has more than one, and the newcomer goes', () => {
    const { gone, come, room } = crowd({ connectionsMax: 2, makeRoom: () => false });
    for (const name of ['signed in', 'also']) room.leave(come(name));
    come('newcomer');
    assert.deepEqual(gone, ['newcomer']);
  });
});

describe('connections of one address without a session', () => {
  it('give way, first those that never made a valid request', () => {
    const { room, gone, come } = crowd({ signedOutPerAddressMax: 3 });
    room.renew(come('proven'));
    for (const name of ['first', 'second', 'third', 'fourth']) come(name);
    assert.deepEqual(gone, ['first', 'second']);
  });

  it('give way by chance among those, so that some stay for as long as a first request takes', () => {
    const { gone, come } = crowd({ signedOutPerAddressMax: 4, random: () => 0.7 });
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) come(name);
    assert.deepEqual(gone, ['fourth']);
    const last = crowd({ signedOutPerAddressMax: 2, random: () => 0.99 });
    for (const name of ['first', 'second', 'third']) last.come(name);
    assert.deepEqual(last.gone, ['second']);
  });

  it('give way, the one next whose latest valid request is the oldest, and the newcomer has a place', () => {
    const { room, gone, come } = crowd({ signedOutPerAddressMax: 3 });
    const [one, two, three] = [come('one'), come('two'), come('three')];
    for (const connection of [one, two, three, one]) room.renew(connection);
    room.renew(come('four'));
    room.renew(come('five'));
    come('six');
    assert.deepEqual(gone, ['two', 'three', 'one']);
  });

  it('stay while they wait for an answer, and where all wait the newest is refused', () => {
    const { gone, awaiting, come } = crowd({ signedOutPerAddressMax: 2 });
    awaiting.add('one').add('two');
    for (const name of ['one', 'two', 'three']) come(name);
    assert.deepEqual(gone, ['three']);
    awaiting.delete('two');
    come('four');
    assert.deepEqual(gone, ['three', 'two']);
  });

  it('give no way to other addresses; a /64 of IPv6 addresses is one', () => {
    const { gone, come } = crowd({ signedOutPerAddressMax: 1 });
    come('one', '192.0.2.1');
    come('two', '192.0.2.2');
    come('three', '2001:db8:1:2::1');
    come('four', '2001:db8:1:3::1');
    assert.deepEqual(gone, []);
    come('five', '2001:db8:1:2::2');
    come('six', '::ffff:192.0.2.2');
    assert.deepEqual(gone, ['three', 'two']);
  });

  it('count no more once they have a session or are closed, and again when they lose it', () => {
    const { room, gone, come } = crowd({ signedOutPerAddressMax: 1 });
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

  it('keep their places from newcomers who may be on their way, so that nobody holds all places by one request each', () => {
    const { room, gone, come, clock } = crowd({ signedOutPerAddressMax: 20 });
    for (let index = 0; index < 20; index += 1) room.renew(come(`held ${index.toString()}`));
    come('on its way');
    clock.now += newcomerMillisMax - 1;
    come('silent');
    assert.deepEqual(gone, ['held 0', 'held 1']);
    clock.now += 1;
    come('later');
    assert.deepEqual(gone, ['held 0', 'held 1', 'on its way']);
  });

  it('count nothing for their address once they are gone', () => {
    const { room, gone, come } = crowd({ signedOutPerAddressMax: 2 });
    for (const name of ['one', 'two', 'three']) room.leave(come(name));
    come('four');
    come('five');
    assert.deepEqual([gone, room.count()], [[], 2]);
  });
});

describe('a stay without a session', () => {
  it('is over when no valid request came in time, or none for long, and not while one waits for its answer', () => {
    const { room, gone, come, clock, awaiting } = crowd({});
    const [, proven] = [come('silent'), come('proven'), come('waiting')];
    awaiting.add('waiting');
    clock.now += firstRequestMillisMax - 1;
    room.renew(proven);
    room.sweep();
    assert.deepEqual(gone, []);
    clock.now += 1;
    room.sweep();
    assert.deepEqual(gone, ['silent expired']);
    clock.now += signedOutMillisMax - 1;
    room.sweep();
    assert.deepEqual(gone, ['silent expired', 'proven expired']);
    awaiting.delete('waiting');
    room.sweep();
    assert.deepEqual(gone, ['silent expired', 'proven expired', 'waiting expired']);
  });

  it('ends for so many at once only that nobody else has to wait', () => {
    const { room, gone, come, clock } = crowd({});
    for (let index = 0; index <= expiredPerSweepMax; index += 1) come(index.toString());
    clock.now += firstRequestMillisMax;
    room.sweep();
    assert.equal(gone.length, expiredPerSweepMax);
    room.sweep();
    assert.equal(gone.length, expiredPerSweepMax + 1);
  });
});

describe('the places of a process', () => {
  it('are taken from connections without a session first, whatever their address', () => {
    const { room, gone, come } = crowd({ connectionsMax: 3 });
    room.leave(come('signed in', '192.0.2.1'));
    come('first', '192.0.2.2');
    come('second', '192.0.2.3');
    come('third', '192.0.2.4');
    assert.deepEqual(gone, ['first']);
  });

  it('are refused to the newest where all the others have a session', () => {
    const { room, gone, come } = crowd({ connectionsMax: 2 });
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

const sized = (size: number): Uint8Array => {
  const frame = new Uint8Array(size);
  frame[0] = 0xff;
  return frame;
};

/** Bounds with a clock that a test puts forward. */
const movedClock = () => {
  let ahead = 0;
  return {
    bounds: { now: () => performance.now() + ahead, expirySweepMillis: 5 },
    advance: (millis: number) => {
      ahead += millis;
    },
  };
};

/** A handler that is under way until the test lets it answer. */
const slowLookup = () => {
  let begun = (): void => undefined;
  let answer = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
  const handlers = () => ({
    authLookupInvite: async () => {
      begun();
      await mayAnswer;
      return reject('INVITE_NOT_FOUND');
    },
  });
  return { handlers, hasBegun, answer };
};

describe('a connection without a session', { timeout: 60_000 }, () => {
  it('is closed with 1001 when no valid request comes in time: nothing else counts as one', async (t) => {
    const { bounds, advance } = movedClock();
    const { client, signedIn } = await staged(t, { bounds });
    const silent = await client();
    const [pinging, beating, asking, malformed] = [await client(), await client(), await client(), await client()];
    const [proven, member] = [await initialized(await client()), await signedIn(1n, 11n)];
    pinging.socket.ping();
    beating.heartbeat();
    asking.ask(2, 'communitiesGetCommunities', {});
    asking.send(unknownRequest(3));
    malformed.send(message(number(1, 4), bytes(2, Uint8Array.of(0xff))));
    const invalid = [pinging, beating, asking, malformed];
    for (const one of invalid) await one.settled();
    advance(firstRequestMillisMax);
    const codes = await Promise.all([silent, ...invalid].map(({ closed }) => closed));
    assert.deepEqual(codes, [1001, 1001, 1001, 1001, 1001]);
    await Promise.all([proven.settled(), member.settled()]);
  });

  it('may stay longer after a valid request, but not for ever', async (t) => {
    const { bounds, advance } = movedClock();
    const { client, signedIn } = await staged(t, { bounds });
    const [proven, member] = [await initialized(await client()), await signedIn(1n, 11n)];
    advance(signedOutMillisMax);
    assert.equal(await proven.closed, 1001);
    await member.settled();
  });

  it('gives its place to a newer one with 1013', async (t) => {
    const { client, signedIn, sockets, metrics } = await staged(t, { bounds: { signedOutPerAddressMax: 1 } });
    const member = await signedIn(1n, 11n);
    const first = await initialized(await client());
    const second = await client();
    assert.equal(await first.closed, 1013);
    await Promise.all([second.settled(), member.settled()]);
    assert.equal(sockets.signedOut(), 1);
    assert.match(await metrics.text(), /osmium_gave_way_total 1/);
  });

  it('stays while it waits for an answer, and the newest is refused with 1013', async (t) => {
    const { handlers, hasBegun, answer } = slowLookup();
    const { client } = await staged(t, { handlers, bounds: { signedOutPerAddressMax: 1 } });
    const waiting = await client();
    waiting.ask(7, 'authLookupInvite', { code: 'x' });
    await hasBegun;
    const newest = await client();
    assert.equal(await newest.closed, 1013);
    answer();
    assert.equal((await waiting.result(7)).error?.errorCode, 404);
  });

  it('is one no more with a session, whatever is asked then, and its place is free once it is closed', async (t) => {
    const { client, signedIn, sockets } = await staged(t);
    const [member, stranger] = [await signedIn(1n, 11n), await client()];
    assert.equal(sockets.signedOut(), 1);
    member.ask(9, 'coreInitialize', initialize);
    await member.result(9);
    assert.equal(sockets.signedOut(), 1);
    await stranger.leave();
    while (sockets.signedOut() > 0) await new Promise(setImmediate);
    await member.settled();
  });

  it(`takes messages of ${signedOutInboundBytesMax.toString()} bytes, larger ones only with a session`, async (t) => {
    const { client, signedIn } = await staged(t);
    const [stranger, member] = [await client(), await signedIn(1n, 11n)];
    stranger.send(sized(signedOutInboundBytesMax));
    member.send(sized(signedOutInboundBytesMax + 1));
    for (const one of [stranger, member]) assert.equal((await one.result(0)).error?.errorCode, 400);
    stranger.send(sized(signedOutInboundBytesMax + 1));
    assert.equal(await stranger.closed, 1009);
    await member.settled();
  });

  it('takes a message in few pieces only, more with a session', async (t) => {
    const { client, signedIn } = await staged(t);
    const inPieces = ({ socket }: RawClient, pieces: number): void => {
      for (let piece = 1; piece <= pieces; piece += 1) socket.send(Uint8Array.of(0xff), { fin: piece === pieces });
    };
    const [stranger, member] = [await client(), await signedIn(1n, 11n)];
    const { maxFragments } = signedOutMessageBounds;
    inPieces(stranger, maxFragments);
    inPieces(member, maxFragments + 1);
    for (const one of [stranger, member]) assert.equal((await one.result(0)).error?.errorCode, 400);
    inPieces(stranger, maxFragments + 1);
    inPieces(member, messageBounds.maxFragments + 1);
    assert.deepEqual(await Promise.all([stranger.closed, member.closed]), [1008, 1008]);
  });

  it('is one again when the session could not be joined', async (t) => {
    const { client, sockets } = await staged(t, {
      renderer: { connect: () => Promise.reject(new Error('away')) },
      handlers: () => ({
        authLegacySignIn: async (_, call) => {
          await call.authorize({ user: 1n as UserId, session: 11n as SessionId });
          return reject('INTERNAL');
        },
      }),
    });
    const stranger = await client();
    stranger.ask(1, 'authLegacySignIn', {});
    assert.equal((await stranger.result(1)).error?.errorCode, 500);
    assert.equal(sockets.signedOut(), 1);
    stranger.send(sized(signedOutInboundBytesMax + 1));
    assert.equal(await stranger.closed, 1009);
  });

  it(`has ${signedOutInFlightMax.toString()} requests worked on, and those beyond in their turn`, async (t) => {
    let most = 0;
    let underWay = 0;
    const { client } = await staged(t, {
      handlers: () => ({
        authLookupInvite: async () => {
          underWay += 1;
          most = Math.max(most, underWay);
          await new Promise(setImmediate);
          underWay -= 1;
          return reject('INVITE_NOT_FOUND');
        },
      }),
    });
    const stranger = await client();
    for (let id = 1; id <= 100; id += 1) stranger.send(encodeRequest(id, 'authLookupInvite', { code: 'x' }));
    for (let id = 1; id <= 100; id += 1) await stranger.result(id);
    assert.equal(most, signedOutInFlightMax);
  });

  it('comes in with a thousand that come back at once from one address', async (t) => {
    const [comers, places] = [1_000, 200];
    const { client, sockets, metrics } = await staged(t, { bounds: { signedOutPerAddressMax: places, now: () => 0 } });
    const comeIn = async (comer: RawClient, user: number): Promise<RawClient> => {
      comer.ask(1, 'coreInitialize', initialize);
      comer.ask(2, 'authAuthorize', { token: `${user.toString()} ${user.toString()}` });
      await comer.result(2);
      return comer;
    };
    // All are there before the first of them says anything, as over a slow line.
    const there = await Promise.all(Array.from({ length: comers }, () => client()));
    const first = await Promise.allSettled(there.map(comeIn));
    const back = first.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []));
    assert.equal(back.length, places);
    const [, gaveWay] = /osmium_gave_way_total (\d+)/.exec(await metrics.text()) ?? [];
    assert.equal(Number(gaveWay), comers - places);
    // The others come again, some at a time because their pauses differ.
    const others = first.flatMap((tried, user) => (tried.status === 'fulfilled' ? [] : [user]));
    const comeAgain = async (): Promise<void> => {
      for (let user = others.pop(); user !== undefined; user = others.pop()) {
        back.push(await comeIn(await client(), user));
      }
    };
    await Promise.all(Array.from({ length: 40 }, comeAgain));
    assert.deepEqual([back.length, sockets.count() - sockets.signedOut()], [comers, comers]);
    for (const { socket } of back) socket.terminate();
  });
});

describe('a session that is revoked', { timeout: 20_000 }, () => {
  it('closes with 1008 once all is answered, also when a long message comes meanwhile', async (t) => {
    const { handlers, hasBegun, answer } = slowLookup();
    const { signedIn, hub } = await staged(t, { handlers });
    const member = await signedIn(1n, 11n);
    member.ask(7, 'authLookupInvite', { code: 'x' });
    await hasBegun;
    hub.revoked(11n as SessionId);
    member.send(sized(signedOutInboundBytesMax + 1));
    // The server has read the message before it.
    member.socket.ping();
    await once(member.socket, 'pong');
    answer();
    assert.equal((await member.result(7)).error?.errorCode, 404);
    assert.equal(await member.closed, 1008);
  });
});
